/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract between the agent and a capability. Each module's module.c
 * fills a struct module; it runs inside the agent, so it reads nothing but
 * the checked configuration and fixed-size messages of its own worker.
 */
#ifndef GATEHOUSE_MODULE_H
#define GATEHOUSE_MODULE_H

#include "agent/lib/conf.h"
#include "agent/lib/ipc.h"
#include "agent/lib/state.h"

struct agent;

struct module {
	const char *name; /* "isolation"; its user is gatehouse-<name> */
	uint64_t capabilities; /* 1 << CAP_..., granted to the worker */
	unsigned files; /* RLIMIT_NOFILE of the worker */
	/*
	 * Its effects must be in force before any other worker's: it is asked
	 * to apply first, and its refusal keeps everybody's old state.
	 */
	bool first;
	/*
	 * The worker may make files in a folder of its own, which becomes its
	 * root: <state>/<name>. Else it has an empty one.
	 */
	bool folder;

	const struct conf_schema *schemas; /* its sections and keys */
	size_t n_schemas;
	/* Puts lines in the place of others, before anybody checks. */
	void (*expand)(struct conf *conf);
	/* Cross-checks between sections; conf_complain() for each problem. */
	void (*check)(struct conf *conf);
	/*
	 * Adds what is decided outside the files to a configuration that has
	 * been checked: once for each that is to be put in force. What it adds
	 * is not written to any file of a configuration. False: nothing.
	 */
	bool (*overlay)(struct agent *agent, struct conf *conf);
	/*
	 * Until this is false nobody gets a configuration, for a few seconds
	 * at most: the module does not know yet what to add. See
	 * agent_release().
	 */
	bool (*holds)(void);

	const struct ipc_route *routes; /* up from the worker; owner: agent */
	size_t n_routes;
	/* The worker's sandbox is closed: grant it its descriptors. */
	int (*started)(struct agent *agent);
	/* Send the whole wanted state (between BEGIN and COMMIT). */
	int (*configure)(struct agent *agent, const struct conf *conf);
	/*
	 * A configuration on its way to the worker: BEGIN, the items of all
	 * modules, COMMIT; ABORT if it was given up.
	 */
	void (*sent)(struct agent *agent, uint16_t type, const void *message,
		size_t size);
	/* The wanted state is in force everywhere. */
	void (*applied)(struct agent *agent, const struct conf *conf);
	/* The worker is gone and will be started again. */
	void (*stopped)(struct agent *agent);
	/* The daemon ends; the workers still live. */
	void (*ending)(struct agent *agent);
};

/* What a module may ask of the agent. */
struct loop *agent_loop(struct agent *agent);
struct state *agent_state(struct agent *agent);
/* The configuration in force; during configure() the one that is wanted. */
const struct conf *agent_conf(struct agent *agent);
/* The id of a [device] section: from 1, the same for its MAC over reloads. */
uint32_t agent_device_id(
	const struct conf *conf, const struct conf_section *device);
/*
 * observe or enforce, the nearest that is given: device, zone, gateway.
 * Either section may be NULL. A device without a mode of its own follows the
 * zone that it is seen in.
 */
enum record_mode agent_mode(const struct conf *conf,
	const struct conf_section *zone, const struct conf_section *device);
/* Sends to a module's worker. -ENOENT: not built or not running. */
int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd);
/* Reloads the configuration; the outcome goes to done() once, if given. */
void agent_reload(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg);
/*
 * The same for a trial: unless agent_confirm() is called within so many
 * seconds, what is in force now returns. -EBUSY while another begins.
 */
void agent_try(struct agent *agent, uint32_t seconds,
	void (*done)(void *arg, int error, const char *report), void *arg);
/* What is on trial stays. -EINVAL: nothing is; -EBUSY; -errno. */
_must_check_ int agent_confirm(struct agent *agent);
/*
 * What is in force is on trial, or made open by safe mode: nothing of it may
 * be kept for the next start.
 * applied() is called again when it was confirmed.
 */
bool agent_on_trial(struct agent *agent);
/*
 * Sends the configuration in force once more to all, as soon as nothing else
 * is under way: what a module makes of it has changed, not the files.
 */
void agent_refresh(struct agent *agent);
/* The same; the outcome goes to done() once, if given. */
void agent_refresh_then(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg);
/* holds() of a module is false from now on. */
void agent_release(struct agent *agent);
/* Numeric user and group of a worker ("bus"); -ENOENT. */
_must_check_ int agent_user(struct agent *agent, const char *module,
	uid_t *ret_uid, gid_t *ret_gid);
/* Folders: workers' executables, persistent state, run time. */
const char *agent_libexec_dir(struct agent *agent);
const char *agent_state_dir(struct agent *agent);
const char *agent_run_dir(struct agent *agent);
/* The socket of the system bus. */
const char *agent_bus_path(struct agent *agent);

#endif
