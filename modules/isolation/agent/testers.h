/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MAC addresses of self-tests: seen behind a port that root named for one.
 * They are nobody's devices and what they claim is no news.
 */
#ifndef GATEHOUSE_ISOLATION_TESTERS_H
#define GATEHOUSE_ISOLATION_TESTERS_H

#include <stdbool.h>

#include "modules/isolation/isolation_proto.h"

#define TESTERS_MAX 16 /* the last ones are known */

/* Is it somebody behind a self-test's port? Then it is remembered. */
bool testers_seen(const struct isolation_seen *seen);
bool testers_has(const struct mac *mac);

#endif
