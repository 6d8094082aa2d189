/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many bytes a second a device may receive where it is behind an
 * interface that is no bridge: what leaves there has no target MAC yet, so
 * the device is found by the address, which is pinned to it or which it holds
 * (ruleset_bind.c). Touches memory only. Must never charge a device with what
 * goes to an address that is pinned to another, and must never drop anything
 * of whoever only observes.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

/* Where the device of an address is found, and what is done then. */
static const struct way {
	const char *map, *chain;
} pinned[RULES_FAMILIES] =
	{
		{"receivers4", "received_pinned4"},
		{"receivers6", "received_pinned6"},
},
  held[RULES_FAMILIES] = {
	  {"holders4", "received_held4"},
	  {"holders6", "received_held6"},
};

static void add_pins(
	struct ruleset *rs, const struct policy *policy, uint16_t family)
{
	bool six = family == AF_INET6;
	struct set_shape shape = set_shape_addresses(pinned[six].map, family);
	struct set_filler filler;

	shape.flags = NFT_SET_MAP;
	shape.data_length = sizeof(struct mac);
	set_begin(&filler, rs, &shape, 0);
	policy_each(struct isolation_pin, p, &policy->pins) {
		const struct isolation_limit *l = p->ip.family == family
							  ? policy_limit(policy,
								    p->device)
							  : NULL;

		if (l && (l->up || l->down))
			set_put_mac(&filler, p->ip.b,
				&policy_device(policy, p->device)->mac);
	}
	set_end(&filler);
}

void ruleset_add_received_sets(struct ruleset *rs, const struct policy *policy)
{
	add_pins(rs, policy, AF_INET);
	add_pins(rs, policy, AF_INET6);
}

/* As in ruleset_bandwidth.c, of the device that a map has for the address. */
static void add_received(
	struct ruleset *rs, const struct way *way, enum rule_field to)
{
	const char *chain = way->chain;

	rule_begin(rs, chain);
	rule_holder_in(rs, way->map, to, "receive");
	rule_return(rs);
	rule_begin(rs, chain);
	rule_count(rs, "limited");
	rule_end(rs);
	rule_begin(rs, chain);
	rule_remember_holder(
		rs, way->map, to, ruleset_overs[RULESET_OVER_BANDWIDTH]);
	rule_end(rs);
	rule_begin(rs, chain);
	rule_holder_in(rs, way->map, to, "observed");
	rule_return(rs);
	rule_begin(rs, chain);
	rule_holder_in(rs, way->map, to, "enforced");
	rule_drop(rs);
	rule_begin(rs, chain);
	rule_in(rs, "enforce_if", RULE_OIF, RULE_END);
	rule_drop(rs);
}

static void go(
	struct ruleset *rs, const struct rules_family *f, const struct way *way)
{
	rule_begin(rs, "receiving");
	rule_family(rs, f->nfproto);
	rule_holder_in(rs, way->map, f->to, "bandwidth");
	rule_goto(rs, way->chain);
}

void ruleset_add_received_rules(struct ruleset *rs)
{
	static const char *const pins[RULES_FAMILIES] = {"pinned4", "pinned6"};

	rule_begin(rs, "postrouting");
	rule_in(rs, "routed_if", RULE_OIF, RULE_END);
	rule_goto(rs, "receiving");
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		const struct rules_family *f = &rules_families[i];

		go(rs, f, &pinned[i]);
		/* Whoever held it before it was pinned is not meant. */
		rule_begin(rs, "receiving");
		rule_family(rs, f->nfproto);
		rule_in(rs, pins[i], f->to, RULE_END);
		rule_return(rs);
		go(rs, f, &held[i]);
		add_received(rs, &pinned[i], f->to);
		add_received(rs, &held[i], f->to);
	}
}
