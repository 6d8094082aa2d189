/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that names led to: as elements that end by themselves, and the
 * rule that lets devices there. Touches memory only; must never lead to the
 * owner's own network, nor to another device: names lead where somebody else
 * wants.
 */
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/learned.h"
#include "modules/isolation/rules/ruleset_parts.h"

static void add_learned(
	struct ruleset *rs, const struct ruleset_input *input, uint16_t family)
{
	struct set_shape shape = set_shape_ways(learned_set(family), family);
	struct set_filler filler;

	shape.flags = NFT_SET_TIMEOUT;
	/* Room to add again before what was there is gone. */
	shape.size = 2 * ISOLATION_LEARNED_MAX;
	shape.keep_ms = ISOLATION_LEARNED_MS;
	set_begin(&filler, rs, &shape, 0);
	for (const struct learned_entry *e = learned_next(input->learned, NULL);
		e; e = learned_next(input->learned, e)) {
		struct set_key key = {0};

		if (e->ip.family != family || e->until_ms <= input->now_ms ||
			!policy_device_by_mac(input->policy, &e->mac))
			continue;
		set_key_add(&key, &e->mac, sizeof(e->mac));
		set_key_add_ip(&key, &e->ip);
		set_key_add_service(&key, e->protocol, e->port);
		set_put_for(&filler, key.bytes,
			(uint64_t)(e->until_ms - input->now_ms));
	}
	set_end(&filler);
}

void ruleset_add_learned_sets(
	struct ruleset *rs, const struct ruleset_input *input)
{
	add_learned(rs, input, AF_INET);
	add_learned(rs, input, AF_INET6);
}

void rules_allow_learned(
	struct ruleset *rs, const char *chain, const struct rules_family *f)
{
	rule_begin(rs, chain);
	rule_in(rs, f->learned, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL,
		RULE_PORT, RULE_END);
	rule_goto(rs, "allowed");
}
