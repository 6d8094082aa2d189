/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the worker tells the agent of links, neighbours and counters. */
#ifndef GATEHOUSE_ISOLATION_REPORT_H
#define GATEHOUSE_ISOLATION_REPORT_H

#include "agent/lib/worker.h"
#include "modules/isolation/engine.h"
#include "modules/isolation/kernel/guard.h"
#include "modules/isolation/kernel/guard.h"
#include "modules/isolation/kernel/neigh.h"

void report_rules(struct worker *worker, const struct engine *engine,
	const struct guard *guard, uint64_t generation);
/* Those that differ from before; before may be NULL: all. */
void report_links(struct worker *worker, const struct topology *topology,
	const struct topology *before);
/* All bridge ports, also those awaited, and the end of their list. */
void report_ports(struct worker *worker, const struct topology *topology);
/* Counters, and tallies that grew since before. */
void report_counts(struct worker *worker, const struct engine *engine,
	const struct ruleset_carry *before);
/* Who went over a limit since before. */
void report_overs(struct worker *worker, const struct engine *engine,
	const struct ruleset_carry *before);
/* Who was caught claiming what, if it is news. */
void report_spoofs(struct worker *worker, const struct engine *engine);
/* Which device has which address and for how long, if it is news. */
void report_bound(struct worker *worker, const struct engine *engine);
void report_forget_bound(void);
/* The list of attempts, and its end. */
void report_attempts(
	struct worker *worker, const struct engine *engine, uint64_t cookie);
/* Somebody is there; unless it was told already. False: not now, again. */
bool report_seen(struct worker *worker, const struct engine *engine,
	const struct neigh_fact *fact);
/* All is news again. */
void report_forget(void);

#endif
