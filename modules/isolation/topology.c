/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the ports of the bridges that zones name. Touches memory only; must
 * never take an interface for a zone's that the owner did not name, nor one
 * that hangs on no bridge of a zone.
 */
#include "modules/isolation/topology.h"

#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/batch.h"

static const struct topology_fact *find_fact(
	const struct topology_fact *facts, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(facts[i].name, name))
			return &facts[i];
	return NULL;
}

static void add_port(struct topology *t, const char *name, int32_t index,
	const struct isolation_zone *zone, const struct topology_fact *fact)
{
	/* Without a fact it is a port that is on no bridge now. */
	bool routed = fact && !strcmp(name, zone->interface);

	struct topology_port *port;

	if (t->n_ports == TOPOLOGY_PORTS_MAX) {
		t->full = true;
		return;
	}
	port = &t->ports[t->n_ports++];
	memcpy(port->name, name, sizeof(port->name));
	memcpy(port->bridge, zone->interface, sizeof(port->bridge));
	port->index = index;
	port->zone = zone->zone;
	port->mode = zone->mode;
	port->binding = zone->binding;
	port->roaming = zone->roaming;
	port->routed = routed;
	if (fact)
		port->mac = fact->mac;
}

void topology_add_hook(struct topology *t, const struct topology_fact *fact)
{
	struct topology_hook *hook = &t->hooks[t->n_hooks];

	if (t->n_hooks == TOPOLOGY_HOOKS_MAX)
		return;
	memcpy(hook->name, fact->name, sizeof(hook->name));
	hook->index = fact->index;
	t->n_hooks++;
}

static void add_zone(struct topology *t, const struct isolation_zone *zone,
	const struct topology_fact *facts, size_t n)
{
	const struct topology_fact *self = find_fact(facts, n, zone->interface);
	struct isolation_link *link = &t->links[t->n_links++];
	size_t at = t->n_ports;

	memcpy(link->interface, zone->interface, sizeof(link->interface));
	link->zone = zone->zone;
	link->present = self != NULL;
	link->is_port = self && self->bridged;
	if (self && zone->role == ISOLATION_ROLE_UPLINK)
		topology_add_hook(t, self);
	if (!self || zone->role != ISOLATION_ROLE_DEVICES)
		return;
	add_port(t, self->name, self->index, zone, self);
	if (t->n_ports > at)
		t->ports[at].is_bridge = self->bridge;
	for (size_t i = 0; self->bridge && i < n; i++)
		if (facts[i].master == self->index && facts[i].bridged)
			add_port(t, facts[i].name, facts[i].index, zone,
				&facts[i]);
}

static bool is_port(const struct topology *t, const char *name)
{
	for (size_t i = 0; i < t->n_ports; i++)
		if (!strcmp(t->ports[i].name, name))
			return true;
	return false;
}

/* One that is on a bridge is what the kernel says it is. */
static void add_known(struct topology *t, const struct policy *policy,
	const struct topology_fact *facts, size_t n)
{
	policy_each(struct isolation_port, known, &policy->ports) {
		const struct isolation_zone *zone = policy_zone(
			policy, known->bridge);
		const struct topology_fact *fact = find_fact(
			facts, n, known->interface);

		if (t->n_ports == TOPOLOGY_PORTS_MAX)
			return;
		if (zone && zone->role == ISOLATION_ROLE_DEVICES &&
			!(fact && fact->bridged) &&
			!is_port(t, known->interface))
			add_port(t, known->interface, 0, zone, NULL);
	}
}

static int by_index(const void *a, const void *b)
{
	const struct topology_port *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* One order for the same ports, also of those without an index. */
static int in_order(const void *a, const void *b)
{
	const struct topology_port *x = a, *y = b;
	int order = by_index(a, b);

	return order ? order : strcmp(x->name, y->name);
}

static void sort_ports(struct topology *t)
{
	if (t->n_ports)
		qsort(t->ports, t->n_ports, sizeof(*t->ports), in_order);
}

void topology_build(const struct policy *policy,
	const struct topology_fact *facts, size_t n_facts,
	struct topology *ret_topology)
{
	struct topology *t = ret_topology;

	memset(t, 0, sizeof(*t));
	t->ports = must_have(calloc(TOPOLOGY_PORTS_MAX, sizeof(*t->ports)));
	policy_each(struct isolation_zone, zone, &policy->zones)
		add_zone(t, zone, facts, n_facts);
	add_known(t, policy, facts, n_facts);
	sort_ports(t);
}

void topology_remember(struct topology *topology, const struct topology *before,
	const struct topology_fact *facts, size_t n_facts)
{
	for (size_t i = 0; i < before->n_ports; i++) {
		const struct topology_port *port = &before->ports[i];
		const struct topology_fact *fact = find_fact(
			facts, n_facts, port->name);

		if (port->routed || (fact && fact->bridged) ||
			is_port(topology, port->name) ||
			topology->n_ports == TOPOLOGY_PORTS_MAX)
			continue;
		topology->ports[topology->n_ports] = *port;
		topology->ports[topology->n_ports].apart = false;
		topology->ports[topology->n_ports++].index = 0;
	}
	sort_ports(topology);
}

/* Somebody who is observed may be behind any port. */
static bool anybody_observed(const struct policy *policy)
{
	policy_each(struct isolation_device, d, &policy->devices)
		if (d->mode == RECORD_MODE_OBSERVE)
			return true;
	return false;
}

void topology_part(struct topology *topology, const struct policy *policy)
{
	bool observed = anybody_observed(policy);

	for (size_t i = 0; i < topology->n_ports; i++) {
		struct topology_port *port = &topology->ports[i];

		/* A port that is a zone's own interface is not the devices'. */
		port->apart = !observed && !port->routed && port->index &&
			      port->mode == RECORD_MODE_ENFORCE &&
			      !policy_zone(policy, port->name);
	}
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

static void add_address(struct topology *t, const struct ip *ip)
{
	if (t->n_addresses == TOPOLOGY_ADDRESSES_MAX)
		t->addresses_full = true;
	else
		t->addresses[t->n_addresses++] = *ip;
}

void topology_add_addresses(struct topology *topology,
	const struct topology_address *addresses, size_t n)
{
	struct topology *t = topology;
	size_t kept = 0;

	t->addresses = must_have(
		calloc(TOPOLOGY_ADDRESSES_MAX, sizeof(*t->addresses)));
	for (size_t i = 0; i < n; i++) {
		const struct topology_port *port = topology_port(
			t, addresses[i].index);

		if (port && port->routed)
			add_address(t, &addresses[i].ip);
	}
	qsort(t->addresses, t->n_addresses, sizeof(*t->addresses), by_address);
	/* fe80::1 may well be on each interface. */
	for (size_t i = 0; i < t->n_addresses; i++)
		if (!kept ||
			by_address(&t->addresses[kept - 1], &t->addresses[i]))
			t->addresses[kept++] = t->addresses[i];
	t->n_addresses = kept;
}

void topology_recall_addresses(
	struct topology *topology, const struct policy *policy)
{
	topology->addresses = must_have(
		calloc(TOPOLOGY_ADDRESSES_MAX, sizeof(*topology->addresses)));
	policy_each(struct isolation_address, a, &policy->gateways)
		add_address(topology, &a->ip);
}

bool topology_is_gateway(const struct topology *topology, const struct ip *ip)
{
	return topology->n_addresses &&
	       bsearch(ip, topology->addresses, topology->n_addresses,
		       sizeof(*ip), by_address);
}

bool topology_same_ports(const struct topology *a, const struct topology *b)
{
	if (a->n_ports != b->n_ports || a->n_addresses != b->n_addresses ||
		a->n_uplinks != b->n_uplinks)
		return false;
	if (memcmp(a->uplinks, b->uplinks,
		    a->n_uplinks * sizeof(a->uplinks[0])) != 0)
		return false;
	if (a->n_addresses && memcmp(a->addresses, b->addresses,
				      a->n_addresses * sizeof(*a->addresses)))
		return false;
	return !a->n_ports ||
	       !memcmp(a->ports, b->ports, a->n_ports * sizeof(*a->ports));
}

const struct topology_port *topology_port(
	const struct topology *topology, int32_t index)
{
	struct topology_port key = {.index = index};

	if (!topology->n_ports)
		return NULL;
	return bsearch(&key, topology->ports, topology->n_ports, sizeof(key),
		by_index);
}

void topology_copy(
	const struct topology *topology, struct topology *ret_topology)
{
	struct topology *t = ret_topology;

	*t = *topology;
	t->ports = must_have(calloc(t->n_ports + 1, sizeof(*t->ports)));
	t->addresses = must_have(
		calloc(t->n_addresses + 1, sizeof(*t->addresses)));
	if (t->n_ports)
		memcpy(t->ports, topology->ports,
			t->n_ports * sizeof(*t->ports));
	if (t->n_addresses)
		memcpy(t->addresses, topology->addresses,
			t->n_addresses * sizeof(*t->addresses));
}

void topology_free(struct topology *topology)
{
	free(topology->ports);
	free(topology->addresses);
	memset(topology, 0, sizeof(*topology));
}
