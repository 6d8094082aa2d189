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
#include "modules/discovery/agent/listening.h"
#include "modules/discovery/agent/logsock.h"
#include "modules/discovery/agent/recipes.h"
#include "modules/discovery/agent/reflecting.h"
#include "modules/discovery/agent/reflects.h"
#include "modules/discovery/agent/tell.h"
#include "modules/discovery/discovery_proto.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/registry/registry_proto.h"

#define NAME "discovery"
#define WORKER_FILES 1024 /* 32 interfaces, 8 protocols, 2 families; more */
#define LOG_SNAPLEN 128 /* bytes of a denied packet */
#define HEAR_SNAPLEN 1600 /* what is reflected is needed whole */

/* A bound group stays bound while a configuration in force wants it. */
struct group_socket {
	int fd;
	uint16_t group;
	bool open;
};

/* One use of NFLOG. */
static struct use {
	const char *key, *warning, *loss;
	uint16_t usual;
	uint32_t snaplen;
	struct group_socket now, next; /* in force; of the one being judged */
} log_use = {.key = "log-group",
	.warning = "discovery.log-group",
	.loss = "What devices tried is counted but not shown in the journal",
	.usual = DISCOVERY_LOG_GROUP,
	.snaplen = LOG_SNAPLEN},
  hear_use = {.key = "hear-group",
	  .warning = "discovery.hear-group",
	  .loss = "Nothing is reflected between zones",
	  .usual = DISCOVERY_HEAR_GROUP,
	  .snaplen = HEAR_SNAPLEN};

static int check_group(const char *text)
{
	uint64_t group;

	return conf_read_number(text, 0, UINT16_MAX, &group);
}

static int check_group_or_none(const char *text)
{
	return strcmp(text, "none") == 0 ? 0 : check_group(text);
}

static const struct conf_key discovery_keys[] = {
	{"log-group", check_group_or_none, "a number from 0 to 65535, or none",
		false,
		"The NFLOG group by which the kernel shows what was denied; "
		"none: the journal does not say what devices tried."},
	{"hear-group", check_group, "a number from 0 to 65535", false,
		"The NFLOG group by which is heard what is to be reflected."},
	{"listen", conf_check_bool, "yes or no", false,
		"Hear what devices say of themselves: DHCP, ARP, mDNS ..."},
	{"first-port", conf_check_port, "a port from 1 to 65535", false,
		"Local port of the first reflected protocol other than mDNS."},
};

static const struct conf_key reflect_keys[] = {
	{"from", reflects_check_ends, "zone:NAME and device:NAME", true,
		"Where the services are."},
	{"to", reflects_check_ends, "zone:NAME and device:NAME", true,
		"Who may find them."},
	{"protocol", reflects_check_protocol, "mdns, ssdp or udp/PORT", false,
		"What is spoken; mdns by default."},
	{"services", reflects_check_services,
		"service types such as _ipp._tcp _googlecast._tcp", true,
		"What may be found; everything else is not passed on."},
};

static const struct conf_schema schemas[] = {
	{"discovery", false, discovery_keys, ARRAY_SIZE(discovery_keys)},
	{"reflect", true, reflect_keys, ARRAY_SIZE(reflect_keys)},
};

/* Nobody needs to hear anything if nothing is reflected. */
static bool wants(
	const struct use *use, const struct conf *conf, uint16_t *ret_group)
{
	const char *text = conf_text(
		conf_next(conf, "discovery", NULL), use->key, NULL);
	uint64_t group = use->usual;

	if (use == &hear_use && !conf_next(conf, "reflect", NULL))
		return false;
	if (text && (strcmp(text, "none") == 0 ||
			    conf_read_number(text, 0, UINT16_MAX, &group) < 0))
		return false;
	*ret_group = (uint16_t)group;
	return true;
}

static void check(struct conf *conf)
{
	const struct conf_section *section = conf_next(conf, "discovery", NULL);
	uint16_t log, hear;

	reflects_check(conf);
	if (wants(&log_use, conf, &log) && wants(&hear_use, conf, &hear) &&
		log == hear)
		conf_complain(conf, section ? section->file : "",
			section ? section->line : 0,
			"[discovery]: log-group and hear-group are the same");
}

static void close_group(struct group_socket *group)
{
	if (group->open)
		close(group->fd);
	group->open = false;
}

/* Without the socket nothing is logged: the records would go to others. */
static const struct group_socket *open_group(
	struct state *state, struct use *use, uint16_t group)
{
	struct group_socket *next = &use->next;
	int r;

	if (use->now.open && use->now.group == group)
		return &use->now;
	if (next->open && next->group == group)
		return next;
	close_group(next);
	r = logsock_open(group, use->snaplen, &next->fd);
	if (r < 0) {
		state_warn(state, 0, RECORD_SEVERITY_WARNING, use->warning,
			"%s: NFLOG group %u cannot be had (%s).%s%s%s",
			use->loss, group, strerror(-r),
			r == -EBUSY ? " Another program has it; choose "
				      "another with "
				    : "",
			r == -EBUSY ? use->key : "",
			r == -EBUSY ? " = in [discovery]." : "");
		return NULL;
	}
	state_unwarn(state, 0, use->warning);
	next->group = group;
	next->open = true;
	return next;
}

static int tolerate_absence(int r)
{
	return r == -ENOENT ? 0 : r;
}

static int send_group(
	struct agent *agent, uint16_t type, const struct group_socket *group)
{
	struct discovery_log down = {.group = group->group};

	return tolerate_absence(
		agent_send(agent, NAME, type, &down, sizeof(down), group->fd));
}

static int configure_log(struct agent *agent, const struct conf *conf)
{
	struct isolation_log rules = {0};
	const struct group_socket *group;
	int r;

	if (!wants(&log_use, conf, &rules.group))
		return 0;
	group = open_group(agent_state(agent), &log_use, rules.group);
	if (!group)
		return 0;
	r = send_group(agent, DISCOVERY_LOG, group);
	if (r == 0)
		r = tolerate_absence(agent_send(agent, "isolation",
			ISOLATION_LOG, &rules, sizeof(rules), -1));
	return r;
}

static int configure_reflect(struct agent *agent, const struct conf *conf)
{
	const struct group_socket *group = NULL;
	uint16_t number;
	int r;

	if (wants(&hear_use, conf, &number))
		group = open_group(agent_state(agent), &hear_use, number);
	if (!group)
		return reflecting_configure_none(agent);
	r = send_group(agent, DISCOVERY_HEAR, group);
	return r < 0 ? r : reflecting_configure(agent, conf, number);
}

static int configure(struct agent *agent, const struct conf *conf)
{
	int r = configure_log(agent, conf);

	return r < 0 ? r : configure_reflect(agent, conf);
}

/* What is in force now is kept, the rest is closed. */
static void settle(
	struct state *state, struct use *use, const struct conf *conf)
{
	uint16_t group = 0;
	bool wanted = wants(use, conf, &group);

	if (!wanted)
		state_unwarn(state, 0, use->warning);
	if (use->now.open && !(wanted && use->now.group == group))
		close_group(&use->now);
	if (use->next.open && wanted && use->next.group == group) {
		use->now = use->next;
		use->next.open = false;
	}
	close_group(&use->next);
}

static void applied(struct agent *agent, const struct conf *conf)
{
	settle(agent_state(agent), &log_use, conf);
	settle(agent_state(agent), &hear_use, conf);
	if (hear_use.now.open)
		reflecting_applied(agent, conf);
	else
		reflecting_stopped(agent);
	listening_applied(agent, conf);
}

static void stopped(struct agent *agent)
{
	reflecting_stopped(agent);
	listening_stopped(agent);
}

static void tell_registry(
	struct agent *agent, const struct discovery_tried *tried)
{
	for (size_t i = 0; i < tried->n_targets && i < DISCOVERY_TARGETS; i++) {
		const struct discovery_target *target = &tried->targets[i];
		struct registry_denied denied = {.mac = tried->mac,
			.port = target->port,
			.to = target->to,
			.protocol = target->protocol,
			.count = target->records};

		registry_was_denied(agent, &denied);
	}
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
	tell_registry(owner, &out.tried);
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
	IPC_ROUTE(DISCOVERY_EVIDENCE, struct discovery_evidence,
		listening_on_evidence),
};

extern const struct module discovery_module;
const struct module discovery_module = {
	.name = NAME,
	.files = WORKER_FILES,
	.schemas = schemas,
	.n_schemas = ARRAY_SIZE(schemas),
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.expand = recipes_expand,
	.check = check,
	.configure = configure,
	.applied = applied,
	.stopped = stopped,
};
