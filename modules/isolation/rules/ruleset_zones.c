/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules for what those inside may open towards each other and towards the
 * gateway. Touches memory only; must never let anything through that no
 * element names, nor drop anything of whoever only observes, unless it is on
 * its way into where is enforced.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define NEW NF_CT_STATE_BIT(IP_CT_NEW)
#define ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define RELATED NF_CT_STATE_BIT(IP_CT_RELATED)
#define INVALID NF_CT_STATE_INVALID_BIT

#define PORT_DNS 53

struct zones_family {
	const struct rules_family *f;
	const char *towards, *gateway, *peers, *wide_peers, *zone_peers;
	const char *moved_at;
};

static void get_family(size_t i, struct zones_family *ret_family)
{
	static const struct zones_family families[RULES_FAMILIES] = {
		{NULL, "towards4", "gateway4", "peers4", "wide_peers4",
			"zone_peers4", "moved_at4"},
		{NULL, "towards6", "gateway6", "peers6", "wide_peers6",
			"zone_peers6", "moved_at6"},
	};

	*ret_family = families[i];
	ret_family->f = &rules_families[i];
}

static void begin_dns(struct ruleset *rs, const char *chain, uint8_t protocol)
{
	rule_begin(rs, chain);
	rule_protocol(rs, protocol);
	rule_port(rs, PORT_DNS);
}

/* Port 53 leads to the name servers, which may well be devices. */
static void add_dns(struct ruleset *rs, const struct zones_family *z)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		begin_dns(rs, z->towards, protocols[i]);
		rule_in(rs, z->f->name_servers, z->f->to, RULE_END);
		rule_goto(rs, "allowed");
		begin_dns(rs, z->towards, protocols[i]);
		rule_goto(rs, "denied_inside");
	}
}

static void allow_pass(struct ruleset *rs, const char *chain, const char *set,
	enum rule_field from, enum rule_field to)
{
	rule_begin(rs, chain);
	rule_in(rs, set, from, to, RULE_PROTOCOL, RULE_PORT, RULE_END);
	rule_goto(rs, "allowed");
}

/*
 * By the interfaces where it begins (not for devices of another zone), or
 * where it leads (not to them).
 */
static void allow_zone(struct ruleset *rs, const struct zones_family *z,
	const char *set, enum rule_field from, enum rule_field to)
{
	rule_begin(rs, z->towards);
	if (from == RULE_IIF)
		rule_not_in(rs, "moved", RULE_SOURCE_MAC, RULE_END);
	if (to == RULE_OIF)
		rule_not_in(rs, z->moved_at, z->f->to, RULE_END);
	rule_in(rs, set, from, to, RULE_PROTOCOL, RULE_PORT, RULE_END);
	rule_goto(rs, "allowed");
}

static void open_gate(struct ruleset *rs, const char *set, enum rule_field from)
{
	rule_begin(rs, "gate");
	rule_in(rs, "known", RULE_SOURCE_MAC, RULE_END);
	if (from == RULE_IIF)
		rule_not_in(rs, "moved", RULE_SOURCE_MAC, RULE_END);
	rule_in(rs, set, from, RULE_PROTOCOL, RULE_PORT, RULE_END);
	rule_goto(rs, "gate_open");
}

/* A known device opens something towards a devices zone. */
static void add_towards(struct ruleset *rs, const struct zones_family *z)
{
	const char *chain = z->towards;

	rule_begin(rs, chain);
	rules_not_from_there(rs);
	rule_goto(rs, "denied_inside");
	add_dns(rs, z);
	allow_pass(rs, chain, z->peers, RULE_SOURCE_MAC, z->f->to);
	allow_pass(rs, chain, z->wide_peers, RULE_SOURCE_MAC, z->f->to);
	allow_zone(rs, z, "peer_zones", RULE_SOURCE_MAC, RULE_OIF);
	allow_zone(rs, z, z->zone_peers, RULE_IIF, z->f->to);
	allow_zone(rs, z, "zone_zones", RULE_IIF, RULE_OIF);
	rule_begin(rs, chain);
	rule_goto(rs, "denied_inside");
}

void ruleset_add_between(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "between";

	/*
	 * What was sent on to another address than it was judged at is judged
	 * again, each packet.
	 */
	rule_begin(rs, chain);
	rule_ct_state(rs, ESTABLISHED);
	rule_ct_judged(rs, generation);
	rule_ct_redirected(rs, false);
	rule_accept(rs);
	rule_begin(rs, chain);
	rule_ct_state(rs, ESTABLISHED);
	rule_ct_direction(rs, true);
	rule_ct_judged(rs, generation);
	rule_accept(rs);
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		rule_begin(rs, chain);
		rule_protocol(rs, rules_families[i].icmp);
		rule_ct_state(rs, RELATED);
		rule_ct_judged(rs, generation);
		rule_accept(rs);
	}
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		struct zones_family z;

		get_family(i, &z);
		rule_begin(rs, chain);
		rule_family(rs, z.f->nfproto);
		rule_in(rs, "known", RULE_SOURCE_MAC, RULE_END);
		rule_goto(rs, z.towards);
		rule_begin(rs, chain);
		rule_family(rs, z.f->nfproto);
		rule_in(rs, "strangers_if", RULE_IIF, RULE_END);
		rule_goto(rs, z.towards);
	}
	/* Strangers, counted already: none gets into where is enforced. */
	rule_begin(rs, chain);
	rule_in(rs, "enforce_if", RULE_OIF, RULE_END);
	rule_goto(rs, "refused");
	rule_begin(rs, chain);
	rule_goto(rs, "not_allowed");
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		struct zones_family z;

		get_family(i, &z);
		add_towards(rs, &z);
	}
	/* Whoever is only observed does not get in there either. */
	rule_begin(rs, "denied_inside");
	rule_in(rs, "enforce_if", RULE_OIF, RULE_END);
	rule_goto(rs, "denied_there");
	rule_begin(rs, "denied_inside");
	rule_goto(rs, "denied");
	rule_begin(rs, "denied_there");
	rule_jump(rs, "count_denied");
	rule_begin(rs, "denied_there");
	rule_goto(rs, "answered");
}

/* One way to the gateway itself, before it may be sent on from there. */
static void add_gate(struct ruleset *rs)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	rule_begin(rs, "gate");
	rules_not_from_there(rs);
	rule_accept(rs);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		begin_dns(rs, "gate", protocols[i]);
		rule_accept(rs);
	}
	for (int own = 0; own < 2; own++) {
		rules_begin_upgraded(rs, "gate", own);
		rule_accept(rs);
	}
	open_gate(rs, "peer_gate", RULE_SOURCE_MAC);
	open_gate(rs, "wide_peer_gate", RULE_SOURCE_MAC);
	open_gate(rs, "zone_gate", RULE_IIF);
	rule_begin(rs, "gate");
	rule_in(rs, "strangers_if", RULE_IIF, RULE_END);
	rule_not_in(rs, "moved", RULE_SOURCE_MAC, RULE_END);
	rule_in(rs, "zone_gate", RULE_IIF, RULE_PROTOCOL, RULE_PORT, RULE_END);
	rule_goto(rs, "stranger_allowed");
	rule_begin(rs, "gate");
	rule_accept(rs);
	/* Within its rate; this is the way past the input chain's limit. */
	rule_begin(rs, "gate_open");
	rule_in(rs, "paced", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, "allowed");
	rule_begin(rs, "gate_open");
	rule_ct_state(rs, NEW | INVALID);
	rule_jump(rs, "limited");
	rule_begin(rs, "gate_open");
	rule_goto(rs, "allowed");
}

void ruleset_add_gate(struct ruleset *rs)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		struct zones_family z;

		get_family(i, &z);
		rule_begin(rs, "to_gateway");
		rule_family(rs, z.f->nfproto);
		rule_in(rs, z.gateway, z.f->to, RULE_END);
		rule_goto(rs, "gate");
	}
	/* The input chain judges. */
	rule_begin(rs, "to_gateway");
	rule_accept(rs);
	add_gate(rs);
}
