/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares the permitted ways with where addresses are. Touches memory only;
 * must never want an answer given on an interface that only observes, or
 * where no line permits anything.
 */
#include "modules/isolation/standins_plan.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "modules/isolation/policy_delta.h"
#include "modules/isolation/rules/batch.h"

struct planning {
	const struct policy *policy;
	const struct topology_address *addresses;
	size_t n_addresses;
	const struct topology_port *port; /* whose turn it is */
	struct isolation_standin *rows;
	size_t n;
	bool full;
};

static void want(struct planning *p, const struct ip *ip)
{
	struct isolation_standin row = {
		.verb = ISOLATION_STANDIN_WISH, .index = p->port->index};

	memcpy(row.interface, p->port->name, sizeof(row.interface));
	if (ip)
		row.ip = *ip;
	for (size_t i = 0; i < p->n; i++)
		if (!memcmp(&p->rows[i], &row, sizeof(row)))
			return;
	if (p->n == ISOLATION_STANDINS_MAX)
		p->full = true;
	else
		p->rows[p->n++] = row;
}

static bool in_prefix(const struct ip *ip, const struct ip *net, uint8_t length)
{
	uint8_t whole = length / 8, rest = length % 8;

	if (ip->family != net->family || memcmp(ip->b, net->b, whole) != 0)
		return false;
	return !rest || !((ip->b[whole] ^ net->b[whole]) >> (8 - rest));
}

static bool is_here(const struct planning *p, const struct ip *ip)
{
	for (size_t i = 0; i < p->n_addresses; i++) {
		const struct topology_address *a = &p->addresses[i];

		if (a->index == p->port->index && a->length &&
			a->length <= ip_bits(&a->ip) &&
			in_prefix(ip, &a->ip, a->length))
			return true;
	}
	return false;
}

/* Whoever has no address in the configuration may be anywhere. */
static bool may_be_here(const struct planning *p, uint32_t device)
{
	struct policy_array pins = policy_group(&p->policy->pins,
		sizeof(struct isolation_pin),
		offsetof(struct isolation_pin, device), device);

	policy_each(struct isolation_pin, pin, &pins)
		if (is_here(p, &pin->ip))
			return true;
	return !pins.n;
}

/* device 0: all that are here. */
static void want_pins(struct planning *p, uint32_t device)
{
	policy_each(struct isolation_pin, pin, &p->policy->pins)
		if ((!device || pin->device == device) &&
			pin->ip.family == AF_INET6 && is_here(p, &pin->ip))
			want(p, &pin->ip);
}

static void want_way(struct planning *p, const struct isolation_pass *pass)
{
	uint16_t zone = p->port->zone;
	bool to_zone = !pass->to.family && pass->to_zone == zone;

	if (!to_zone && (!pass->to.family || !is_here(p, &pass->to)))
		return;
	if (pass->device ? !may_be_here(p, pass->device)
			 : pass->from_zone != zone)
		return;
	want(p, NULL);
	if (pass->to.family == AF_INET)
		return;
	if (to_zone || !pass->device)
		want_pins(p, 0);
	else
		want_pins(p, pass->device);
	if (!to_zone)
		want(p, &pass->to);
}

size_t standins_plan(const struct policy *policy,
	const struct topology *topology,
	const struct topology_address *addresses, size_t n,
	struct isolation_standin **ret_rows, bool *ret_full)
{
	struct planning p = {policy, addresses, n, NULL, NULL, 0, false};

	p.rows = must_have(calloc(ISOLATION_STANDINS_MAX, sizeof(*p.rows)));
	for (size_t i = 0; i < topology->n_ports; i++) {
		p.port = &topology->ports[i];
		if (!p.port->routed || !p.port->index ||
			p.port->mode != RECORD_MODE_ENFORCE)
			continue;
		policy_each(struct isolation_pass, pass, &policy->passes)
			want_way(&p, pass);
		policy_each(struct isolation_pass, pass, &policy->zone_passes)
			want_way(&p, pass);
	}
	*ret_rows = p.rows;
	*ret_full = p.full;
	return p.n;
}
