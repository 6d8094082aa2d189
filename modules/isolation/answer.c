/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collects what a decision needs (routes, who has an admin's address), has it
 * made (why.c), and looks whether the kernel's sets say the same. Changes
 * nothing.
 */
#include "modules/isolation/answer.h"

#include <errno.h>
#include <string.h>

#include "modules/isolation/follow.h"
#include "modules/isolation/kernel/element.h"
#include "modules/isolation/why.h"

static bool is_sane(const struct isolation_why *why)
{
	if (why->interface[sizeof(why->interface) - 1])
		return false;
	if (why->toward == ISOLATION_TOWARD_ADDRESS)
		return why->to.family == AF_INET || why->to.family == AF_INET6;
	return why->toward == ISOLATION_TOWARD_GATEWAY ||
	       why->toward == ISOLATION_TOWARD_DEVICE;
}

/* Behind which interface it is, and what that means. */
static enum why_place place_of(const struct answer_sources *sources,
	const struct ip *to, const char *from, struct why_way *way)
{
	const struct isolation_zone *zone;
	struct element_route route;

	if (element_route(sources->links, to, &route) < 0 || route.none)
		return WHY_PLACE_NOWHERE;
	if (route.local)
		return WHY_PLACE_GATEWAY;
	zone = policy_zone(&sources->engine->policy, route.interface);
	if (zone && zone->role == ISOLATION_ROLE_DEVICES) {
		way->to_zone = zone->zone;
		way->there_enforced = zone->mode == RECORD_MODE_ENFORCE;
		way->same_link = strcmp(from, route.interface) == 0;
		memcpy(way->to_link, route.interface, sizeof(way->to_link));
		return WHY_PLACE_DEVICES;
	}
	if (zone && zone->role == ISOLATION_ROLE_OWNER)
		return WHY_PLACE_OWNER;
	return WHY_PLACE_OUTSIDE;
}

/* Only neighbours on interfaces of devices zones count. */
static bool has_address(const struct answer_sources *sources,
	const struct mac *mac, const struct ip *ip)
{
	const struct topology *topology = &sources->engine->topology;
	struct mac found;

	for (size_t i = 0; i < topology->n_ports; i++)
		if (topology->ports[i].routed &&
			neigh_find(sources->neigh, topology->ports[i].index, ip,
				&found) == 0 &&
			mac_equal(&found, mac))
			return true;
	return false;
}

static bool is_admin(
	const struct answer_sources *sources, const struct mac *mac)
{
	const struct policy *policy = &sources->engine->policy;

	policy_each(struct isolation_address, a, &policy->admins)
		if (has_address(sources, mac, &a->ip))
			return true;
	return false;
}

/* Only decisions by lines and name servers are in sets of their own. */
static uint8_t ask_kernel(const struct answer_sources *sources,
	const struct why_way *way, const struct mac *mac,
	const struct flow *flow, const struct isolation_because *because)
{
	struct nft *nft = &sources->engine->nft;
	int r = element_find(nft, "known", mac, sizeof(*mac));

	switch ((enum isolation_reason)because->reason) {
	case ISOLATION_REASON_STRANGER:
		break;
	case ISOLATION_REASON_ZONE_LINE:
		r = element_zone_allows(nft, way->from_link, flow,
			way->place == WHY_PLACE_OUTSIDE);
		break;
	case ISOLATION_REASON_NAME_SERVER:
		r = element_allows(nft, mac, flow, false);
		break;
	case ISOLATION_REASON_LINE:
	case ISOLATION_REASON_NO_LINE:
	case ISOLATION_REASON_NOT_NAME_SERVER:
	case ISOLATION_REASON_OWNER:
	case ISOLATION_REASON_GATEWAY:
		if (r > 0)
			r = element_allows(nft, mac, flow,
				way->place == WHY_PLACE_OUTSIDE);
		break;
	case ISOLATION_REASON_PASS:
	case ISOLATION_REASON_NEIGHBOUR:
		if (r > 0 ||
			(r == 0 && way->strangers == ISOLATION_STRANGERS_ALLOW))
			r = element_passes(nft, mac, flow,
				way->moved ? "" : way->from_link,
				way->place == WHY_PLACE_GATEWAY ? NULL
				: way->to_moved                 ? ""
								: way->to_link);
		break;
	case ISOLATION_REASON_NO_RULES:
	case ISOLATION_REASON_ADMIN:
	case ISOLATION_REASON_SERVICE:
	case ISOLATION_REASON_UPGRADED:
	case ISOLATION_REASON_NO_ROUTE:
	case ISOLATION_REASON_LEARNED:
	case ISOLATION_REASON_NOT_FOUND:
		return ISOLATION_KERNEL_UNKNOWN;
	}
	/* Without the set the tables are gone or somebody else's. */
	if (r < 0)
		return r == -ENOENT ? ISOLATION_KERNEL_DIFFERS
				    : ISOLATION_KERNEL_UNKNOWN;
	return (r > 0) == because->allowed ? ISOLATION_KERNEL_AGREES
					   : ISOLATION_KERNEL_DIFFERS;
}

static void judge(const struct answer_sources *sources, struct why_way *way,
	const struct isolation_why *why, const struct ip *to,
	struct isolation_because *because)
{
	struct flow flow = {
		.to = *to, .port = why->port, .protocol = why->protocol};

	way->to_moved = policy_is_moved(&sources->engine->policy, to);
	way->learned = learned_allows(&sources->engine->learned, &why->mac, to,
		why->protocol, why->port, clock_ms());
	why_decide(&sources->engine->policy, way, &why->mac, &flow, because);
	because->kernel = ask_kernel(sources, way, &why->mac, &flow, because);
}

/* It has several addresses; one that is allowed is enough. */
static void judge_gateway(const struct answer_sources *sources,
	struct why_way *way, const struct isolation_why *why,
	struct isolation_because *because)
{
	const struct topology *topology = &sources->engine->topology;
	struct ip none = {0};

	way->place = WHY_PLACE_GATEWAY;
	if (!topology->n_addresses)
		judge(sources, way, why, &none, because);
	for (size_t i = 0; i < topology->n_addresses; i++) {
		judge(sources, way, why, &topology->addresses[i], because);
		if (because->allowed)
			return;
	}
}

/* Once one is allowed, it is. True: it was. */
static bool judge_place(const struct answer_sources *sources,
	struct why_way *way, const struct isolation_why *why,
	const struct ip *ip, struct isolation_because *because)
{
	if (!because->allowed) {
		way->place = place_of(sources, ip, way->from_link, way);
		judge(sources, way, why, ip, because);
	}
	return true;
}

/* Where it is pinned, and where else it is found. */
static bool judge_places(const struct answer_sources *sources,
	struct why_way *way, const struct isolation_why *why,
	struct isolation_because *because)
{
	const struct policy *policy = &sources->engine->policy;
	const struct ruleset_carry *now = &sources->engine->carry;
	const struct isolation_device *d = policy_device(
		policy, why->to_device);
	bool judged = false;

	policy_each(struct isolation_pin, p, &policy->pins)
		if (p->device == why->to_device)
			judged = judge_place(
				sources, way, why, &p->ip, because);
	for (size_t i = 0; d && i < now->n_bound; i++)
		if (mac_equal(&now->bound[i].mac, &d->mac) &&
			follow_counts(policy, &sources->engine->topology,
				&now->bound[i].ip))
			judged = judge_place(
				sources, way, why, &now->bound[i].ip, because);
	return judged;
}

/* One that is allowed at one of its addresses is reached. */
static void judge_device(const struct answer_sources *sources,
	struct why_way *way, const struct isolation_why *why,
	struct isolation_because *because)
{
	const struct flow flow = {.port = why->port, .protocol = why->protocol};
	struct ip none = {0};

	if (judge_places(sources, way, why, because)) {
		why_follow(&sources->engine->policy, way, why->to_device, &flow,
			because);
		return;
	}
	way->place = WHY_PLACE_DEVICES;
	judge(sources, way, why, &none, because);
	because->kernel = ISOLATION_KERNEL_UNKNOWN;
	why_follow(
		&sources->engine->policy, way, why->to_device, &flow, because);
}

static void look_at_interface(const struct answer_sources *sources,
	const struct isolation_why *why, struct why_way *way)
{
	const struct topology_port *port = why_port(
		&sources->engine->topology, why->interface);
	const struct isolation_zone *zone;

	if (!port)
		return;
	way->zone_mode = port->mode;
	way->from_zone = port->zone;
	zone = policy_zone(&sources->engine->policy, port->bridge);
	if (zone) {
		way->strangers = zone->strangers;
		way->guest = zone->guest;
	}
	memcpy(way->from_link, port->bridge, sizeof(way->from_link));
}

int answer_why(const struct answer_sources *sources,
	const struct isolation_why *why, struct isolation_because *ret_because)
{
	struct isolation_because because = {.cookie = why->cookie};
	const struct isolation_device *device;
	struct why_way way = {0};

	if (!is_sane(why))
		return -EINVAL;
	if (!sources->engine->in_force) {
		because.reason = ISOLATION_REASON_NO_RULES;
		*ret_because = because;
		return 0;
	}
	look_at_interface(sources, why, &way);
	device = policy_device_by_mac(&sources->engine->policy, &why->mac);
	way.moved = device && device->moved;
	way.admin = is_admin(sources, &why->mac);
	if (why->toward == ISOLATION_TOWARD_GATEWAY) {
		judge_gateway(sources, &way, why, &because);
	} else if (why->toward == ISOLATION_TOWARD_DEVICE) {
		judge_device(sources, &way, why, &because);
	} else {
		way.place = place_of(sources, &why->to, way.from_link, &way);
		judge(sources, &way, why, &why->to, &because);
	}
	answer_foreign(sources, why, &because);
	*ret_because = because;
	return 0;
}
