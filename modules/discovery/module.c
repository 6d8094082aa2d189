/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Discovery's part in the agent: its keys, the sockets that its worker may
 * not open, and what the worker found out. Runs as root, so it reads nothing
 * but checked configuration and fixed-size messages.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/discovery/agent/logsock.h"
#include "modules/discovery/agent/tell.h"
#include "modules/discovery/discovery_proto.h"
#include "modules/isolation/isolation_proto.h"

#define NAME "discovery"
#define WORKER_FILES 64

/* A bound group stays bound while a configuration in force wants it. */
struct log_socket {
	int fd;
	uint16_t group;
	bool open;
};

static struct {
	struct log_socket log, next; /* in force; of the one being judged */
} self;

static int check_group(const char *text)
{
	uint64_t group;

	return strcmp(text, "none") == 0
		       ? 0
		       : conf_read_number(text, 0, UINT16_MAX, &group);
}

static const struct conf_key discovery_keys[] = {
	{"log-group", check_group, "a number from 0 to 65535, or none", false,
		"The NFLOG group by which the kernel shows what was denied; "
		"none: the journal does not say what devices tried."},
};

static const struct conf_schema schemas[] = {
	{"discovery", false, discovery_keys, ARRAY_SIZE(discovery_keys)},
};

static bool wants_log(const struct conf *conf, uint16_t *ret_group)
{
	const char *text = conf_text(
		conf_next(conf, "discovery", NULL), "log-group", NULL);
	uint64_t group = DISCOVERY_LOG_GROUP;

	if (text && (strcmp(text, "none") == 0 ||
			    conf_read_number(text, 0, UINT16_MAX, &group) < 0))
		return false;
	*ret_group = (uint16_t)group;
	return true;
}

static void close_log(struct log_socket *log)
{
	if (log->open)
		close(log->fd);
	log->open = false;
}

/* Without the socket nothing is logged: the records would go to others. */
static const struct log_socket *open_log(struct state *state, uint16_t group)
{
	struct log_socket *next = &self.next;
	int r;

	if (self.log.open && self.log.group == group)
		return &self.log;
	if (next->open && next->group == group)
		return next;
	close_log(next);
	r = logsock_open(group, &next->fd);
	if (r < 0) {
		state_warn(state, 0, RECORD_SEVERITY_WARNING,
			"discovery.log-group",
			"What devices tried is counted but not shown in the "
			"journal: NFLOG group %u cannot be had (%s).%s",
			group, strerror(-r),
			r == -EBUSY ? " Another program has it; choose "
				      "another with log-group = in "
				      "[discovery]."
				    : "");
		return NULL;
	}
	state_unwarn(state, 0, "discovery.log-group");
	next->group = group;
	next->open = true;
	return next;
}

static int tolerate_absence(int r)
{
	return r == -ENOENT ? 0 : r;
}

static int configure_log(struct agent *agent, const struct conf *conf)
{
	struct isolation_log rules = {0};
	struct discovery_log down = {0};
	const struct log_socket *log;
	int r;

	if (!wants_log(conf, &rules.group))
		return 0;
	log = open_log(agent_state(agent), rules.group);
	if (!log)
		return 0;
	down.group = rules.group;
	r = tolerate_absence(agent_send(
		agent, NAME, DISCOVERY_LOG, &down, sizeof(down), log->fd));
	if (r == 0)
		r = tolerate_absence(agent_send(agent, "isolation",
			ISOLATION_LOG, &rules, sizeof(rules), -1));
	return r;
}

static int configure(struct agent *agent, const struct conf *conf)
{
	return configure_log(agent, conf);
}

static void applied(struct agent *agent, const struct conf *conf)
{
	uint16_t group = 0;
	bool wanted = wants_log(conf, &group);

	if (!wanted)
		state_unwarn(agent_state(agent), 0, "discovery.log-group");
	if (self.log.open && !(wanted && self.log.group == group))
		close_log(&self.log);
	if (self.next.open && wanted && self.next.group == group) {
		self.log = self.next;
		self.next.open = false;
	}
	close_log(&self.next);
}

static int on_tried(void *owner, const void *message, int fd)
{
	struct bus_tried out = {
		.tried = *(const struct discovery_tried *)message};
	const struct record_device *known;

	(void)fd;
	if (!tell_sane(&out.tried))
		return -EPROTO;
	tell_tried(agent_state(owner), &out.tried);
	known = state_device_by_mac(agent_state(owner), &out.tried.mac);
	out.device = known ? known->id : 0;
	agent_send(owner, "bus", BUS_TRIED, &out, sizeof(out), -1);
	return 0;
}

static int on_lost(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	tell_lost(message);
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(DISCOVERY_TRIED, struct discovery_tried, on_tried),
	IPC_ROUTE(DISCOVERY_LOST, struct discovery_lost, on_lost),
};

extern const struct module discovery_module;
const struct module discovery_module = {
	.name = NAME,
	.files = WORKER_FILES,
	.schemas = schemas,
	.n_schemas = ARRAY_SIZE(schemas),
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.configure = configure,
	.applied = applied,
};
