/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much a device may: new connections in a time, connections at once.
 * Each known device has an element of its own with its own limit, so that
 * the rules are the same for all. Touches memory only. Must never drop
 * anything of whoever only observes; and whom a full set has no place for is
 * refused, never unlimited.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define NEW NF_CT_STATE_BIT(IP_CT_NEW)
#define INVALID NF_CT_STATE_INVALID_BIT

static void put_rate(struct set_filler *filler, const struct mac *mac,
	const struct isolation_limit *l)
{
	struct image_limit limit = {0};

	if (l && l->rate) {
		limit.rate = l->rate;
		limit.seconds = l->seconds;
		limit.burst = l->rate;
	}
	set_put_limit(filler, mac, &limit);
}

/* All known devices: found only as long as one is within its rate. */
static void add_paced(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "paced",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.limits = true};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->devices.n);
	policy_each(struct isolation_device, d, &policy->devices)
		put_rate(&filler, &d->mac, policy_limit(policy, d->id));
	set_end(&filler);
}

/* Who is answered when it is denied something: known devices. */
static void add_answers(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "answers",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.limits = true};
	static const struct image_limit limit = {.rate = RULESET_ANSWERS_EACH,
		.seconds = 1,
		.burst = RULESET_ANSWERS_EACH};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->devices.n);
	policy_each(struct isolation_device, d, &policy->devices)
		set_put_limit(&filler, &d->mac, &limit);
	set_end(&filler);
}

/*
 * Whose connections are counted: to count costs the more the more there are,
 * so whoever may open any number has none that are.
 */
static void add_counted(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {
		.name = "counted", .key_type = NFT_TYPE_ETHER, .key_length = 6};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->limits.n);
	policy_each(struct isolation_limit, l, &policy->limits)
		if (l->rate)
			set_put(&filler,
				&policy_device(policy, l->device)->mac);
	set_end(&filler);
}

/* Filled by the packets: who has how many connections. */
static void add_connections(struct ruleset *rs)
{
	static const struct set_shape shape = {.name = "connections",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL,
		.size = ISOLATION_DEVICES_MAX};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	set_end(&filler);
}

const char *const ruleset_overs[RULESET_OVERS] = {
	[RULESET_OVER_RATE] = "over_rate",
	[RULESET_OVER_BANDWIDTH] = "over_bandwidth",
};

void rules_add_over_set(struct ruleset *rs, enum ruleset_over which,
	const struct ruleset_carry *carry)
{
	struct set_shape shape = {.name = ruleset_overs[which],
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = ISOLATION_DEVICES_MAX};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	for (size_t i = 0; carry && i < carry->overs[which].n; i++) {
		const struct ruleset_tally *t = &carry->overs[which].rows[i];

		set_put_counter(
			&filler, &t->mac, &t->count, RULESET_REMEMBER_MS);
	}
	set_end(&filler);
}

void ruleset_add_limit_sets(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry)
{
	add_paced(rs, policy);
	add_answers(rs, policy);
	add_counted(rs, policy);
	add_connections(rs);
	rules_add_over_set(rs, RULESET_OVER_RATE, carry);
}

/* Comes back for whoever only observes. A device's own mode goes first. */
static void add_limited(struct ruleset *rs)
{
	rule_begin(rs, "limited");
	rule_count(rs, "limited");
	rule_end(rs);
	rule_begin(rs, "limited");
	rule_remember(rs, "over_rate", RULE_SOURCE_MAC, RULE_END);
	rule_end(rs);
	rule_begin(rs, "limited");
	rule_in(rs, "observed", RULE_SOURCE_MAC, RULE_END);
	rule_return(rs);
	rule_begin(rs, "limited");
	rule_in(rs, "enforced", RULE_SOURCE_MAC, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "limited");
	rule_in(rs, "enforce_if", RULE_IIF, RULE_END);
	rule_drop(rs);
}

/* Known, and its element not found: over its rate, or old and judged anew. */
static void add_over_rate(struct ruleset *rs, const char *chain, bool here)
{
	rule_begin(rs, chain);
	rule_ct_state(rs, NEW | INVALID);
	rule_jump(rs, "limited");
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		const struct rules_family *f = &rules_families[i];

		rule_begin(rs, chain);
		rule_family(rs, f->nfproto);
		rule_goto(rs, here ? f->here : f->through);
	}
}

void rules_go_paced(struct ruleset *rs, const char *chain, bool here)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		const struct rules_family *f = &rules_families[i];

		rule_begin(rs, chain);
		rule_family(rs, f->nfproto);
		rule_in(rs, "paced", RULE_SOURCE_MAC, RULE_END);
		rule_goto(rs, here ? f->here : f->through);
	}
	rule_begin(rs, chain);
	rule_in(rs, "known", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, here ? "over_here" : "over_through");
}

/* A kernel that cannot count connections lets them pass. */
void ruleset_add_limit_rules(struct ruleset *rs, bool count_connections)
{
	add_limited(rs);
	add_over_rate(rs, "over_here", true);
	add_over_rate(rs, "over_through", false);
	rule_begin(rs, "allowed");
	rule_ct_state(rs, NEW);
	rule_not_in(rs, "counted", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, "granted");
	rule_begin(rs, "allowed");
	rule_ct_state(rs, NEW);
	if (count_connections)
		rule_connections(rs, "connections", RULESET_CONNECTIONS_MAX,
			RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, "granted");
	rule_begin(rs, "allowed");
	rule_ct_state(rs, NEW);
	rule_jump(rs, "limited");
	rule_begin(rs, "allowed");
	rule_goto(rs, "granted");
}
