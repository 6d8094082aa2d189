/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to the agent. Reads the engine's picture, changes nothing; must
 * never send more than a device's behaviour is worth.
 */
#include "modules/isolation/report.h"

#include <stdlib.h>
#include <string.h>

#include "modules/isolation/claims.h"
#include "modules/isolation/sightings.h"

static struct sightings sightings;

/* What the agent knows of who was caught. */
static struct {
	struct ruleset_spoof *spoofs;
	size_t n;
} told;

static uint8_t guard_state(const struct guard *guard)
{
	if (guard->error)
		return ISOLATION_GUARD_FAILED;
	return guard->n_wanted ? ISOLATION_GUARD_SET : ISOLATION_GUARD_NONE;
}

void report_rules(struct worker *worker, const struct engine *engine,
	const struct guard *guard, uint64_t generation)
{
	struct isolation_rules rules = {.generation = generation,
		.restored = engine->restored,
		.guard_restored = guard->restored,
		.guard = guard_state(guard)};

	memcpy(rules.by, engine->by, sizeof(rules.by));
	worker_send(worker, ISOLATION_RULES, &rules, sizeof(rules));
}

static const struct isolation_link *find_link(
	const struct topology *topology, const char *interface)
{
	for (size_t i = 0; topology && i < topology->n_links; i++)
		if (!strcmp(topology->links[i].interface, interface))
			return &topology->links[i];
	return NULL;
}

void report_links(struct worker *worker, const struct topology *topology,
	const struct topology *before)
{
	for (size_t i = 0; i < topology->n_links; i++) {
		const struct isolation_link *now = &topology->links[i];
		const struct isolation_link *then = find_link(
			before, now->interface);

		if (!then || memcmp(now, then, sizeof(*now)))
			worker_send(worker, ISOLATION_LINK, now, sizeof(*now));
	}
}

void report_ports(struct worker *worker, const struct topology *topology)
{
	struct isolation_port port = {0};
	struct isolation_address address;

	for (size_t i = 0; i < topology->n_addresses; i++) {
		address.ip = topology->addresses[i];
		worker_send(
			worker, ISOLATION_GATEWAY, &address, sizeof(address));
	}
	for (size_t i = 0; i < topology->n_ports; i++) {
		const struct topology_port *p = &topology->ports[i];

		if (p->routed)
			continue;
		memcpy(port.interface, p->name, sizeof(port.interface));
		memcpy(port.bridge, p->bridge, sizeof(port.bridge));
		worker_send(worker, ISOLATION_PORT, &port, sizeof(port));
	}
	memset(&port, 0, sizeof(port));
	worker_send(worker, ISOLATION_PORT, &port, sizeof(port));
}

static uint32_t device_id(const struct engine *engine, const struct mac *mac)
{
	const struct isolation_device *d = policy_device_by_mac(
		&engine->policy, mac);

	return d ? d->id : 0;
}

static uint64_t tally_before(
	const struct ruleset_tally *before, size_t n, const struct mac *mac)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ruleset_tally *t = &before[middle];
		int order = memcmp(&t->mac, mac, sizeof(*mac));

		if (order == 0)
			return t->count.packets;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

void report_counts(struct worker *worker, const struct engine *engine,
	const struct ruleset_carry *before)
{
	const struct ruleset_count *c = engine->carry.counters;
	struct isolation_counters counters = {
		.denied = c[RULESET_DENIED].packets,
		.bridged = c[RULESET_BRIDGED].packets,
		.quarantined = c[RULESET_QUARANTINED].packets,
		.redirected = c[RULESET_REDIRECTED].packets,
		.fenced = c[RULESET_FENCED].packets,
		.spoofed = c[RULESET_SPOOFED].packets,
		.limited = c[RULESET_LIMITED].packets,
	};

	worker_send(worker, ISOLATION_COUNTERS, &counters, sizeof(counters));
	for (size_t i = 0; i < engine->carry.n_tallies; i++) {
		const struct ruleset_tally *t = &engine->carry.tallies[i];
		struct isolation_tally tally = {.mac = t->mac,
			.device = device_id(engine, &t->mac),
			.denied = t->count.packets};

		if (t->count.packets != tally_before(before->tallies,
						before->n_tallies, &t->mac))
			worker_send(
				worker, ISOLATION_TALLY, &tally, sizeof(tally));
	}
}

static void report_over(struct worker *worker, const struct engine *engine,
	const struct ruleset_carry *before, enum ruleset_over which)
{
	const struct ruleset_overs *was = &before->overs[which];
	const struct ruleset_overs *is = &engine->carry.overs[which];

	for (size_t i = 0; i < is->n; i++) {
		const struct ruleset_tally *t = &is->rows[i];
		struct isolation_over over = {.mac = t->mac,
			.bandwidth = which == RULESET_OVER_BANDWIDTH,
			.device = device_id(engine, &t->mac),
			.packets = t->count.packets};

		if (over.device && over.packets != tally_before(was->rows,
							   was->n, &t->mac))
			worker_send(
				worker, ISOLATION_OVER, &over, sizeof(over));
	}
}

void report_overs(struct worker *worker, const struct engine *engine,
	const struct ruleset_carry *before)
{
	for (int i = 0; i < RULESET_OVERS; i++)
		report_over(worker, engine, before, i);
}

static void forget_spoofs(void)
{
	free(told.spoofs);
	memset(&told, 0, sizeof(told));
}

/* Both lists are in order. */
static bool is_told(const struct ruleset_spoof *s, size_t *next)
{
	while (*next < told.n &&
		ruleset_spoof_order(&told.spoofs[*next], s) < 0)
		++*next;
	return *next < told.n && !ruleset_spoof_order(&told.spoofs[*next], s) &&
	       told.spoofs[*next].count.packets == s->count.packets;
}

void report_spoofs(struct worker *worker, const struct engine *engine)
{
	const struct ruleset_carry *now = &engine->carry;
	size_t size = now->n_spoofs * sizeof(*now->spoofs), next = 0;

	for (size_t i = 0; i < now->n_spoofs; i++) {
		const struct ruleset_spoof *s = &now->spoofs[i];
		struct isolation_spoof spoof = claims_explain(
			&engine->policy, &engine->topology, now, s);

		if (!is_told(s, &next))
			worker_send(
				worker, ISOLATION_SPOOF, &spoof, sizeof(spoof));
	}
	forget_spoofs();
	if (!now->n_spoofs)
		return;
	told.spoofs = must_have(malloc(size));
	memcpy(told.spoofs, now->spoofs, size);
	told.n = now->n_spoofs;
}

/* Would it pass at this moment, because it is only observed? */
static bool is_observed(const struct engine *engine, const struct mac *mac)
{
	const struct isolation_device *d = policy_device_by_mac(
		&engine->policy, mac);
	const struct topology_port *port = topology_port(
		&engine->topology, sightings_where(&sightings, mac));

	if (d && d->mode)
		return d->mode == RECORD_MODE_OBSERVE;
	if (port)
		return port->mode == RECORD_MODE_OBSERVE;
	/* Seen nowhere of late: observed if any zone would let it pass. */
	policy_each(struct isolation_zone, z, &engine->policy.zones)
		if (z->role == ISOLATION_ROLE_DEVICES &&
			z->mode == RECORD_MODE_OBSERVE)
			return true;
	return false;
}

void report_attempts(
	struct worker *worker, const struct engine *engine, uint64_t cookie)
{
	struct isolation_cookie end = {cookie};

	for (size_t i = 0; i < engine->carry.n_attempts; i++) {
		const struct ruleset_attempt *a = &engine->carry.attempts[i];
		struct isolation_attempt attempt = {.cookie = cookie,
			.packets = a->count.packets,
			.to = a->to,
			.mac = a->mac,
			.device = device_id(engine, &a->mac),
			.port = a->port,
			.protocol = a->protocol,
			.observed = is_observed(engine, &a->mac)};

		worker_send(
			worker, ISOLATION_ATTEMPT, &attempt, sizeof(attempt));
	}
	worker_send(worker, ISOLATION_ATTEMPTS_END, &end, sizeof(end));
}

bool report_seen(struct worker *worker, const struct engine *engine,
	const struct neigh_fact *fact)
{
	const struct topology_port *port = topology_port(
		&engine->topology, fact->index);
	struct isolation_seen seen = {.mac = fact->mac, .ip = fact->ip};
	int32_t index = fact->index;
	int r = port ? sightings_add(&sightings, &fact->mac, !port->routed,
			       clock_ms(), &index)
		     : 0;

	if (r <= 0)
		return r == 0;
	/* A port that is gone by now: the bridge will do. */
	if (topology_port(&engine->topology, index))
		port = topology_port(&engine->topology, index);
	seen.zone = port->zone;
	seen.device = device_id(engine, &fact->mac);
	memcpy(seen.interface, port->name, sizeof(seen.interface));
	worker_send(worker, ISOLATION_SEEN, &seen, sizeof(seen));
	return true;
}

void report_forget(void)
{
	sightings_forget(&sightings);
	forget_spoofs();
	report_forget_bound();
}
