/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Those without a [device] section: in zones of guests, and where the owner
 * lets strangers in, they reach what the zone's lines say; where they are
 * blocked, nothing. All others are in quarantine, and not here. Touches
 * memory only; must never drop anything in a zone that only observes.
 */
#include <netinet/in.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/rules/ruleset_parts.h"

#define NEW NF_CT_STATE_BIT(IP_CT_NEW)
#define PORT_DNS 53
#define ECHO_RATE 10 /* per second and guest, to the gateway */
#define ECHO_BURST 20

static const struct names {
	const char *strangers, *strangers_here, *zone_allow;
} names[RULES_FAMILIES] = {
	{"strangers4", "strangers_here4", "zone_allow4"},
	{"strangers6", "strangers_here6", "zone_allow6"},
};

static void add_interfaces(struct ruleset *rs, const struct policy *policy,
	const char *name, uint8_t strangers, bool guest)
{
	const struct set_shape shape = set_shape_interfaces(name);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->zones.n);
	policy_each(struct isolation_zone, z, &policy->zones)
		if (z->role == ISOLATION_ROLE_DEVICES &&
			z->strangers == strangers && (!guest || z->guest))
			set_put(&filler, z->interface);
	set_end(&filler);
}

static void put_boxes(struct set_filler *filler,
	const struct isolation_zone *zone, const struct boxes *boxes,
	size_t address)
{
	for (size_t i = 0; i < boxes->n; i++) {
		struct set_key first = {0}, last = {0};

		set_key_add(&first, zone->interface, sizeof(zone->interface));
		set_key_add(&last, zone->interface, sizeof(zone->interface));
		for (int s = 0; s < BOXES_SIDES; s++) {
			size_t n = s == BOXES_ADDRESS    ? address
				   : s == BOXES_PROTOCOL ? 1
							 : 2;

			if (!n)
				continue;
			set_key_add(&first,
				boxes->box[i].side[s].first + 16 - n, n);
			set_key_add(
				&last, boxes->box[i].side[s].last + 16 - n, n);
		}
		set_put_range(filler, first.bytes, last.bytes);
	}
}

static int add_zone(struct set_filler *filler, const struct policy *policy,
	const struct isolation_zone *zone, uint16_t family)
{
	size_t address = family == AF_INET6 ? 16 : family == AF_INET ? 4 : 0;
	struct boxes boxes = {0};
	int r = 0;

	policy_each(struct isolation_allow, a, &policy->zone_allows)
		if (r == 0 && a->device == zone->zone && a->to.family == family)
			r = rules_add_allow_boxes(
				&boxes, a, BOXES_MAX - filler->elements);
	if (r == 0)
		put_boxes(filler, zone, &boxes, address);
	boxes_free(&boxes);
	return r;
}

static int add_lines(struct ruleset *rs, const struct policy *policy,
	const struct set_shape *shape, uint16_t family)
{
	struct set_filler filler;
	int r = 0;

	set_begin(&filler, rs, shape, 0);
	policy_each(struct isolation_zone, z, &policy->zones)
		if (r == 0 && z->strangers == ISOLATION_STRANGERS_ALLOW)
			r = add_zone(&filler, policy, z, family);
	set_end(&filler);
	return r;
}

int ruleset_add_stranger_sets(
	struct ruleset *rs, const struct policy *policy, char *ret_reason)
{
	static const struct set_shape four = {.name = "zone_allow4",
		.key_type = CONCAT4(NFT_TYPE_IFNAME, NFT_TYPE_IP,
			NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE),
		.key_length = 28,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {16, 4, 1, 2}};
	static const struct set_shape six = {.name = "zone_allow6",
		.key_type = CONCAT4(NFT_TYPE_IFNAME, NFT_TYPE_IP6,
			NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE),
		.key_length = 40,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {16, 16, 1, 2}};
	static const struct set_shape any = {.name = "zone_any",
		.key_type = CONCAT3(
			NFT_TYPE_IFNAME, NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE),
		.key_length = 24,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {16, 1, 2}};
	static const struct set_shape connections = {
		.name = "stranger_connections",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL,
		.size = RULESET_STRANGERS_MAX};
	struct set_filler filler;
	int r;

	add_interfaces(
		rs, policy, "strangers_if", ISOLATION_STRANGERS_ALLOW, false);
	add_interfaces(rs, policy, "guest_if", ISOLATION_STRANGERS_ALLOW, true);
	add_interfaces(
		rs, policy, "block_if", ISOLATION_STRANGERS_BLOCK, false);
	set_begin(&filler, rs, &connections, 0);
	set_end(&filler);
	r = add_lines(rs, policy, &four, AF_INET);
	if (r == 0)
		r = add_lines(rs, policy, &six, AF_INET6);
	if (r == 0)
		r = add_lines(rs, policy, &any, 0);
	if (r < 0)
		snprintf(ret_reason, POLICY_REASON,
			"too many allow lines in zones: more than %d",
			BOXES_MAX);
	return r;
}

void rules_go_guests(
	struct ruleset *rs, const char *chain, const struct rules_family *f)
{
	rule_begin(rs, chain);
	rule_in(rs, "guest_if", RULE_IIF, RULE_END);
	rule_not_in(rs, "moved", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, names[f - rules_families].strangers);
}

void rules_go_strangers(struct ruleset *rs, const char *chain, bool here)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		rule_begin(rs, chain);
		rule_in(rs, "strangers_if", RULE_IIF, RULE_END);
		rule_family(rs, rules_families[i].nfproto);
		rule_goto(rs,
			here ? names[i].strangers_here : names[i].strangers);
	}
}

void rules_drop_blocked(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_in(rs, "block_if", RULE_IIF, RULE_END);
	rule_not_in(rs, "known", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, "quarantined");
}

static void go_dns(
	struct ruleset *rs, const char *chain, const struct rules_family *f)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		rule_begin(rs, chain);
		rule_protocol(rs, protocols[i]);
		rule_port(rs, PORT_DNS);
		rule_in(rs, f->name_servers, f->to, RULE_END);
		rule_goto(rs, "stranger_allowed");
	}
}

static void add_through(struct ruleset *rs, size_t i)
{
	const struct rules_family *f = &rules_families[i];
	const char *chain = names[i].strangers;

	rule_begin(rs, chain);
	rules_not_from_there(rs);
	rule_goto(rs, "quarantined");
	/* To a device: the forward chain judges. */
	rule_begin(rs, chain);
	rule_in(rs, "devices_if", RULE_ROUTE_OUT, RULE_END);
	rule_accept(rs);
	go_dns(rs, chain, f);
	rule_begin(rs, chain);
	rule_in(rs, names[i].zone_allow, RULE_IIF, f->to, RULE_PROTOCOL,
		RULE_PORT, RULE_END);
	rule_goto(rs, "stranger_allowed");
	rule_begin(rs, chain);
	rule_in(rs, "owner_if", RULE_ROUTE_OUT, RULE_END);
	rule_goto(rs, "quarantined");
	rule_begin(rs, chain);
	rule_in(rs, "zone_any", RULE_IIF, RULE_PROTOCOL, RULE_PORT, RULE_END);
	rule_goto(rs, "stranger_allowed");
	rule_begin(rs, chain);
	rule_goto(rs, "quarantined");
}

/* Of the gateway itself: ping and the name server. */
static void add_here(struct ruleset *rs, size_t i)
{
	const struct rules_family *f = &rules_families[i];
	const char *chain = names[i].strangers_here;

	rule_begin(rs, chain);
	rule_not_to_host(rs);
	rule_goto(rs, "noise");
	rule_begin(rs, chain);
	rules_not_from_there(rs);
	rule_goto(rs, "quarantined");
	rule_begin(rs, chain);
	rule_protocol(rs, f->icmp);
	rule_is(rs, RULE_ICMP_TYPE, &f->echo, sizeof(f->echo));
	rule_limit(rs, "echo_limit", ECHO_RATE, 1, ECHO_BURST, RULE_SOURCE_MAC,
		RULE_END);
	rule_accept(rs);
	go_dns(rs, chain, f);
	rule_begin(rs, chain);
	rule_goto(rs, "quarantined");
}

/* Each has its share of connections, and takes nothing of the devices'. */
static void add_allowed(struct ruleset *rs, bool count_connections)
{
	const char *chain = "stranger_allowed";
	const uint16_t ether = ARPHRD_ETHER;

	/* Without a MAC address, as in a VPN, nobody can be told apart. */
	rule_begin(rs, chain);
	rule_is_not(rs, RULE_LINK_TYPE, &ether, sizeof(ether));
	rule_goto(rs, "granted");
	rule_begin(rs, chain);
	rule_ct_state(rs, NEW);
	if (count_connections)
		rule_connections(rs, "stranger_connections",
			RULESET_CONNECTIONS_MAX, RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, "granted");
	rule_begin(rs, chain);
	rule_ct_state(rs, NEW);
	rule_goto(rs, "quarantined");
	rule_begin(rs, chain);
	rule_goto(rs, "granted");
}

void ruleset_add_strangers(struct ruleset *rs, bool count_connections)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		add_through(rs, i);
		add_here(rs, i);
	}
	add_allowed(rs, count_connections);
}
