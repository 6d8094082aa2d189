/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who claims to be somebody else: the gateway, another device, a router, a
 * DHCP server. On the ports of bridges before anything is learned of a frame,
 * and, without ARP, on routed interfaces. Touches memory only. Must never
 * match what an honest host says: no address at all (0.0.0.0, ::) and, in
 * IPv6, addresses of the link are nobody's claim, and a set that is full
 * never makes a claim of what is none.
 */
#include <netinet/in.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ICMP_IS_REDIRECT 5
#define ICMP6_IS_ROUTER 134
#define ICMP6_IS_ADVERTISEMENT 136
#define ICMP6_IS_REDIRECT 137
#define PORT_DHCP_SERVER 67
#define PORT_DHCP6_SERVER 547

static const struct rules_claim claims_arp = {RULE_ARP_FROM, false,
	"claims_arp", "caught_arp", "unbound_arp", "settled_arp", "gateway4",
	"pins4", "pinned4", "pinned_macs4", "bound4", "holders4", NULL};
static const struct rules_claim claims4 = {RULE_IP_FROM, false, "claims4",
	"caught4", "unbound4", "settled4", "gateway4", "pins4", "pinned4",
	"pinned_macs4", "bound4", "holders4", "live4"};
static const struct rules_claim claims6 = {RULE_IP6_FROM, true, "claims6",
	"caught6", "unbound6", "settled6", "gateway6", "pins6", "pinned6",
	"pinned_macs6", "bound6", "holders6", "live6"};
static const struct rules_claim claims_nd = {RULE_ND_TARGET, true, "claims_nd",
	"caught_nd", "unbound_nd", "settled_nd", "gateway6", "pins6", "pinned6",
	"pinned_macs6", "bound6", "holders6", NULL};

void rules_add_caught(struct ruleset *rs, const char *chain, const char *set,
	enum rule_field first, enum rule_field second)
{
	rule_begin(rs, chain);
	rule_in(rs, set, RULE_SOURCE_MAC, first, second, RULE_END);
	rule_goto(rs, "spoofed");
	rule_begin(rs, chain);
	rule_limit(rs, "spoof_limit", RULESET_NEW_SPOOFS, 3600,
		RULESET_SPOOFS_BURST, RULE_SOURCE_MAC, RULE_END);
	rule_remember(rs, set, RULE_SOURCE_MAC, first, second, RULE_END);
	rule_end(rs);
	rule_begin(rs, chain);
	rule_goto(rs, "spoofed");
}

/* A device's own mode goes before its zone's. */
static void add_spoofed(
	struct ruleset *rs, const char *enforced_here, bool names_bridges)
{
	rule_begin(rs, "spoofed");
	rule_count(rs, "spoofed");
	rule_end(rs);
	rule_begin(rs, "spoofed");
	rule_in(rs, "observed", RULE_SOURCE_MAC, RULE_END);
	rule_return(rs);
	rule_begin(rs, "spoofed");
	rule_in(rs, "enforced", RULE_SOURCE_MAC, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "spoofed");
	rule_in(rs, enforced_here, RULE_IIF, RULE_END);
	rule_drop(rs);
	if (names_bridges) {
		rule_begin(rs, "spoofed");
		rule_in(rs, "enforce_if", RULE_BRIDGE, RULE_END);
		rule_drop(rs);
	}
}

/* Judged a moment ago; its kind is looked at in any case. */
static void pass_live(struct ruleset *rs, const struct rules_claim *c)
{
	rule_begin(rs, c->chain);
	rule_in(rs, c->live, RULE_IIF_INDEX, RULE_SOURCE_MAC, c->field,
		RULE_END);
	rule_return(rs);
}

static void add_address(struct ruleset *rs, const struct rules_claim *c)
{
	static const uint8_t none[16];

	rule_begin(rs, c->chain);
	rule_in(rs, c->gateway, c->field, RULE_END);
	rule_goto(rs, c->caught);
	rule_begin(rs, c->chain);
	rule_in(rs, c->pins, RULE_SOURCE_MAC, c->field, RULE_END);
	if (c->live)
		rule_goto(rs, c->live);
	else
		rule_return(rs);
	rule_begin(rs, c->chain);
	rule_in(rs, c->pinned, c->field, RULE_END);
	rule_goto(rs, c->caught);
	rule_begin(rs, c->chain);
	rule_in(rs, c->macs, RULE_SOURCE_MAC, RULE_END);
	rule_is_not(rs, c->field, none, c->six ? 16 : 4);
	if (c->six)
		rule_link_local(rs, c->field, false);
	rule_goto(rs, c->caught);
	ruleset_add_bound(rs, c);
}

/*
 * Two fields cannot be compared with each other on every kernel. So the
 * sender's pair (itself, itself) is put into a set, which then either holds
 * the pair (sender, what ARP says) or not.
 */
static void add_arp(struct ruleset *rs)
{
	rule_begin(rs, "claims_arp");
	rule_remember(rs, "selves", RULE_SOURCE_MAC, RULE_SOURCE_MAC, RULE_END);
	rule_not_in(rs, "selves", RULE_SOURCE_MAC, RULE_ARP_MAC, RULE_END);
	rule_goto(rs, "caught_arp");
	add_address(rs, &claims_arp);
	rules_add_caught(rs, "caught_arp", "spoofs4", RULE_ARP_FROM, RULE_END);
}

static void begin_icmp(
	struct ruleset *rs, const char *chain, uint8_t protocol, uint8_t type)
{
	rule_begin(rs, chain);
	rule_protocol(rs, protocol);
	rule_is(rs, RULE_ICMP_TYPE, &type, sizeof(type));
}

/* The source port stands where ICMP has its type. */
static void add_server(struct ruleset *rs, const char *chain, uint16_t port)
{
	uint16_t wire = htons(port);

	rule_begin(rs, chain);
	rule_protocol(rs, IPPROTO_UDP);
	rule_is(rs, RULE_ICMP, &wire, sizeof(wire));
	rule_goto(rs, "caught_kind");
}

/* On bridges who was judged does not even come to the chain. */
static void begin_claims(
	struct ruleset *rs, const struct rules_claim *c, const char *kinds)
{
	rule_begin(rs, c->chain);
	rule_jump(rs, kinds);
	if (rs->family == NFPROTO_INET)
		pass_live(rs, c);
}

static void add_ip4(struct ruleset *rs)
{
	add_server(rs, "kinds4", PORT_DHCP_SERVER);
	begin_icmp(rs, "kinds4", IPPROTO_ICMP, ICMP_IS_REDIRECT);
	rule_goto(rs, "caught_kind");
	begin_claims(rs, &claims4, "kinds4");
	add_address(rs, &claims4);
	rules_add_caught(rs, "caught4", "spoofs4", RULE_IP_FROM, RULE_END);
}

static void add_ip6(struct ruleset *rs)
{
	add_server(rs, "kinds6", PORT_DHCP6_SERVER);
	begin_icmp(rs, "kinds6", IPPROTO_ICMPV6, ICMP6_IS_ROUTER);
	rule_jump(rs, "routers");
	rules_judge_router(rs);
	begin_icmp(rs, "kinds6", IPPROTO_ICMPV6, ICMP6_IS_REDIRECT);
	rule_goto(rs, "caught_kind");
	begin_icmp(rs, "kinds6", IPPROTO_ICMPV6, ICMP6_IS_ADVERTISEMENT);
	rule_jump(rs, "claims_nd");
	begin_claims(rs, &claims6, "kinds6");
	add_address(rs, &claims6);
	rules_add_caught(rs, "caught6", "spoofs6", RULE_IP6_FROM, RULE_END);
	add_address(rs, &claims_nd);
	rules_add_caught(rs, "caught_nd", "spoofs6", RULE_ND_TARGET, RULE_END);
}

void rules_begin_type(struct ruleset *rs, const char *chain, uint16_t type)
{
	uint16_t wire = htons(type);

	rule_begin(rs, chain);
	rule_is(rs, RULE_ETHERTYPE, &wire, sizeof(wire));
}

static void add_way(struct ruleset *rs, uint16_t ethertype, const char *chain)
{
	rules_begin_type(rs, "prerouting", ethertype);
	if (rs->family == NFPROTO_INET)
		rule_in(rs, "routed_if", RULE_IIF, RULE_END);
	rule_jump(rs, chain);
}

/*
 * One tag is taken off before; below a second one nothing could be judged,
 * but a host that ignores tags of VLAN 0 would read it.
 */
static void add_bridge_ways(struct ruleset *rs, bool names_bridges)
{
	const uint16_t arp = htons(ETH_P_ARP);

	/* Who came by a port of these a moment ago: before it is asked for. */
	ruleset_add_live(rs);
	rule_begin(rs, "prerouting");
	rule_not_in(rs, "ports", RULE_IIF, RULE_END);
	if (names_bridges)
		rule_not_in(rs, "devices_if", RULE_BRIDGE, RULE_END);
	rule_accept(rs);
	/* Who answers for others (proxy ARP) asks the routing guard, too. */
	rule_begin(rs, "prerouting");
	rule_is(rs, RULE_ETHERTYPE, &arp, sizeof(arp));
	rule_mark(rs);
	rule_end(rs);
	ruleset_add_seats(rs);
	add_way(rs, ETH_P_ARP, "claims_arp");
	add_way(rs, ETH_P_8021Q, "caught_tags");
	add_way(rs, ETH_P_8021AD, "caught_tags");
	add_arp(rs);
	rules_add_caught(
		rs, "caught_tags", "spoof_kinds", RULE_NOTHING, RULE_NOTHING);
}

void ruleset_add_spoof_rules(struct ruleset *rs, bool names_bridges)
{
	bool bridge = rs->family == NFPROTO_BRIDGE;

	if (bridge)
		add_bridge_ways(rs, names_bridges);
	add_way(rs, ETH_P_IP, "claims4");
	add_way(rs, ETH_P_IPV6, "claims6");
	add_ip4(rs);
	add_ip6(rs);
	rules_add_caught(
		rs, "caught_kind", "spoof_kinds", RULE_PROTOCOL, RULE_ICMP);
	ruleset_add_acks(rs);
	add_spoofed(rs, bridge ? "ports_enforce" : "enforce_if",
		bridge && names_bridges);
}
