/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What discovery reflects: it is shown the messages of the protocols that are
 * reflected on an interface, gets answers to its own port, and may speak from
 * its ports there and nowhere else. Touches memory only; must never open the
 * gateway's own services: what was shown is judged like before.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/rules/ruleset_parts.h"

static void put(struct set_filler *filler, const char *interface, uint16_t port)
{
	struct set_key key = {0};
	uint16_t wire = htons(port);

	set_key_add(&key, interface, 16);
	set_key_add(&key, &wire, sizeof(wire));
	set_put(filler, key.bytes);
}

enum which {
	HEARD, /* to everybody, and to our port */
	BACK, /* to a port that is ours alone */
	FROM, /* from ours */
};

/* Lines come in order; a port that two of them name is put in once. */
static bool had(const struct isolation_reflect *first,
	const struct isolation_reflect *r, uint16_t port)
{
	for (const struct isolation_reflect *i = first; i < r; i++)
		if (!memcmp(i->interface, r->interface, 16) &&
			(i->port == port || i->own_port == port))
			return true;
	return false;
}

static void add_ports(struct ruleset *rs, const struct policy *policy,
	const char *name, enum which which)
{
	struct set_shape shape = {.name = name,
		.key_type = CONCAT2(NFT_TYPE_IFNAME, NFT_TYPE_SERVICE),
		.key_length = 20,
		.host_order = true};
	const struct isolation_reflect *first = policy->reflects.items;
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->reflects.n * 2);
	policy_each(struct isolation_reflect, r, &policy->reflects) {
		bool own = r->own_port != r->port;

		if (!r->port)
			continue;
		if (which == HEARD && !had(first, r, r->port))
			put(&filler, r->interface, r->port);
		if ((own || which == FROM) && !had(first, r, r->own_port))
			put(&filler, r->interface, r->own_port);
	}
	set_end(&filler);
}

static void add_users(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "reflectors",
		.key_type = NFT_TYPE_UID,
		.key_length = 4,
		.host_order = true};
	const struct isolation_reflect *last = NULL;
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 1);
	policy_each(struct isolation_reflect, r, &policy->reflects) {
		if (!last || last->uid != r->uid)
			set_put(&filler, &r->uid);
		last = r;
	}
	set_end(&filler);
}

void ruleset_add_reflect_sets(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape limit = {.name = "reflect_limit",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_LOG_DEVICES_MAX,
		.keep_ms = RULESET_LOG_KEEP_MS};
	struct set_filler filler;

	add_ports(rs, policy, "reflect_heard", HEARD);
	add_ports(rs, policy, "reflect_back", BACK);
	add_ports(rs, policy, "reflect_from", FROM);
	add_users(rs, policy);
	set_begin(&filler, rs, &limit, 0);
	set_end(&filler);
}

/* Shown, of the owner's interfaces too, and then judged like anything. */
void rules_show_reflected(struct ruleset *rs)
{
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_UDP);
	rule_in(rs, "reflect_heard", RULE_IIF, RULE_PORT, RULE_END);
	rule_limit(rs, "reflect_limit", RULESET_REFLECT_RATE, 1,
		RULESET_REFLECT_BURST, RULE_SOURCE_MAC, RULE_END);
	rule_limit_all(rs, RULESET_REFLECT_RATE_ALL, RULESET_REFLECT_BURST_ALL);
	rule_log(rs, rs->reflect_group, RULESET_REFLECT_SNAPLEN,
		ISOLATION_LOG_HEARD);
	rule_end(rs);
}

void rules_accept_reflected(struct ruleset *rs)
{
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_UDP);
	rule_in(rs, "reflect_back", RULE_IIF, RULE_PORT, RULE_END);
	rule_in(rs, "known", RULE_SOURCE_MAC, RULE_END);
	rule_accept(rs);
}

/* The source port stands where ICMP has its type. */
void ruleset_add_reflect_fence(struct ruleset *rs)
{
	rule_begin(rs, "output");
	rule_in(rs, "reflectors", RULE_USER, RULE_END);
	rule_goto(rs, "reflectors");
	rule_begin(rs, "reflectors");
	rule_protocol(rs, IPPROTO_UDP);
	rule_in(rs, "reflect_from", RULE_OIF, RULE_ICMP, RULE_END);
	rule_accept(rs);
	rule_begin(rs, "reflectors");
	rule_count(rs, "fenced");
	rule_drop(rs);
}
