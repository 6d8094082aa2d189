/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings configuration into workers. One worker at a time when it starts;
 * all together on a reload: everybody judges, then those whose effects must
 * come first apply, then the rest. Until then the old configuration is in
 * force, and any refusal keeps it. What is sent: transaction_steps.c, what is
 * answered: transaction_answers.c.
 */
#include "agent/transaction_priv.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

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
		conf_free(transaction->files);
		conf_free(transaction->wanted);
	}
	transaction->files = transaction->wanted = NULL;
	tell_askers(&transaction->askers, error, report);
	tell_askers(&transaction->refreshers, error, report);
	transaction_review(agent);
}

void transaction_fail(struct agent *agent, int error, const char *report)
{
	for (size_t i = 0; i < agent->n_processes; i++) {
		if (transaction_awaits(&agent->processes[i]))
			transaction_abort(&agent->processes[i],
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
		confirm_in_force(agent, transaction->files);
		conf_free(agent->files);
		agent->files = transaction->files;
	}
	conf_free(agent->conf);
	agent->conf = transaction->wanted;
	agent->generation = transaction->generation;
	devices_publish(agent);
	config_leave(agent);
	transaction_tell_applied(agent);
	log_notice("configuration %llu is in force",
		(unsigned long long)agent->generation);
	finish(agent, 0, "");
}

void transaction_advance(struct agent *agent)
{
	if (transaction_count(agent, PROCESS_STATE_COMMITTING, false))
		return;
	transaction_send_apply(agent, true);
	if (transaction_count(agent, PROCESS_STATE_APPLYING, true))
		return;
	agent->transaction.applying = true;
	transaction_send_apply(agent, false);
	if (transaction_count(agent, PROCESS_STATE_APPLYING, false) == 0)
		succeed(agent);
}

void transaction_resend(struct process *process)
{
	struct agent *agent = process->agent;
	int r;

	if (agent->transaction.active)
		return; /* its end looks after everybody */
	if (hold_active(agent) && !process->module->holds)
		return; /* and so does the end of that */
	process->in_step = true;
	r = transaction_send(agent, agent->conf, agent->generation);
	if (r < 0)
		supervisor_kill(process, strerror(-r));
}

void transaction_lost(struct process *process)
{
	struct agent *agent = process->agent;
	char report[128];

	if (!agent->transaction.active || !transaction_awaits(process))
		return;
	process_enter_state(process, PROCESS_STATE_DOWN);
	if (agent->transaction.applying) {
		transaction_advance(agent);
		return;
	}
	snprintf(report, sizeof(report),
		"the %s process ended while judging it", process->module->name);
	transaction_fail(agent, -EIO, report);
}

/* A worker that is starting takes part later, in a step of its own. */
static bool takes_part(const struct process *process)
{
	return process->state == PROCESS_STATE_RUNNING ||
	       process->state == PROCESS_STATE_IDLE;
}

static bool somebody_busy(const struct agent *agent)
{
	if (agent->transaction.active || hold_active(agent))
		return true;
	for (size_t i = 0; i < agent->n_processes; i++) {
		if (transaction_awaits(&agent->processes[i]))
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
	if (transaction->again)
		return config_overlay(
			agent, agent->files, &transaction->wanted);
	r = config_load(confirm_source(agent), &transaction->files);
	return r < 0 ? r
		     : config_overlay(
			       agent, transaction->files, &transaction->wanted);
}

/* Why load_wanted() failed. */
static void report_wanted(
	const struct transaction *transaction, char *report, size_t size)
{
	config_report(transaction->wanted, report, size);
	if (!report[0])
		config_report(transaction->files, report, size);
}

static void begin_reload(struct agent *agent)
{
	struct transaction *transaction = &agent->transaction;
	char report[1024];
	int r;

	move_askers(&agent->askers, &transaction->askers);
	move_askers(&agent->refreshers, &transaction->refreshers);
	transaction->active = true;
	transaction->generation = ++agent->last_generation;
	transaction->returns = agent->confirm.state == CONFIRM_STATE_RETURNING;
	r = load_wanted(agent);
	if (r < 0) {
		report_wanted(transaction, report, sizeof(report));
		finish(agent, r, report[0] ? report : strerror(-r));
		return;
	}
	for (size_t i = 0; i < agent->n_processes; i++)
		agent->processes[i].in_step = takes_part(&agent->processes[i]);
	r = transaction_send(
		agent, transaction->wanted, transaction->generation);
	if (r < 0)
		transaction_fail(agent, r, strerror(-r));
	else
		transaction_advance(agent);
}

static int add_asker(struct list *askers,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return -ENOMEM;
	asker->done = done;
	asker->arg = arg;
	list_append(askers, &asker->link);
	return 0;
}

int transaction_reload(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	int r = add_asker(&agent->askers, done, arg);

	if (r == 0 && !somebody_busy(agent))
		begin_reload(agent);
	return r;
}

int transaction_refresh(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	int r = done ? add_asker(&agent->refreshers, done, arg) : 0;

	if (r < 0)
		return r;
	agent->refresh = true;
	if (!somebody_busy(agent))
		begin_reload(agent);
	return 0;
}

void transaction_init(struct agent *agent)
{
	list_init(&agent->askers);
	list_init(&agent->refreshers);
	list_init(&agent->transaction.askers);
	list_init(&agent->transaction.refreshers);
}

/* Nobody is told that the daemon stops; they see it. */
void transaction_free(struct agent *agent)
{
	struct list *lists[] = {&agent->askers, &agent->refreshers,
		&agent->transaction.askers, &agent->transaction.refreshers};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		list_for_each_safe(it, lists[i])
			free(container_of(it, struct asker, link));
	}
	conf_free(agent->transaction.files);
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
