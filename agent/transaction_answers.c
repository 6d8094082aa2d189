/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What workers answer to the steps of a transaction, and what that means for
 * the one that answers. Runs as root, so it takes an answer only when one is
 * awaited; must never let a worker stop the others.
 */
#include "agent/transaction_priv.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

#define REFUSAL_RETRY_MS 5000

static void refuse(struct process *process, const char *reason)
{
	struct agent *agent = process->agent;
	char report[WORKER_REASON + 64];

	snprintf(report, sizeof(report), "%s: %s", process->module->name,
		reason);
	if (agent->transaction.active && !agent->transaction.applying) {
		transaction_fail(agent, -EINVAL, report);
		return;
	}
	if (agent->transaction.active) {
		supervisor_kill(process, reason); /* comes back with the new */
		return;
	}
	log_error("%s", report);
	snprintf(process->refusal, sizeof(process->refusal), "%s", reason);
	process_warn(process, RECORD_SEVERITY_CRITICAL, reason);
	transaction_settle(process, PROCESS_STATE_IDLE);
	loop_set_timer(agent->loop, &process->restart, REFUSAL_RETRY_MS);
	transaction_review(agent);
}

/* A single worker is up to date. */
static void in_force(struct process *process)
{
	struct agent *agent = process->agent;

	process->refusal[0] = 0;
	process_unwarn(process);
	transaction_settle(process, PROCESS_STATE_RUNNING);
	if (agent->transaction.active) {
		transaction_advance(agent);
		return;
	}
	if (process->module->applied)
		process->module->applied(agent, agent->conf);
	transaction_review(agent);
}

static int on_hello(void *owner, const void *message, int fd)
{
	const struct worker_hello *hello = message;
	struct process *process = owner;
	int r;

	(void)fd;
	if (process->state != PROCESS_STATE_STARTING ||
		hello->protocol != WORKER_PROTOCOL)
		return -EPROTO;
	log_info("%s: process %d, uid %u, chroot%s%s", process->module->name,
		(int)process->pid, process->uid,
		hello->layers & WORKER_LAYER_SECCOMP ? ", seccomp" : "",
		hello->layers & WORKER_LAYER_LANDLOCK ? ", landlock" : "");
	transaction_settle(process, PROCESS_STATE_IDLE);
	if (process->module->started) {
		r = process->module->started(process->agent);
		if (r < 0)
			log_error("%s: cannot grant its descriptors: %s",
				process->module->name, strerror(-r));
	}
	transaction_resend(process);
	return 0;
}

static int on_verdict(void *owner, const void *message, int fd)
{
	const struct worker_verdict *verdict = message;
	struct process *process = owner;
	struct agent *agent = process->agent;
	uint64_t awaited = agent->transaction.active
				   ? agent->transaction.generation
				   : agent->generation;

	(void)fd;
	if (verdict->error > 0 ||
		memchr(verdict->reason, 0, sizeof(verdict->reason)) == NULL)
		return -EPROTO;
	if (verdict->generation != awaited || !transaction_awaits(process))
		return 0; /* of a transaction that was given up */
	if (verdict->phase != (process->state == PROCESS_STATE_COMMITTING
					      ? WORKER_COMMIT
					      : WORKER_APPLY))
		return -EPROTO;
	if (verdict->error < 0) {
		refuse(process, verdict->reason);
	} else if (process->state == PROCESS_STATE_APPLYING) {
		process->generation = awaited;
		in_force(process);
	} else if (agent->transaction.active) {
		transaction_settle(process, PROCESS_STATE_READY);
		transaction_advance(agent);
	} else {
		return transaction_apply(process, awaited);
	}
	return 0;
}

static int on_pong(void *owner, const void *message, int fd)
{
	const struct worker_ping *pong = message;
	struct process *process = owner;

	(void)fd;
	if (pong->number > process->ping)
		return -EPROTO;
	process->pong = pong->number;
	return 0;
}

const struct ipc_route transaction_routes[] = {
	IPC_ROUTE(WORKER_HELLO, struct worker_hello, on_hello),
	IPC_ROUTE(WORKER_VERDICT, struct worker_verdict, on_verdict),
	IPC_ROUTE(WORKER_PONG, struct worker_ping, on_pong),
};
const size_t transaction_routes_count = ARRAY_SIZE(transaction_routes);
