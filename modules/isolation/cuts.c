/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds whose connections are to be judged and has them judged. May delete
 * entries of the kernel's table of connections that devices began; must never
 * end one of anybody else's, nor of who is only observed.
 */
#include "modules/isolation/cuts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/engine_offload.h"
#include "modules/isolation/kernel/flows.h"

#define HELD_TRIES 10
#define HELD_WAIT_MS 50

/* Interfaces of devices zones; their ports have no addresses. */
static const struct topology_port *devices_interface(
	const struct cuts *cuts, int32_t index)
{
	const struct topology_port *port = topology_port(
		&cuts->engine->topology, index);

	return port && port->routed ? port : NULL;
}

void cuts_seen(struct cuts *cuts, const struct neigh_fact *fact)
{
	if (fact->ip.family && devices_interface(cuts, fact->index) &&
		policy_device_by_mac(&cuts->engine->policy, &fact->mac))
		addresses_add(
			&cuts->addresses, &fact->mac, fact->index, &fact->ip);
}

const struct topology_port *cuts_neighbour(
	struct cuts *cuts, const struct ip *ip, struct mac *ret_mac)
{
	const struct topology *topology = &cuts->engine->topology;

	for (size_t i = 0; i < topology->n_ports; i++)
		if (topology->ports[i].routed &&
			neigh_find(cuts->neigh, topology->ports[i].index, ip,
				ret_mac) == 0)
			return &topology->ports[i];
	return NULL;
}

static bool is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip_is_link_local(ip);
}

/* A connection to another device, or to the gateway. */
static bool may_go_on_inside(struct cuts *cuts, const struct flow *flow,
	const struct isolation_device *d, const struct topology_port *from,
	bool *ret_inside)
{
	struct flow_ends ends = {.device = d ? d->id : 0,
		.from_zone = d && d->moved ? 0 : from->zone,
		.gateway = topology_is_gateway(
			&cuts->engine->topology, &flow->to)};
	struct mac mac;
	const struct topology_port *to = cuts_neighbour(cuts, &flow->to, &mac);

	if (!to && !ends.gateway && !is_link_local(&flow->to))
		to = devices_interface(
			cuts, neigh_route(cuts->neigh, &flow->to));
	if (to && !policy_is_moved(&cuts->engine->policy, &flow->to))
		ends.to_zone = to->zone;
	*ret_inside = to != NULL;
	return (to || ends.gateway) &&
	       flows_passed(&cuts->engine->policy, &ends, flow);
}

/* May somebody with this MAC, if anybody, go on with it? */
static bool may_go_on(struct cuts *cuts, const struct flow *flow,
	const struct mac *mac, const struct topology_port *port)
{
	const struct policy *policy = &cuts->engine->policy;
	const struct isolation_device *d = policy_device_by_mac(policy, mac);
	const struct isolation_zone *zone;
	bool inside;

	if (!port ||
		(d && d->mode ? d->mode : port->mode) == RECORD_MODE_OBSERVE)
		return true;
	zone = policy_zone(policy, port->bridge);
	if (!zone || (!d && zone->strangers != ISOLATION_STRANGERS_ALLOW))
		return false;
	if (may_go_on_inside(cuts, flow, d, port, &inside))
		return true;
	if (inside)
		return false;
	if (!flows_is_dns(flow) &&
		learned_allows(&cuts->engine->learned, mac, &flow->to,
			flow->protocol, flow->port, clock_ms()))
		return true;
	return (d && flows_allowed(policy, d->id, flow)) ||
	       ((!d || (zone->guest && !d->moved)) &&
		       flows_zone_allowed(policy, zone->zone, flow));
}

/* Whose it is was found out last; connections of one come in a row. */
struct last_owner {
	struct cuts *cuts;
	bool touched_only;
	struct ip ip;
	struct mac mac;
	const struct topology_port *port; /* NULL: no device's */
};

/*
 * By the neighbour table, else by who had it last, else by where packets to
 * it would go: then it is a device's, but nobody knows whose. The same
 * address of the link may be on each link: there only neighbours count.
 */
static void find_owner(struct last_owner *last)
{
	const struct addresses_row *row;
	int index;

	memset(&last->mac, 0, sizeof(last->mac));
	last->port = cuts_neighbour(last->cuts, &last->ip, &last->mac);
	if (last->port || is_link_local(&last->ip))
		return;
	row = addresses_find(&last->cuts->addresses, &last->ip);
	if (row)
		last->mac = row->mac;
	index = row ? row->index : neigh_route(last->cuts->neigh, &last->ip);
	if (index > 0)
		last->port = devices_interface(last->cuts, index);
}

static bool is_touched(const struct engine *engine, const struct mac *mac)
{
	for (size_t i = 0; i < engine->n_touched; i++)
		if (mac_equal(&engine->touched[i], mac))
			return true;
	return false;
}

/* All but what a device began and may not go on with. */
static bool keep_flow(const struct flow *flow, void *arg)
{
	struct last_owner *last = arg;

	if (!ip_equal(&last->ip, &flow->from)) {
		last->ip = flow->from;
		find_owner(last);
	}
	if (!last->port)
		return true;
	if (last->touched_only && !is_touched(last->cuts->engine, &last->mac))
		return true;
	return may_go_on(last->cuts, flow, &last->mac, last->port);
}

static int cut_all(struct cuts *cuts, bool touched_only)
{
	struct last_owner last = {.cuts = cuts, .touched_only = touched_only};

	return flows_cut(&cuts->engine->nft, &cuts->engine->policy.marks,
		touched_only ? 0 : cuts->engine->generation, keep_flow, &last);
}

struct one {
	struct cuts *cuts;
	const struct addresses_row *row;
};

static bool keep_of_one(const struct flow *flow, void *arg)
{
	const struct one *one = arg;

	return may_go_on(one->cuts, flow, &one->row->mac,
		devices_interface(one->cuts, one->row->index));
}

static int cut_one(struct cuts *cuts, const struct mac *mac)
{
	struct one one = {cuts, addresses_of(&cuts->addresses, mac)};
	struct flow_from from = {.mac = *mac};

	if (!one.row)
		return 0;
	from.ips = one.row->ip;
	from.n = one.row->n;
	return flows_cut_from(&cuts->engine->nft, &cuts->engine->policy.marks,
		&from, keep_of_one, &one);
}

static int cut_touched(struct cuts *cuts)
{
	const struct engine *engine = cuts->engine;
	size_t addresses = 0;
	int n = 0;

	neigh_hear(cuts->neigh); /* whoever has just come as well */
	for (size_t i = 0; i < engine->n_touched; i++) {
		const struct addresses_row *row = addresses_of(
			&cuts->addresses, &engine->touched[i]);

		addresses += row ? row->n : 0;
	}
	if (addresses > CUTS_SINGLY_MAX)
		return cut_all(cuts, true);
	for (size_t i = 0; i < engine->n_touched && n >= 0; i++) {
		int r = cut_one(cuts, &engine->touched[i]);

		n = r < 0 ? r : n + r;
	}
	return n;
}

static bool is_device(const struct mac *mac, void *arg)
{
	const struct cuts *cuts = arg;

	return policy_device_by_mac(&cuts->engine->policy, mac) != NULL;
}

static int cut_again(struct cuts *cuts, uint8_t generation_before)
{
	if (cuts->engine->n_touched)
		return cut_touched(cuts);
	if (cuts->engine->generation != generation_before)
		return cut_all(cuts, false);
	return 0;
}

/* The kernel lets go of them a moment after it has lost its flowtable. */
static int cut_held(struct cuts *cuts, uint8_t generation_before)
{
	int n = -EBUSY;

	engine_forgo_offload(cuts->engine);
	for (int i = 0; i < HELD_TRIES && n == -EBUSY; i++) {
		(void)poll(NULL, 0, HELD_WAIT_MS);
		n = cut_again(cuts, generation_before);
	}
	return n;
}

/* The other side of a connection may go on where the device is silent. */
void cuts_after(struct cuts *cuts, uint8_t generation_before)
{
	int n = cut_again(cuts, generation_before);

	if (n == -EBUSY)
		n = cut_held(cuts, generation_before);
	if (n > 0)
		log_info(
			"%d connections are no longer allowed and were cut", n);
	else if (n < 0)
		log_warning("live connections could not be looked at (%s); "
			    "those that are no longer allowed end when the "
			    "device sends",
			strerror(-n));
	addresses_sweep(&cuts->addresses, is_device, cuts);
}

void cuts_forgotten(struct cuts *cuts, const struct mac *mac)
{
	if (cut_one(cuts, mac) == -EBUSY)
		engine_forgo_offload(cuts->engine);
}
