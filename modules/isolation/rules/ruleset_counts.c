/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets in which is counted what was denied, each with a bound, filled with
 * what the tables before them had counted. Touches memory only; must never
 * let one device take the place of another.
 */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/rules/ruleset_parts.h"

static void add_attempts(
	struct ruleset *rs, const struct ruleset_carry *carry, uint16_t family)
{
	bool six = family == AF_INET6;
	struct set_shape shape = set_shape_ways(
		six ? "attempts6" : "attempts4", family);
	struct set_filler filler;

	shape.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT;
	shape.size = RULESET_ATTEMPTS_MAX;
	set_begin(&filler, rs, &shape, 0);
	for (size_t i = 0; carry && i < carry->n_attempts; i++) {
		const struct ruleset_attempt *a = &carry->attempts[i];
		struct set_key key = {0};

		if (a->to.family != family)
			continue;
		set_key_add(&key, &a->mac, sizeof(a->mac));
		set_key_add_ip(&key, &a->to);
		set_key_add_service(&key, a->protocol, a->port);
		set_put_counter(
			&filler, key.bytes, &a->count, RULESET_REMEMBER_MS);
	}
	set_end(&filler);
}

static int by_mac(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

static const struct ruleset_count *carried(
	const struct ruleset_carry *carry, const struct mac *mac)
{
	static const struct ruleset_count none;
	const struct ruleset_tally *t = NULL;

	if (carry && carry->n_tallies)
		t = bsearch(mac, carry->tallies, carry->n_tallies,
			sizeof(*carry->tallies), by_mac);
	return t ? &t->count : &none;
}

/* Known devices have a place for sure; strangers share a bounded set. */
static void add_tallies(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry)
{
	static const struct set_shape known = {
		.name = "tally", .key_type = NFT_TYPE_ETHER, .key_length = 6};
	static const struct set_shape others = {.name = "strangers",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_STRANGERS_MAX};
	struct set_filler filler;

	set_begin(&filler, rs, &known, policy->devices.n);
	policy_each(struct isolation_device, d, &policy->devices)
		set_put_counter(&filler, &d->mac, carried(carry, &d->mac), 0);
	set_end(&filler);
	set_begin(&filler, rs, &others, 0);
	for (size_t i = 0; carry && i < carry->n_tallies; i++) {
		const struct ruleset_tally *t = &carry->tallies[i];

		if (!policy_device_by_mac(policy, &t->mac))
			set_put_counter(&filler, &t->mac, &t->count,
				RULESET_REMEMBER_MS);
	}
	set_end(&filler);
}

static void add_limits(struct ruleset *rs)
{
	static const struct set_shape itemise = {.name = "attempt_limit",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_ATTEMPTS_MAX};
	static const struct set_shape echo = {.name = "echo_limit",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_ATTEMPTS_MAX};
	struct set_filler filler;

	set_begin(&filler, rs, &itemise, 0);
	set_end(&filler);
	set_begin(&filler, rs, &echo, 0);
	set_end(&filler);
}

void ruleset_add_count_sets(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry)
{
	add_attempts(rs, carry, AF_INET);
	add_attempts(rs, carry, AF_INET6);
	add_tallies(rs, policy, carry);
	add_limits(rs);
}
