/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps one process for each module: starts it, watches over it, starts it
 * again with back-off. Nothing that a child does ends the agent.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

#define HELLO_DEADLINE_MS 10000
#define RESTART_LEAST_MS 50
#define RESTART_MOST_MS 30000
#define LIVED_WELL_MS 1000 /* in force this long: the next end is a first */
#define STOP_PATIENCE_MS 2000
#define HEARTBEAT_MS 5000
#define PINGS_UNANSWERED 3

const char *process_state_name(enum process_state state)
{
	switch (state) {
	case PROCESS_STATE_DOWN:
		return "down";
	case PROCESS_STATE_STARTING:
		return "starting";
	case PROCESS_STATE_IDLE:
		return "idle";
	case PROCESS_STATE_COMMITTING:
		return "committing";
	case PROCESS_STATE_READY:
		return "ready";
	case PROCESS_STATE_APPLYING:
		return "applying";
	case PROCESS_STATE_RUNNING:
		return "running";
	}
	return "?";
}

void process_enter_state(struct process *process, enum process_state state)
{
	if (process->state == state)
		return;
	log_debug("%s: %s -> %s", process->module->name,
		process_state_name(process->state), process_state_name(state));
	process->state = state;
	if (state == PROCESS_STATE_RUNNING)
		process->running_since_ms = clock_ms();
}

static const char *warning_code(const struct process *process, char code[32])
{
	snprintf(code, 32, "process.%s", process->module->name);
	return code;
}

void process_warn(const struct process *process, enum record_severity severity,
	const char *why)
{
	char code[32];

	state_warn(process->agent->state, 0, severity,
		warning_code(process, code),
		"the %s part is not in force: %s; it is tried again by itself, "
		"the log says more",
		process->module->name, why);
}

void process_unwarn(const struct process *process)
{
	char code[32];

	state_unwarn(process->agent->state, 0, warning_code(process, code));
}

void supervisor_kill(struct process *process, const char *why)
{
	if (process->pid <= 0)
		return;
	log_warning("ending the %s process: %s", process->module->name, why);
	kill(process->pid, SIGKILL);
}

static void link_broken(struct ipc_link *link, int error)
{
	struct process *process = container_of(link, struct process, link);

	if (error == -ECONNRESET || error == -EPIPE)
		return; /* it ended; SIGCHLD says how */
	supervisor_kill(process, "it sent a message that makes no sense");
}

static void deadline_over(struct timer *timer)
{
	struct process *process = container_of(timer, struct process, deadline);

	supervisor_kill(process, "it did not answer in time");
}

static int start_process(struct process *process)
{
	struct agent *agent = process->agent;
	int fds[2], r;

	r = ipc_pair(fds);
	if (r < 0)
		return r;
	process->link.tables[0] = (struct ipc_table){
		transaction_routes, transaction_routes_count, process};
	process->link.tables[1] = (struct ipc_table){
		process->module->routes, process->module->n_routes, agent};
	process->link.broken = link_broken;
	r = ipc_open(&process->link, agent->loop, fds[0]);
	if (r == 0)
		r = spawn_worker(agent, process, fds[1], &process->pid);
	close(fds[1]);
	if (r < 0) {
		ipc_close(&process->link);
		return r;
	}
	process->generation = process->ping = process->pong = 0;
	process_enter_state(process, PROCESS_STATE_STARTING);
	return loop_set_timer(
		agent->loop, &process->deadline, HELLO_DEADLINE_MS);
}

static int64_t restart_delay(const struct process *process)
{
	unsigned doublings = process->failures < 10 ? process->failures : 10;
	int64_t delay = (int64_t)RESTART_LEAST_MS << doublings;

	return delay < RESTART_MOST_MS ? delay : RESTART_MOST_MS;
}

static void start_or_retry(struct process *process)
{
	int r = start_process(process);

	if (r == 0)
		return;
	log_error("cannot start the %s process: %s; trying again",
		process->module->name, strerror(-r));
	process->failures++;
	loop_set_timer(process->agent->loop, &process->restart,
		restart_delay(process));
}

static void restart_due(struct timer *timer)
{
	struct process *process = container_of(timer, struct process, restart);

	if (process->state == PROCESS_STATE_DOWN)
		start_or_retry(process);
	else if (process->state == PROCESS_STATE_IDLE)
		transaction_resend(process); /* it had refused */
}

static void describe_end(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
}

static void process_ended(struct process *process, int status)
{
	struct agent *agent = process->agent;
	bool lived_well = process->state == PROCESS_STATE_RUNNING &&
			  clock_ms() - process->running_since_ms >=
				  LIVED_WELL_MS;
	char how[64];

	process->pid = 0;
	ipc_close(&process->link);
	loop_stop_timer(agent->loop, &process->deadline);
	if (agent->stopping)
		return;
	describe_end(status, how, sizeof(how));
	process->failures = lived_well ? 0 : process->failures + 1;
	log_warning("the %s process ended (%s); starting it again",
		process->module->name, how);
	process_warn(process, RECORD_SEVERITY_WARNING, how);
	process->generation = 0;
	if (process->module->stopped)
		process->module->stopped(agent);
	transaction_lost(process);
	process_enter_state(process, PROCESS_STATE_DOWN);
	loop_set_timer(agent->loop, &process->restart, restart_delay(process));
	transaction_review(agent);
}

void supervisor_reap(struct agent *agent)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < agent->n_processes; i++) {
			if (agent->processes[i].pid == pid)
				process_ended(&agent->processes[i], status);
		}
	}
}

/* Who answers no ping hangs, and is replaced. */
static void heartbeat(struct timer *timer)
{
	struct agent *agent = container_of(timer, struct agent, heartbeat);

	for (size_t i = 0; i < agent->n_processes; i++) {
		struct process *process = &agent->processes[i];
		struct worker_ping ping;

		if (process->state != PROCESS_STATE_RUNNING)
			continue;
		if (process->ping - process->pong >= PINGS_UNANSWERED) {
			supervisor_kill(process, "it hangs");
			continue;
		}
		ping.number = ++process->ping;
		ipc_send(&process->link, WORKER_PING, &ping, sizeof(ping), -1);
	}
	loop_set_timer(agent->loop, timer, HEARTBEAT_MS);
}

int supervisor_start(struct agent *agent)
{
	for (size_t i = 0; i < agent->n_processes; i++) {
		struct process *process = &agent->processes[i];

		process->restart.fired = restart_due;
		process->deadline.fired = deadline_over;
		start_or_retry(process);
	}
	agent->heartbeat.fired = heartbeat;
	return loop_set_timer(agent->loop, &agent->heartbeat, HEARTBEAT_MS);
}

static size_t count_alive(const struct agent *agent)
{
	size_t alive = 0;

	for (size_t i = 0; i < agent->n_processes; i++)
		alive += agent->processes[i].pid > 0;
	return alive;
}

/* A worker ends by itself when its link closes. */
void supervisor_stop(struct agent *agent)
{
	int64_t until = clock_ms() + STOP_PATIENCE_MS;

	agent->stopping = true;
	for (size_t i = 0; i < agent->n_processes; i++)
		if (agent->processes[i].module->ending)
			agent->processes[i].module->ending(agent);
	for (size_t i = 0; i < agent->n_processes; i++)
		ipc_close(&agent->processes[i].link);
	while (count_alive(agent) && clock_ms() < until) {
		supervisor_reap(agent);
		poll(NULL, 0, 5);
	}
	for (size_t i = 0; i < agent->n_processes; i++)
		supervisor_kill(&agent->processes[i], "it did not stop");
}
