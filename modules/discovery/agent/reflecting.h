/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reflections on their way to the worker and to isolation, and the sockets
 * that follow, also when an interface comes later.
 */
#ifndef GATEHOUSE_DISCOVERY_REFLECTING_H
#define GATEHOUSE_DISCOVERY_REFLECTING_H

#include "agent/lib/module.h"

#define REFLECTING_LOOK_MS 5000 /* for interfaces that came or went */

/* Between BEGIN and COMMIT; group: of NFLOG, bound. */
_must_check_ int reflecting_configure(
	struct agent *agent, const struct conf *conf, uint16_t group);
/* Nothing is reflected, but the worker is fenced all the same. */
_must_check_ int reflecting_configure_none(struct agent *agent);
/* It is in force: sends sockets for all of it, now and whenever needed. */
void reflecting_applied(struct agent *agent, const struct conf *conf);
void reflecting_stopped(struct agent *agent);

#endif
