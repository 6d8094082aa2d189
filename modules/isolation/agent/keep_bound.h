/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps whose addresses are in a file for the next boot. In the agent; there
 * is one.
 */
#ifndef GATEHOUSE_ISOLATION_KEEP_BOUND_H
#define GATEHOUSE_ISOLATION_KEEP_BOUND_H

#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"

/* Flash does not last for ever: once in this time, and rarer if it is much. */
#define KEEP_BOUND_MS 60000
#define KEEP_BOUND_ROWS 4096 /* ... for each so many that much longer */
/* Nothing but times is new: so often. */
#define KEEP_BOUND_TIMES_MS (3600 * 1000)

/* ISOLATION_BOUND up. -EINVAL for one that no worker sends. */
_must_check_ int keep_bound(
	struct agent *agent, const struct isolation_bound *bound);
/* ISOLATION_KNOWN_BOUND down, until a worker got it. */
_must_check_ int keep_bound_send(struct agent *agent);
/* How long the next file has to wait for, after one of so many rows. */
int64_t keep_bound_pause_ms(size_t rows, bool only_times);
/* What struct module has under these names. */
void keep_bound_sent(uint16_t type);
void keep_bound_stopped(void);
void keep_bound_ending(struct agent *agent);

#endif
