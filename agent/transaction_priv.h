/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a transaction share with each other, and nobody else. */
#ifndef GATEHOUSE_TRANSACTION_PRIV_H
#define GATEHOUSE_TRANSACTION_PRIV_H

#include "agent/agent.h"

/* transaction_steps.c: what goes to the workers. */

/*
 * Sends a whole configuration to those marked in_step and takes the mark
 * away. -errno: a module could not say its part; the caller gives up.
 */
_must_check_ int transaction_send(
	struct agent *agent, const struct conf *conf, uint64_t generation);
/* To all that are ready, and (not) of those whose effects come first. */
void transaction_send_apply(struct agent *agent, bool first);
/* To one that came alone. -errno as ipc_send(). */
_must_check_ int transaction_apply(
	struct process *process, uint64_t generation);
/* The worker keeps (or is left with) what it had. */
void transaction_abort(struct process *process, uint64_t generation);
/* It need not answer in time any more. */
void transaction_settle(struct process *process, enum process_state state);
bool transaction_awaits(const struct process *process);
size_t transaction_count(
	const struct agent *agent, enum process_state state, bool only_first);

/* transaction.c: what the answers lead to. */

/* Goes on with a reload as far as the answers allow. */
void transaction_advance(struct agent *agent);
/* The old configuration stays, for everybody. */
void transaction_fail(struct agent *agent, int error, const char *report);

#endif
