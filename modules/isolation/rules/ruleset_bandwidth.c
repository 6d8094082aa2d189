/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many bytes a second a device may send and receive, by its MAC address:
 * what it sends in front of all other rules, what it receives where a bridge
 * sends it out, or, where there is no bridge, by its address
 * (ruleset_received.c). Touches memory only. Others pay one lookup each way.
 * Must never drop anything of whoever only observes.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

/* Segments are put together to at most this before the rules see them. */
#define BURST (64u << 10)

static bool is_slow(const struct isolation_limit *l)
{
	return l->up || l->down;
}

static void put_bytes(
	struct set_filler *filler, const struct mac *mac, uint64_t rate)
{
	struct image_limit limit = {0};

	if (rate)
		limit = (struct image_limit){
			.rate = rate, .seconds = 1, .burst = BURST, .bytes = 1};
	set_put_limit(filler, mac, &limit);
}

/* Whose bytes are limited at all. */
static void add_slow(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "bandwidth",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	policy_each(struct isolation_limit, l, &policy->limits)
		if (is_slow(l))
			set_put(&filler,
				&policy_device(policy, l->device)->mac);
	set_end(&filler);
}

/* The same, found only as long as they are within their limit. */
static void add_way(struct ruleset *rs, const struct policy *policy, bool up)
{
	struct set_shape shape = {.name = up ? "send" : "receive",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.limits = true};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	policy_each(struct isolation_limit, l, &policy->limits)
		if (is_slow(l))
			put_bytes(&filler,
				&policy_device(policy, l->device)->mac,
				up ? l->up : l->down);
	set_end(&filler);
}

void ruleset_add_bandwidth_sets(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry)
{
	add_slow(rs, policy);
	add_way(rs, policy, false);
	if (rs->family == NFPROTO_INET) {
		add_way(rs, policy, true);
		ruleset_add_received_sets(rs, policy);
	}
	rules_add_over_set(rs, RULESET_OVER_BANDWIDTH, carry);
}

/* Comes back for whoever only observes. */
static void add_over(struct ruleset *rs, enum rule_field mac,
	enum rule_field interface, const char *enforced_here)
{
	const char *chain = "bandwidth";

	rule_begin(rs, chain);
	rule_count(rs, "limited");
	rule_end(rs);
	rule_begin(rs, chain);
	rule_remember(rs, ruleset_overs[RULESET_OVER_BANDWIDTH], mac, RULE_END);
	rule_end(rs);
	rule_begin(rs, chain);
	rule_in(rs, "observed", mac, RULE_END);
	rule_return(rs);
	rule_begin(rs, chain);
	rule_in(rs, "enforced", mac, RULE_END);
	rule_drop(rs);
	rule_begin(rs, chain);
	rule_in(rs, enforced_here, interface, RULE_END);
	rule_drop(rs);
}

void ruleset_add_bandwidth_rules(struct ruleset *rs)
{
	bool up = rs->family == NFPROTO_INET;
	enum rule_field mac = up ? RULE_SOURCE_MAC : RULE_TARGET_MAC;

	rule_begin(rs, "bandwidth");
	rule_in(rs, up ? "send" : "receive", mac, RULE_END);
	rule_return(rs);
	add_over(rs, mac, up ? RULE_IIF : RULE_OIF,
		up ? "enforce_if" : "ports_enforce");
	if (up) {
		ruleset_add_received_rules(rs);
		return;
	}
	rule_begin(rs, "output");
	rule_in(rs, "bandwidth", RULE_TARGET_MAC, RULE_END);
	rule_in(rs, "ports", RULE_OIF, RULE_END);
	rule_jump(rs, "bandwidth");
}

void rules_measure_sent(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_in(rs, "bandwidth", RULE_SOURCE_MAC, RULE_END);
	rule_jump(rs, "bandwidth");
}
