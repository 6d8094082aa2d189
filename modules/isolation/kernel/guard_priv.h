/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guard.c and reverse.c share. Not for others. */
#ifndef GATEHOUSE_ISOLATION_GUARD_PRIV_H
#define GATEHOUSE_ISOLATION_GUARD_PRIV_H

#include "modules/isolation/kernel/guard.h"

/*
 * The kernel's reverse path filter asks the routing rules as well: where would
 * an answer to this packet go? For what goes to a device it asks in the name
 * of the device's interface, and the guard would say "nowhere". So our rules
 * mark such packets, and the filter is told to look at marks
 * (src_valid_mark), on all interfaces that have the filter on. Off: they no
 * longer look. -errno.
 */
_must_check_ int reverse_set(struct guard *guard, bool on);

#endif
