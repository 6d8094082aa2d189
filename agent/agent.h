/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's own parts: what main, supervisor, transaction and broker share.
 * Nothing of this is seen by a module; its side is agent/lib/module.h.
 */
#ifndef GATEHOUSE_AGENT_H
#define GATEHOUSE_AGENT_H

#include <sys/types.h>

#include "agent/confirm.h"
#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "agent/lib/worker.h"

#define AGENT_MODULES_MAX 16

struct agent_options {
	const char *config;
	const char *workers; /* folder of the workers' executables */
	const char *state, *run;
	const char *bus;
	const char *boot; /* NULL: where the boot partition is mounted */
	uid_t uids; /* 0: users by name, else numeric from here */
	bool foreground;
};

/* What the command line asks for. */
struct options_start {
	struct agent_options options;
	bool check, json, print;
};

enum process_state {
	PROCESS_STATE_DOWN, /* waits for its restart timer */
	PROCESS_STATE_STARTING, /* no HELLO yet */
	PROCESS_STATE_IDLE, /* has no configuration yet */
	PROCESS_STATE_COMMITTING, /* asked for its verdict */
	PROCESS_STATE_READY, /* said yes, waits for APPLY */
	PROCESS_STATE_APPLYING,
	PROCESS_STATE_RUNNING, /* generation is in force */
};

/* One worker process, or its absence. */
struct process {
	struct agent *agent;
	const struct module *module;
	enum process_state state;
	pid_t pid; /* 0: none */
	uid_t uid;
	gid_t gid;
	struct ipc_link link;
	struct timer restart; /* also: retry of a refused configuration */
	struct timer deadline; /* of the answer that is waited for */
	uint64_t generation; /* in force; 0 = none */
	uint32_t begun; /* link.sent at BEGIN */
	bool in_step; /* takes part in what is being sent now */
	unsigned failures; /* quick ones in a row */
	int64_t running_since_ms;
	uint64_t ping, pong;
	char refusal[WORKER_REASON];
};

/* One reload; the configuration in force stays until it has succeeded. */
struct transaction {
	bool active;
	bool applying; /* past the point of return */
	bool returns; /* to what was confirmed last */
	bool again; /* the files are those in force already */
	struct conf *files; /* what they say; NULL: the same as before */
	struct conf *wanted; /* and what was decided outside them */
	uint64_t generation;
	struct list askers, refreshers; /* who is told the outcome */
};

struct agent {
	struct agent_options options;
	struct loop *loop;
	struct state *state;
	struct conf *files; /* what the files of conf say */
	struct conf *conf; /* in force */
	uint64_t generation; /* of conf */
	uint64_t last_generation; /* given to any conf */
	struct process processes[AGENT_MODULES_MAX];
	size_t n_processes;
	struct transaction transaction;
	bool sending; /* a configuration, to those in_step only */
	struct list askers; /* of the next reload */
	bool refresh; /* the configuration in force is to be sent again */
	struct list refreshers; /* who waits for that */
	struct timer hold; /* runs: nobody gets a configuration yet */
	bool announced; /* READY was said */
	bool stopping;
	struct timer heartbeat;
	struct numbers *numbers; /* MAC -> id */
	struct confirm confirm;
	bool safe_mode; /* nothing is enforced, whatever is configured */
	char *confirmed; /* path of what was confirmed last */
};

/*
 * options.c: 0 = go on, 1 = all is said, negative = a mistake was explained.
 * What is not given stays as it is in start.
 */
_must_check_ int options_read(
	int argc, char **argv, struct options_start *start);

/* modules.c */
extern const struct module *const agent_modules[];
extern const size_t agent_modules_count;

/* config.c: the core keys and everything that reads a configuration. */
_must_check_ int config_load(const char *file, struct conf **ret_conf);
/*
 * A configuration to be put in force: what the files say, and what modules
 * add to that. -EINVAL: they do not go together, see *ret_conf; -ENOMEM.
 */
_must_check_ int config_overlay(
	struct agent *agent, const struct conf *files, struct conf **ret_conf);
enum log_level config_log_level(const struct conf *conf);
/* config_check.c: complains about what is missing or claimed twice. */
void config_check(struct conf *conf);
/* Prints the problems to stdout as text or JSON. */
void config_print(const struct conf *conf, const char *file, bool json);
/*
 * Leaves what is in force in the run folder, for people who compare; a
 * failure is logged.
 */
void config_leave(const struct agent *agent);
/* All problems in one text, for a log or a caller on the bus. */
void config_report(const struct conf *conf, char *report, size_t size);

/* devices.c: from the configuration to records. */
_must_check_ int devices_number(struct conf *conf, struct numbers **numbers);
struct numbers *devices_free_numbers(struct numbers *numbers);
/* From now on all are only observed. */
void devices_enter_safe_mode(struct agent *agent);
/* Makes the state's devices and modes those of the configuration. */
void devices_publish(struct agent *agent);

/* supervisor.c: processes. */
_must_check_ int supervisor_start(struct agent *agent);
/* Reaps; called on SIGCHLD. */
void supervisor_reap(struct agent *agent);
void supervisor_kill(struct process *process, const char *why);
/* Closes all links, waits, kills what stays. */
void supervisor_stop(struct agent *agent);
const char *process_state_name(enum process_state state);
void process_enter_state(struct process *process, enum process_state state);
/* The part of this process is not in force, or is again. */
void process_warn(const struct process *process, enum record_severity severity,
	const char *why);
void process_unwarn(const struct process *process);

/* spawn.c: everything between fork() and exec(). */
_must_check_ int spawn_worker(const struct agent *agent,
	const struct process *process, int link_fd, pid_t *ret_pid);
_must_check_ int spawn_reduce_agent(void);

/* transaction.c: configuration into workers. */
extern const struct ipc_route transaction_routes[];
extern const size_t transaction_routes_count;
/* A worker said HELLO or became free: bring it up to date. */
void transaction_resend(struct process *process);
/* The process is gone. */
void transaction_lost(struct process *process);
void transaction_init(struct agent *agent);
void transaction_free(struct agent *agent);
/* Now, or after what is under way; done is called once. -ENOMEM. */
_must_check_ int transaction_reload(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg);
/* What is in force is so, or lasting, from now on: each module hears it. */
void transaction_tell_applied(struct agent *agent);
/*
 * What is in force once more, now or after what is under way. done may be
 * NULL and is called once. -ENOMEM.
 */
_must_check_ int transaction_refresh(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg);
/* Says READY and keeps the gateway's record right. */
void transaction_review(struct agent *agent);

/* hold.c: the first configuration waits for what modules have to add. */
_must_check_ int hold_start(struct agent *agent);
bool hold_active(const struct agent *agent);

/* notify.c: sd_notify's protocol over its socket. */
void notify_send(const char *message);
/* Milliseconds between the watchdog's signs of life; 0 = none wanted. */
int64_t notify_watchdog_ms(void);

#endif
