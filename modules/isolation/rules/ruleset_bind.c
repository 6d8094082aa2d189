/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose an address is that is pinned to nobody: IPv4 by what DHCP gave, else,
 * and in IPv6, who used it first; and at which port of a bridge a MAC is. All
 * of it happens in the kernel, by sets that packets fill. Touches memory only.
 * Must never take an address from who has it, but for DHCP's word; and what
 * finds no place in a set is refused, while who is in there stays.
 */
#include <netinet/in.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ICMP_IS_REDIRECT 5
#define PORT_DHCP_SERVER 67
#define PORT_DHCP6_SERVER 547
#define PORT_DHCP_CLIENT 68

/* BOOTREPLY for an Ethernet address of 6 bytes. */
static const uint8_t dhcp_reply[] = {2, 1, 6};
/* The magic cookie, then option 53 of one byte: an acknowledgement. */
static const uint8_t dhcp_ack[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 5};

static const uint8_t none[16];

static uint32_t address_length(const struct rules_claim *c)
{
	return c->six ? 16 : 4;
}

/* It is the sender's: for another while, in all that is kept of it. */
static void add_settled(struct ruleset *rs, const struct rules_claim *c)
{
	rule_begin(rs, c->settled);
	rule_keep(rs, c->bound, c->field, RULE_SOURCE_MAC, RULE_END);
	rule_end(rs);
	rule_begin(rs, c->settled);
	rule_keep_as(rs, c->holders, c->field, RULE_SOURCE_MAC);
	rule_end(rs);
	if (!c->six) {
		rule_begin(rs, c->settled);
		rule_in(rs, "leased4", c->field, RULE_SOURCE_MAC, RULE_END);
		rule_keep(rs, "leased4", c->field, RULE_SOURCE_MAC, RULE_END);
		rule_keep(rs, "used4", c->field, RULE_SOURCE_MAC, RULE_END);
		rule_end(rs);
	}
	if (!c->live)
		return;
	rule_begin(rs, c->settled);
	rule_goto(rs, c->live);
	rule_begin(rs, c->live);
	rule_keep(rs, c->live, RULE_IIF_INDEX, RULE_SOURCE_MAC, c->field,
		RULE_END);
	rule_end(rs);
}

/* What holds for whole zones and for what stands before others. */
static void add_exceptions(struct ruleset *rs, const struct rules_claim *c)
{
	rule_begin(rs, c->chain);
	rule_is(rs, c->field, none, address_length(c));
	rule_return(rs);
	rule_begin(rs, c->chain);
	rule_in(rs, "bind_off", RULE_IIF, RULE_END);
	rule_return(rs);
	rule_begin(rs, c->chain);
	rule_in(rs, "shared_macs", RULE_SOURCE_MAC, RULE_END);
	rule_return(rs);
	if (c->six)
		return;
	rule_begin(rs, c->chain);
	rule_in(rs, "bind_strict", RULE_IIF, RULE_END);
	rule_not_in(rs, "leased4", c->field, RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, c->unbound);
}

static void limit_sender(struct ruleset *rs)
{
	rule_limit(rs, "bind_limit", RULESET_NEW_BOUND, 3600,
		RULESET_BOUND_BURST, RULE_SOURCE_MAC, RULE_END);
}

static void limit_port(struct ruleset *rs)
{
	rule_limit(rs, "bind_ports", RULESET_PORT_BOUND, 3600,
		RULESET_PORT_BURST, RULE_IIF, RULE_END);
}

/* Ends a rule: the address is the sender's from now on. */
static void take(struct ruleset *rs, const struct rules_claim *c)
{
	rule_keep_as(rs, c->holders, c->field, RULE_SOURCE_MAC);
	rule_keep(rs, c->bound, c->field, RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, c->settled);
}

/* Nobody has it: for whom it is new, within limits and while there is room. */
static void add_new(struct ruleset *rs, const struct rules_claim *c)
{
	rule_begin(rs, c->chain);
	rule_in(rs, "bind_limit", RULE_SOURCE_MAC, RULE_END);
	limit_sender(rs);
	limit_port(rs);
	take(rs, c);
	/* One who is new has to find a place behind its port first. */
	rule_begin(rs, c->chain);
	rule_not_in(rs, "bind_limit", RULE_SOURCE_MAC, RULE_END);
	limit_port(rs);
	limit_sender(rs);
	take(rs, c);
	/* Only of senders that have a MAC address. */
	rule_begin(rs, c->chain);
	rule_is_not(rs, RULE_SOURCE_MAC, none, sizeof(struct mac));
	rule_goto(rs, c->unbound);
}

void ruleset_add_bound(struct ruleset *rs, const struct rules_claim *c)
{
	add_exceptions(rs, c);
	rule_begin(rs, c->chain);
	rule_in(rs, c->bound, c->field, RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, c->settled);
	/* Somebody has it, and it is not the sender. */
	rule_begin(rs, c->chain);
	rule_has(rs, c->holders, c->field);
	rule_goto(rs, c->caught);
	add_new(rs, c);
	add_settled(rs, c);
	rules_add_caught(rs, c->unbound, c->six ? "unbound6" : "unbound4",
		c->field, RULE_END);
}

/*
 * The kind of what is said is looked at in any case; most is told by its
 * first bytes, whatever the protocol.
 */
static void add_quick_kinds(struct ruleset *rs)
{
	const uint16_t server = htons(PORT_DHCP_SERVER);
	const uint16_t server6 = htons(PORT_DHCP6_SERVER);
	const uint8_t redirect = ICMP_IS_REDIRECT;

	rule_begin(rs, "quick4");
	rule_is(rs, RULE_ICMP, &server, sizeof(server));
	rule_goto(rs, "kinds4");
	rule_begin(rs, "quick4");
	rule_is(rs, RULE_ICMP_TYPE, &redirect, sizeof(redirect));
	rule_goto(rs, "kinds4");
	rule_begin(rs, "quick6");
	rule_is(rs, RULE_ICMP, &server6, sizeof(server6));
	rule_goto(rs, "kinds6");
	rule_begin(rs, "quick6");
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_goto(rs, "kinds6");
}

void ruleset_add_live(struct ruleset *rs)
{
	rules_begin_type(rs, "prerouting", ETH_P_IP);
	rule_in(rs, "live4", RULE_IIF_INDEX, RULE_SOURCE_MAC, RULE_IP_FROM,
		RULE_END);
	rule_goto(rs, "quick4");
	rules_begin_type(rs, "prerouting", ETH_P_IPV6);
	rule_in(rs, "live6", RULE_IIF_INDEX, RULE_SOURCE_MAC, RULE_IP6_FROM,
		RULE_END);
	rule_goto(rs, "quick6");
	add_quick_kinds(rs);
}

/*
 * Before the bridge learns where the sender is. Who finds no place is not
 * guarded, but takes nobody's.
 */
void ruleset_add_seats(struct ruleset *rs)
{
	rule_begin(rs, "prerouting");
	rule_not_in(rs, "roaming", RULE_IIF, RULE_END);
	rule_jump(rs, "seats");

	rule_begin(rs, "seats");
	rule_in(rs, "seats", RULE_SOURCE_MAC, RULE_IIF, RULE_END);
	rule_goto(rs, "seated");
	rule_begin(rs, "seats");
	rule_in(rs, "seated", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, "caught_seat");
	rule_begin(rs, "seats");
	rule_limit(rs, "seat_limit", RULESET_NEW_SEATS, 1, RULESET_SEATS_BURST,
		RULE_IIF, RULE_END);
	rule_keep(rs, "seats", RULE_SOURCE_MAC, RULE_IIF, RULE_END);
	rule_goto(rs, "seated");

	rule_begin(rs, "seated");
	rule_keep(rs, "seats", RULE_SOURCE_MAC, RULE_IIF, RULE_END);
	rule_end(rs);
	rule_begin(rs, "seated");
	rule_keep(rs, "seated", RULE_SOURCE_MAC, RULE_END);
	rule_end(rs);

	rule_begin(rs, "caught_seat");
	rule_remember(rs, "spoof_seats", RULE_SOURCE_MAC, RULE_IIF, RULE_END);
	rule_end(rs);
	rule_begin(rs, "caught_seat");
	rule_goto(rs, "spoofed");
}

/* Matches acknowledgements that give an address. */
static void begin_ack(struct ruleset *rs, const char *chain)
{
	rules_begin_type(rs, chain, ETH_P_IP);
	rule_protocol(rs, IPPROTO_UDP);
	rule_ports(rs, PORT_DHCP_SERVER, PORT_DHCP_CLIENT);
	rule_is(rs, RULE_DHCP_REPLY, dhcp_reply, sizeof(dhcp_reply));
	rule_is(rs, RULE_DHCP_KIND, dhcp_ack, sizeof(dhcp_ack));
	rule_is_not(rs, RULE_DHCP_ADDRESS, none, 4);
}

/*
 * The server's word goes before who was first, but it does not take a leased
 * address away from who uses it at this moment: whoever gives a server the
 * client identifier of another gets that one's lease.
 */
static void add_ack_rules(struct ruleset *rs)
{
	rule_begin(rs, "acks");
	rule_in(rs, "bound4", RULE_DHCP_ADDRESS, RULE_DHCP_MAC, RULE_END);
	rule_goto(rs, "leased");
	rule_begin(rs, "acks");
	rule_is_leased(rs, "holders4", "used4");
	rule_return(rs);
	rule_begin(rs, "acks");
	rule_keep(rs, "bound4", RULE_DHCP_ADDRESS, RULE_DHCP_MAC, RULE_END);
	rule_goto(rs, "replaced");

	/* Away with the one before, if there was one. */
	rule_begin(rs, "replaced");
	rule_lose_leased(rs, "holders4", "bound4");
	rule_end(rs);
	rule_begin(rs, "replaced");
	rule_lose_leased(rs, "holders4", "leased4");
	rule_end(rs);
	rule_begin(rs, "replaced");
	rule_lose(rs, "holders4", RULE_DHCP_ADDRESS, RULE_DHCP_MAC);
	rule_goto(rs, "leased");

	rule_begin(rs, "leased");
	rule_keep_as(rs, "holders4", RULE_DHCP_ADDRESS, RULE_DHCP_MAC);
	rule_keep(rs, "bound4", RULE_DHCP_ADDRESS, RULE_DHCP_MAC, RULE_END);
	rule_keep(rs, "leased4", RULE_DHCP_ADDRESS, RULE_DHCP_MAC, RULE_END);
	rule_end(rs);
}

/*
 * On bridges by the gateway's own server, or one behind a port that is no
 * device's; else the gateway's, unless it writes to the wire by itself.
 */
void ruleset_add_acks(struct ruleset *rs)
{
	bool bridge = rs->family == NFPROTO_BRIDGE;

	begin_ack(rs, "output");
	rule_in(rs, bridge ? "ports" : "routed_if", RULE_OIF, RULE_END);
	rule_jump(rs, "acks");
	if (bridge) {
		begin_ack(rs, "forward");
		rule_not_in(rs, "ports", RULE_IIF, RULE_END);
		rule_in(rs, "ports", RULE_OIF, RULE_END);
		rule_jump(rs, "acks");
	}
	add_ack_rules(rs);
}
