/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of a transaction on their way to the workers, and how long each
 * may take to answer. Decides nothing: that is transaction.c.
 */
#include "agent/transaction_priv.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

#define ANSWER_DEADLINE_MS 30000

/* The level of a configuration goes with it, and back with the old one. */
static const struct conf *conf_of(const struct agent *agent, uint16_t type)
{
	return agent->transaction.active && type != WORKER_ABORT
		       ? agent->transaction.wanted
		       : agent->conf;
}

static int send_step(struct process *process, uint16_t type,
	uint64_t generation, uint32_t items)
{
	struct worker_step step = {.generation = generation,
		.log_level = (uint32_t)config_log_level(
			conf_of(process->agent, type)),
		.items = items};
	int r = ipc_send(&process->link, type, &step, sizeof(step), -1);

	if (r == 0 && process->module->sent)
		process->module->sent(
			process->agent, type, &step, sizeof(step));
	return r;
}

static void await(struct process *process, enum process_state state)
{
	process_enter_state(process, state);
	loop_set_timer(
		process->agent->loop, &process->deadline, ANSWER_DEADLINE_MS);
}

bool transaction_awaits(const struct process *process)
{
	return process->state == PROCESS_STATE_COMMITTING ||
	       process->state == PROCESS_STATE_READY ||
	       process->state == PROCESS_STATE_APPLYING;
}

/*
 * A reload is taken by all or by nobody. A part that starts is not kept away
 * by the trouble of another: isolation least of all.
 */
static int configure_module(struct agent *agent, const struct process *process,
	const struct conf *conf)
{
	const struct module *module = process->module;
	int r = module->configure ? module->configure(agent, conf) : 0;

	if (r < 0)
		log_error("%s: cannot pass on the configuration: %s",
			module->name, strerror(-r));
	return agent->transaction.active || process->in_step ? r : 0;
}

int transaction_send(
	struct agent *agent, const struct conf *conf, uint64_t generation)
{
	int r = 0;

	for (size_t i = 0; i < agent->n_processes; i++) {
		struct process *process = &agent->processes[i];

		if (!process->in_step)
			continue;
		if (send_step(process, WORKER_BEGIN, generation, 0) < 0) {
			/* Gone: it gets what is in force when it is back. */
			process->in_step = false;
			supervisor_kill(process, "it cannot be spoken to");
			continue;
		}
		process->begun = process->link.sent;
		await(process, PROCESS_STATE_COMMITTING);
	}
	agent->sending = true;
	for (size_t i = 0; i < agent->n_processes && r == 0; i++)
		r = configure_module(agent, &agent->processes[i], conf);
	agent->sending = false;
	for (size_t i = 0; i < agent->n_processes; i++) {
		struct process *process = &agent->processes[i];

		if (!process->in_step)
			continue;
		process->in_step = false;
		if (r == 0)
			r = send_step(process, WORKER_COMMIT, generation,
				process->link.sent - process->begun);
	}
	return r;
}

void transaction_settle(struct process *process, enum process_state state)
{
	loop_stop_timer(process->agent->loop, &process->deadline);
	process_enter_state(process, state);
}

void transaction_abort(struct process *process, uint64_t generation)
{
	send_step(process, WORKER_ABORT, generation, 0);
	transaction_settle(process, process->generation ? PROCESS_STATE_RUNNING
							: PROCESS_STATE_IDLE);
}

int transaction_apply(struct process *process, uint64_t generation)
{
	await(process, PROCESS_STATE_APPLYING);
	return send_step(process, WORKER_APPLY, generation, 0);
}

size_t transaction_count(
	const struct agent *agent, enum process_state state, bool only_first)
{
	size_t n = 0;

	for (size_t i = 0; i < agent->n_processes; i++)
		n += agent->processes[i].state == state &&
		     (!only_first || agent->processes[i].module->first);
	return n;
}

void transaction_send_apply(struct agent *agent, bool first)
{
	for (size_t i = 0; i < agent->n_processes; i++) {
		struct process *process = &agent->processes[i];

		if (process->state != PROCESS_STATE_READY ||
			process->module->first != first)
			continue;
		send_step(process, WORKER_APPLY, agent->transaction.generation,
			0);
		await(process, PROCESS_STATE_APPLYING);
	}
}
