/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Isolation's part in the agent: what comes up from the worker goes to the
 * state, the bus and the other modules. Runs as root, so it reads nothing but
 * fixed-size messages. Its keys: agent/keys.c; what goes down: agent/wanted.c.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/isolation/agent/admins.h"
#include "modules/isolation/agent/because.h"
#include "modules/isolation/agent/honest.h"
#include "modules/isolation/agent/host.h"
#include "modules/isolation/agent/keep.h"
#include "modules/isolation/agent/keep_bound.h"
#include "modules/isolation/agent/keys.h"
#include "modules/isolation/agent/limits.h"
#include "modules/isolation/agent/observe.h"
#include "modules/isolation/agent/testers.h"
#include "modules/isolation/agent/wanted.h"
#include "modules/isolation/agent/windows.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/proxy/proxy_proto.h"
#include "modules/registry/registry_proto.h"

#define NAME "isolation"

static void applied(struct agent *agent, const struct conf *conf)
{
	observe_applied(agent_state(agent), conf);
	admins_review(agent_state(agent), conf, admins_on_link);
	keep_applied(agent);
	honest_start(agent);
	windows_applied(agent);
}

static void sent(
	struct agent *agent, uint16_t type, const void *message, size_t size)
{
	windows_heard(type);
	keep_sent(agent, type, message, size);
	keep_bound_sent(type);
}

static void stopped(struct agent *agent)
{
	(void)agent;
	keep_stopped();
	keep_bound_stopped();
}

static void tell_registry(
	struct agent *agent, const struct isolation_seen *seen)
{
	const struct conf_section *zone = observe_zone(
		agent_conf(agent), seen->zone);
	struct registry_seen out = {.mac = seen->mac, .ip = seen->ip};

	observe_seen(agent_state(agent), agent_conf(agent), seen);
	memcpy(out.interface, seen->interface, sizeof(out.interface));
	snprintf(out.zone, sizeof(out.zone), "%s", zone ? zone->name : "");
	registry_saw(agent, &out);
}

static int on_seen(void *owner, const void *message, int fd)
{
	const struct isolation_seen *seen = message;

	(void)fd;
	if (!seen->zone || seen->interface[sizeof(seen->interface) - 1])
		return -EINVAL;
	if (testers_seen(seen))
		observe_forget_stranger(agent_state(owner), &seen->mac);
	else
		tell_registry(owner, seen);
	return 0;
}

static int on_is(void *owner, const void *message, int fd)
{
	const struct isolation_who *is = message;
	struct proxy_who answer = {
		.cookie = is->cookie, .ip = is->ip, .device = is->device};

	(void)fd;
	agent_send(owner, "proxy", PROXY_IS, &answer, sizeof(answer), -1);
	return 0;
}

static int on_attempt(void *owner, const void *message, int fd)
{
	const struct isolation_attempt *a = message;
	const struct record_device *known = state_device_by_mac(
		agent_state(owner), &a->mac);
	struct bus_attempt out = {.cookie = a->cookie,
		.packets = a->packets,
		.to = a->to,
		.mac = a->mac,
		.device = known ? known->id : 0,
		.port = a->port,
		.protocol = a->protocol,
		.observed = a->observed};

	(void)fd;
	agent_send(owner, "bus", BUS_ATTEMPT, &out, sizeof(out), -1);
	return 0;
}

static int on_attempts_end(void *owner, const void *message, int fd)
{
	const struct isolation_cookie *end = message;
	struct bus_attempts_end out = {.cookie = end->cookie};

	(void)fd;
	agent_send(owner, "bus", BUS_ATTEMPTS_END, &out, sizeof(out), -1);
	return 0;
}

static int on_because(void *owner, const void *message, int fd)
{
	struct bus_because words;

	(void)fd;
	because_explain(agent_conf(owner), message, &words);
	agent_send(owner, "bus", BUS_BECAUSE, &words, sizeof(words), -1);
	return 0;
}

static int on_counters(void *owner, const void *message, int fd)
{
	(void)fd;
	observe_counters(agent_state(owner), message);
	return 0;
}

static int on_tally(void *owner, const void *message, int fd)
{
	(void)fd;
	observe_tally(agent_state(owner), message);
	return 0;
}

static int on_rules(void *owner, const void *message, int fd)
{
	(void)fd;
	observe_rules(agent_state(owner), message);
	return 0;
}

static int on_link(void *owner, const void *message, int fd)
{
	const struct isolation_link *link = message;

	(void)fd;
	if (link->interface[sizeof(link->interface) - 1])
		return -EINVAL;
	observe_link(agent_state(owner), link);
	return 0;
}

static int on_port(void *owner, const void *message, int fd)
{
	(void)fd;
	return keep_port(owner, message);
}

static int on_gateway(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return keep_gateway(message);
}

static int on_spoof(void *owner, const void *message, int fd)
{
	(void)fd;
	if (!testers_has(&((const struct isolation_spoof *)message)->mac))
		observe_spoof(agent_state(owner), message);
	return 0;
}

static int on_over(void *owner, const void *message, int fd)
{
	(void)fd;
	limits_over(owner, message);
	return 0;
}

static int on_apart(void *owner, const void *message, int fd)
{
	(void)fd;
	return host_apart(owner, message);
}

static int on_standin(void *owner, const void *message, int fd)
{
	(void)fd;
	return host_standin(owner, message);
}

static int on_bound(void *owner, const void *message, int fd)
{
	const struct isolation_bound *bound = message;

	(void)fd;
	if (bound->news)
		observe_bound(agent_state(owner), bound);
	return keep_bound(owner, bound);
}

static int on_collision(void *owner, const void *message, int fd)
{
	const struct isolation_collision *c = message;

	(void)fd;
	if (c->table[sizeof(c->table) - 1] || c->chain[sizeof(c->chain) - 1])
		return -EINVAL;
	observe_collision(agent_state(owner), c);
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(
		ISOLATION_COLLISION, struct isolation_collision, on_collision),
	IPC_ROUTE(ISOLATION_SEEN, struct isolation_seen, on_seen),
	IPC_ROUTE(ISOLATION_IS, struct isolation_who, on_is),
	IPC_ROUTE(ISOLATION_ATTEMPT, struct isolation_attempt, on_attempt),
	IPC_ROUTE(ISOLATION_ATTEMPTS_END, struct isolation_cookie,
		on_attempts_end),
	IPC_ROUTE(ISOLATION_BECAUSE, struct isolation_because, on_because),
	IPC_ROUTE(ISOLATION_COUNTERS, struct isolation_counters, on_counters),
	IPC_ROUTE(ISOLATION_TALLY, struct isolation_tally, on_tally),
	IPC_ROUTE(ISOLATION_RULES, struct isolation_rules, on_rules),
	IPC_ROUTE(ISOLATION_LINK, struct isolation_link, on_link),
	IPC_ROUTE(ISOLATION_PORT, struct isolation_port, on_port),
	IPC_ROUTE(ISOLATION_GATEWAY, struct isolation_address, on_gateway),
	IPC_ROUTE(ISOLATION_SPOOF, struct isolation_spoof, on_spoof),
	IPC_ROUTE(ISOLATION_OVER, struct isolation_over, on_over),
	IPC_ROUTE(ISOLATION_APART, struct isolation_apart, on_apart),
	IPC_ROUTE(ISOLATION_BOUND, struct isolation_bound, on_bound),
	IPC_ROUTE(ISOLATION_STANDIN, struct isolation_standin, on_standin),
};

extern const struct module isolation_module;
const struct module isolation_module = {
	.name = NAME,
	.capabilities = 1ull << CAP_NET_ADMIN,
	.files = 32,
	.first = true,
	.schemas = keys_schemas,
	.n_schemas = KEYS_SCHEMAS,
	.check = keys_check,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.configure = wanted_send,
	.sent = sent,
	.applied = applied,
	.stopped = stopped,
	.ending = keep_bound_ending,
};
