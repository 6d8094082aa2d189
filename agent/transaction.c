/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings configuration into workers. One worker at a time when it starts;
 * all together on a reload: everybody judges, then those whose effects must
 * come first apply, then the rest. Until then the old configuration is in
 * force, and any refusal keeps it.
 */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

#define ANSWER_DEADLINE_MS 30000
#define REFUSAL_RETRY_MS 5000

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

static bool awaits_step(const struct process *process)
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

/* Sends a whole configuration to those marked in_step. */
static int send_wanted(
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

static void settle(struct process *process, enum process_state state)
{
	loop_stop_timer(process->agent->loop, &process->deadline);
	process_enter_state(process, state);
}

/* The worker keeps (or is left with) what it had. */
static void abort_process(struct process *process, uint64_t generation)
{
	send_step(process, WORKER_ABORT, generation, 0);
	settle(process, process->generation ? PROCESS_STATE_RUNNING
					    : PROCESS_STATE_IDLE);
}

/* Somebody who asked for a reload; several may share one. */
struct asker {
	struct list link;
	void (*done)(void *arg, int error, const char *report);
	void *arg;
};

static void tell_askers(struct list *askers, int error, const char *report)
{
	while (!list_empty(askers)) {
		struct asker *asker = container_of(
			askers->next, struct asker, link);

		list_remove(&asker->link);
		if (asker->done)
			asker->done(asker->arg, error, report);
		free(asker);
	}
}

static void finish(struct agent *agent, int error, const char *report)
{
	struct transaction *transaction = &agent->transaction;

	transaction->active = transaction->applying = false;
	if (error < 0) {
		log_error("the new configuration was not taken, the old one "
			  "stays in force: %s",
			report);
		if (!transaction->again)
			conf_free(transaction->wanted);
	}
	transaction->wanted = NULL;
	tell_askers(&transaction->askers, error, report);
	transaction_review(agent);
}

static void fail(struct agent *agent, int error, const char *report)
{
	for (size_t i = 0; i < agent->n_processes; i++) {
		if (awaits_step(&agent->processes[i]))
			abort_process(&agent->processes[i],
				agent->transaction.generation);
	}
	finish(agent, error, report);
}

void transaction_tell_applied(struct agent *agent)
{
	for (size_t i = 0; i < agent->n_processes; i++) {
		const struct module *module = agent->processes[i].module;

		if (module->applied)
			module->applied(agent, agent->conf);
	}
}

static void succeed(struct agent *agent)
{
	struct transaction *transaction = &agent->transaction;

	if (!transaction->again) {
		confirm_in_force(agent, transaction->wanted);
		conf_free(agent->conf);
		agent->conf = transaction->wanted;
	}
	agent->generation = transaction->generation;
	devices_publish(agent);
	config_leave(agent);
	transaction_tell_applied(agent);
	log_notice("configuration %llu is in force",
		(unsigned long long)agent->generation);
	finish(agent, 0, "");
}

static size_t count_state(
	const struct agent *agent, enum process_state state, bool only_first)
{
	size_t n = 0;

	for (size_t i = 0; i < agent->n_processes; i++)
		n += agent->processes[i].state == state &&
		     (!only_first || agent->processes[i].module->first);
	return n;
}

static void send_apply(struct agent *agent, bool first)
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

/* Goes on with a reload as far as the answers allow. */
static void advance(struct agent *agent)
{
	if (count_state(agent, PROCESS_STATE_COMMITTING, false))
		return;
	send_apply(agent, true);
	if (count_state(agent, PROCESS_STATE_APPLYING, true))
		return;
	agent->transaction.applying = true;
	send_apply(agent, false);
	if (count_state(agent, PROCESS_STATE_APPLYING, false) == 0)
		succeed(agent);
}

static void refuse(struct process *process, const char *reason)
{
	struct agent *agent = process->agent;
	char report[WORKER_REASON + 64];

	snprintf(report, sizeof(report), "%s: %s", process->module->name,
		reason);
	if (agent->transaction.active && !agent->transaction.applying) {
		fail(agent, -EINVAL, report);
		return;
	}
	if (agent->transaction.active) {
		supervisor_kill(process, reason); /* comes back with the new */
		return;
	}
	log_error("%s", report);
	snprintf(process->refusal, sizeof(process->refusal), "%s", reason);
	process_warn(process, RECORD_SEVERITY_CRITICAL, reason);
	settle(process, PROCESS_STATE_IDLE);
	loop_set_timer(agent->loop, &process->restart, REFUSAL_RETRY_MS);
	transaction_review(agent);
}

/* A single worker is up to date. */
static void in_force(struct process *process)
{
	struct agent *agent = process->agent;

	process->refusal[0] = 0;
	process_unwarn(process);
	settle(process, PROCESS_STATE_RUNNING);
	if (agent->transaction.active) {
		advance(agent);
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
	settle(process, PROCESS_STATE_IDLE);
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
	if (verdict->generation != awaited || !awaits_step(process))
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
		settle(process, PROCESS_STATE_READY);
		advance(agent);
	} else {
		await(process, PROCESS_STATE_APPLYING);
		return send_step(process, WORKER_APPLY, awaited, 0);
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

void transaction_resend(struct process *process)
{
	struct agent *agent = process->agent;
	int r;

	if (agent->transaction.active)
		return; /* its end looks after everybody */
	process->in_step = true;
	r = send_wanted(agent, agent->conf, agent->generation);
	if (r < 0)
		supervisor_kill(process, strerror(-r));
}

void transaction_lost(struct process *process)
{
	struct agent *agent = process->agent;
	char report[128];

	if (!agent->transaction.active || !awaits_step(process))
		return;
	process_enter_state(process, PROCESS_STATE_DOWN);
	if (agent->transaction.applying) {
		advance(agent);
		return;
	}
	snprintf(report, sizeof(report),
		"the %s process ended while judging it", process->module->name);
	fail(agent, -EIO, report);
}

/* A worker that is starting takes part later, in a step of its own. */
static bool takes_part(const struct process *process)
{
	return process->state == PROCESS_STATE_RUNNING ||
	       process->state == PROCESS_STATE_IDLE;
}

static bool somebody_busy(const struct agent *agent)
{
	if (agent->transaction.active)
		return true;
	for (size_t i = 0; i < agent->n_processes; i++) {
		if (awaits_step(&agent->processes[i]))
			return true;
	}
	return false;
}

/* Everybody who waits gets the outcome of this one. */
static void move_askers(struct list *from, struct list *to)
{
	list_init(to);
	while (!list_empty(from)) {
		struct list *first = from->next;

		list_remove(first);
		list_append(to, first);
	}
}

/* A reload makes a refresh that waits unnecessary. */
static int load_wanted(struct agent *agent)
{
	struct transaction *transaction = &agent->transaction;
	int r;

	transaction->again = list_empty(&transaction->askers);
	agent->refresh = false;
	if (transaction->again) {
		transaction->wanted = agent->conf;
		return 0;
	}
	r = config_load(confirm_source(agent), &transaction->wanted);
	return r < 0 ? r : devices_number(transaction->wanted, &agent->numbers);
}

static void begin_reload(struct agent *agent)
{
	struct transaction *transaction = &agent->transaction;
	char report[1024];
	int r;

	move_askers(&agent->askers, &transaction->askers);
	transaction->active = true;
	transaction->generation = ++agent->last_generation;
	transaction->returns = agent->confirm.state == CONFIRM_STATE_RETURNING;
	r = load_wanted(agent);
	if (r < 0) {
		config_report(transaction->wanted, report, sizeof(report));
		finish(agent, r, report[0] ? report : strerror(-r));
		return;
	}
	for (size_t i = 0; i < agent->n_processes; i++)
		agent->processes[i].in_step = takes_part(&agent->processes[i]);
	r = send_wanted(agent, transaction->wanted, transaction->generation);
	if (r < 0)
		fail(agent, r, strerror(-r));
	else
		advance(agent);
}

int transaction_reload(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return -ENOMEM;
	asker->done = done;
	asker->arg = arg;
	list_append(&agent->askers, &asker->link);
	if (!somebody_busy(agent))
		begin_reload(agent);
	return 0;
}

void transaction_refresh(struct agent *agent)
{
	agent->refresh = true;
	if (!somebody_busy(agent))
		begin_reload(agent);
}

void transaction_init(struct agent *agent)
{
	list_init(&agent->askers);
	list_init(&agent->transaction.askers);
}

/* Nobody is told that the daemon stops; they see it. */
void transaction_free(struct agent *agent)
{
	struct list *lists[] = {&agent->askers, &agent->transaction.askers};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		list_for_each_safe(it, lists[i])
			free(container_of(it, struct asker, link));
	}
	if (!agent->transaction.again)
		conf_free(agent->transaction.wanted);
}

/* Who came late gets what is in force now; then: are we up? */
void transaction_review(struct agent *agent)
{
	struct record_gateway gateway = *state_gateway(agent->state);
	bool all = true, settled = true;

	for (size_t i = 0; i < agent->n_processes; i++) {
		struct process *process = &agent->processes[i];
		bool refused = process->refusal[0] != 0;

		if (takes_part(process) && !refused &&
			process->generation != agent->generation)
			transaction_resend(process);
		if (process->state != PROCESS_STATE_RUNNING) {
			all = false;
			settled = settled && (refused || process->failures);
		}
	}
	gateway.generation = agent->generation;
	gateway.state = all                           ? RECORD_STATE_RUNNING
			: agent->announced || settled ? RECORD_STATE_DEGRADED
						      : RECORD_STATE_STARTING;
	state_set_gateway(agent->state, &gateway);
	if ((agent->refresh || !list_empty(&agent->askers)) &&
		!somebody_busy(agent)) {
		begin_reload(agent); /* which comes back here */
		return;
	}
	if (agent->announced || !settled)
		return;
	agent->announced = true;
	log_notice(all ? "ready" : "ready, but not all parts are in force");
	notify_send(all ? "READY=1\nSTATUS=all parts are in force"
			: "READY=1\nSTATUS=some parts are not in force; see "
			  "gatehouse warnings");
}
