/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules' decision once more, in the order of the rules (ruleset_rules.c,
 * ruleset_input.c). Touches memory only; must never say of something that it
 * is allowed which the rules would deny.
 */
#include "modules/isolation/why.h"

#include <string.h>

static bool is_icmp(const struct flow *flow)
{
	return flow->protocol == IPPROTO_ICMP ||
	       flow->protocol == IPPROTO_ICMPV6;
}

static void decide(struct isolation_because *because,
	enum isolation_reason reason, bool allowed)
{
	because->reason = (uint8_t)reason;
	because->allowed = allowed;
}

static void decide_line(struct isolation_because *because,
	const struct isolation_allow *line, enum isolation_reason reason)
{
	because->line = *line;
	because->has_line = 1;
	decide(because, reason, reason == ISOLATION_REASON_LINE);
}

static const struct isolation_redirect *find_redirect(
	const struct policy *policy, uint32_t device, const struct flow *flow)
{
	if (flow->protocol != IPPROTO_TCP)
		return NULL;
	policy_each(struct isolation_redirect, r, &policy->redirects)
		if (r->device == device && r->port == flow->port)
			return r;
	return NULL;
}

/* A line that says where to; those with "any" mean the world outside. */
static const struct isolation_allow *named_line(
	const struct policy *policy, uint32_t device, const struct flow *flow)
{
	struct policy_array lines = flows_lines(policy, device);

	policy_each(struct isolation_allow, a, &lines)
		if (a->to.family && flows_line_allows(a, flow))
			return a;
	return NULL;
}

static void decide_named(const struct policy *policy, const struct flow *flow,
	enum isolation_reason otherwise, struct isolation_because *because)
{
	const struct isolation_allow *line = named_line(
		policy, because->device, flow);

	if (line) {
		decide_line(because, line, ISOLATION_REASON_LINE);
		return;
	}
	line = flows_line(policy, because->device, flow);
	if (line)
		decide_line(because, line, otherwise);
	else
		decide(because, ISOLATION_REASON_NO_LINE, false);
}

/* DHCP, for all; what is multicast housekeeping is nobody's question. */
static bool is_housekeeping(const struct flow *flow)
{
	return flow->protocol == IPPROTO_UDP &&
	       (flow->port == 67 || flow->port == 547);
}

static bool decide_pass(const struct policy *policy, const struct why_way *way,
	const struct flow *flow, struct isolation_because *because)
{
	const struct flow_ends ends = {.device = because->device,
		.from_zone = way->moved ? 0 : way->from_zone,
		.to_zone = way->place == WHY_PLACE_DEVICES && !way->to_moved
				   ? way->to_zone
				   : 0,
		.gateway = way->place == WHY_PLACE_GATEWAY};
	const struct isolation_pass *pass = flows_pass(policy, &ends, flow);

	if (!pass)
		return false;
	because->pass = *pass;
	because->has_pass = 1;
	if (pass->to_device)
		because->to_device = pass->to_device;
	decide(because, ISOLATION_REASON_PASS, true);
	return true;
}

/* What the zone lets strangers do, and in zones of guests everybody. */
static bool decide_zone(const struct policy *policy, const struct why_way *way,
	const struct flow *flow, struct isolation_because *because)
{
	if (way->strangers != ISOLATION_STRANGERS_ALLOW ||
		(because->device && (!way->guest || way->moved)))
		return false;
	if (flows_is_dns(flow) && flows_is_name_server(policy, &flow->to)) {
		decide(because, ISOLATION_REASON_NAME_SERVER, true);
		return true;
	}
	policy_each(struct isolation_allow, a, &policy->zone_allows) {
		if (a->device != way->from_zone || !flows_line_allows(a, flow))
			continue;
		/* "any" is the world outside. */
		if (!a->to.family && way->place != WHY_PLACE_OUTSIDE)
			continue;
		decide_line(because, a, ISOLATION_REASON_LINE);
		because->reason = ISOLATION_REASON_ZONE_LINE;
		return true;
	}
	return false;
}

static void decide_dns(const struct policy *policy, const struct flow *flow,
	struct isolation_because *because)
{
	bool yes = flows_is_name_server(policy, &flow->to);

	decide(because,
		yes ? ISOLATION_REASON_NAME_SERVER
		    : ISOLATION_REASON_NOT_NAME_SERVER,
		yes);
}

/* Another device: lines with addresses do not count. */
static void decide_neighbour(const struct policy *policy,
	const struct why_way *way, const struct flow *flow,
	struct isolation_because *because)
{
	because->same_link = way->same_link;
	because->there_enforced = way->there_enforced;
	if (flows_is_dns(flow))
		decide_dns(policy, flow, because);
	else if (!decide_pass(policy, way, flow, because))
		decide(because, ISOLATION_REASON_NEIGHBOUR, false);
}

/* Who is blocked does not even get an address. */
static bool is_service(const struct why_way *way, const struct flow *flow,
	const struct isolation_because *because)
{
	if (because->device)
		return is_housekeeping(flow) || is_icmp(flow);
	if (way->strangers == ISOLATION_STRANGERS_BLOCK)
		return false;
	return is_housekeeping(flow) ||
	       (way->strangers == ISOLATION_STRANGERS_ALLOW && is_icmp(flow));
}

static void decide_stranger_here(const struct policy *policy,
	const struct why_way *way, const struct flow *flow,
	struct isolation_because *because)
{
	if (way->strangers != ISOLATION_STRANGERS_ALLOW)
		decide(because, ISOLATION_REASON_STRANGER, false);
	else if (flows_is_dns(flow))
		decide_dns(policy, flow, because);
	else if (!decide_pass(policy, way, flow, because))
		decide(because, ISOLATION_REASON_STRANGER, false);
}

static void decide_gateway(const struct policy *policy,
	const struct why_way *way, const struct flow *flow,
	struct isolation_because *because)
{
	if (way->admin)
		decide(because, ISOLATION_REASON_ADMIN, true);
	else if (is_service(way, flow, because))
		decide(because, ISOLATION_REASON_SERVICE, true);
	else if (!because->device)
		decide_stranger_here(policy, way, flow, because);
	else if (flows_is_dns(flow))
		decide_dns(policy, flow, because);
	else if (because->mode == RECORD_MODE_ENFORCE &&
		 find_redirect(policy, because->device, flow))
		decide(because, ISOLATION_REASON_UPGRADED, false);
	else if (!decide_pass(policy, way, flow, because))
		decide_named(policy, flow, ISOLATION_REASON_GATEWAY, because);
}

static void decide_outside(const struct policy *policy,
	const struct why_way *way, const struct flow *flow,
	struct isolation_because *because)
{
	const struct isolation_redirect *redirect = find_redirect(
		policy, because->device, flow);
	const struct isolation_allow *line = flows_line(
		policy, because->device, flow);

	if (flows_is_dns(flow))
		decide_dns(policy, flow, because);
	else if (line)
		decide_line(because, line, ISOLATION_REASON_LINE);
	else if (way->learned)
		decide(because, ISOLATION_REASON_LEARNED, true);
	else
		decide(because, ISOLATION_REASON_NO_LINE, false);
	if (because->allowed && redirect &&
		because->mode == RECORD_MODE_ENFORCE)
		because->upgraded = redirect->to_port;
}

static void decide_known(const struct policy *policy, const struct why_way *way,
	const struct flow *flow, struct isolation_because *because)
{
	switch (way->place) {
	case WHY_PLACE_GATEWAY:
		decide_gateway(policy, way, flow, because);
		return;
	case WHY_PLACE_DEVICES:
		decide_neighbour(policy, way, flow, because);
		return;
	case WHY_PLACE_OWNER:
		if (flows_is_dns(flow))
			decide_outside(policy, way, flow, because);
		else
			decide_named(
				policy, flow, ISOLATION_REASON_OWNER, because);
		return;
	case WHY_PLACE_OUTSIDE:
		decide_outside(policy, way, flow, because);
		return;
	case WHY_PLACE_NOWHERE:
		decide(because, ISOLATION_REASON_NO_ROUTE, false);
		return;
	}
}

void why_decide(const struct policy *policy, const struct why_way *way,
	const struct mac *mac, const struct flow *flow,
	struct isolation_because *ret_because)
{
	const struct isolation_device *device = policy_device_by_mac(
		policy, mac);
	const struct isolation_pin *pin = policy_pin(policy, &flow->to);
	struct isolation_because because = {
		.to = flow->to, .port = flow->port, .protocol = flow->protocol};

	because.device = device ? device->id : 0;
	because.to_device = pin ? pin->device : 0;
	because.mode = device && device->mode ? device->mode : way->zone_mode;
	if (!because.mode)
		because.mode = RECORD_MODE_ENFORCE;
	if (device || way->place == WHY_PLACE_GATEWAY)
		decide_known(policy, way, flow, &because);
	else if (way->place == WHY_PLACE_DEVICES &&
		 way->strangers == ISOLATION_STRANGERS_ALLOW)
		decide_neighbour(policy, way, flow, &because);
	else
		decide(&because, ISOLATION_REASON_STRANGER, false);
	if (!because.allowed && (way->place == WHY_PLACE_OUTSIDE ||
					way->place == WHY_PLACE_OWNER))
		(void)decide_zone(policy, way, flow, &because);
	because.cookie = ret_because->cookie;
	because.kernel = ret_because->kernel;
	*ret_because = because;
}

void why_follow(const struct policy *policy, const struct why_way *way,
	uint32_t to_device, const struct flow *flow,
	struct isolation_because *because)
{
	const struct flow_ends ends = {.device = because->device,
		.from_zone = way->moved ? 0 : way->from_zone};
	const struct isolation_pass *line = flows_follow(
		policy, &ends, to_device, flow);

	because->to_device = to_device;
	if (!line || because->allowed ||
		because->reason != ISOLATION_REASON_NEIGHBOUR)
		return;
	because->pass = *line;
	because->has_pass = 1;
	because->reason = ISOLATION_REASON_NOT_FOUND;
}

const struct topology_port *why_port(
	const struct topology *topology, const char *interface)
{
	for (size_t i = 0; i < topology->n_ports; i++)
		if (strcmp(topology->ports[i].name, interface) == 0)
			return &topology->ports[i];
	return NULL;
}
