/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small builders for the rules of ruleset.c. A rule begins, matches one
 * thing after the other, and ends with what is to happen. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_RULE_H
#define GATEHOUSE_ISOLATION_RULE_H

#include "modules/isolation/rules/ruleset.h"

/* Fields of a key, each padded to four bytes, from register 0 on. */
enum rule_field {
	RULE_END = 0,
	RULE_SOURCE_MAC,
	RULE_TARGET_MAC,
	RULE_IP_FROM,
	RULE_IP_TO,
	RULE_IP6_FROM,
	RULE_IP6_TO,
	RULE_PROTOCOL,
	RULE_PORT, /* destination port */
	RULE_ICMP, /* the first two bytes behind the IP header */
	RULE_ICMP_TYPE,
	RULE_RA_LIFETIME, /* of a router, as it advertises itself */
	RULE_NOTHING, /* zero, in the place of a port */
	RULE_IIF, /* names of the interfaces in and out */
	RULE_OIF,
	RULE_IIF_INDEX, /* its number, for what is forgotten in seconds */
	RULE_BRIDGE, /* name of the bridge that the port in belongs to */
	RULE_ADDRESS_TYPE, /* whose address is it: ours, a group ... */
	RULE_ROUTE_OUT, /* the interface by which it would leave */
	RULE_ROUTE_SOURCE, /* the interface behind which its source is */
	RULE_SOURCE_TYPE, /* whose address is its source */
	RULE_LINK_TYPE, /* of the interface in: ARPHRD_* */
	RULE_ROUTE_BACK, /* where it came in if its source is there, or 0 */
	RULE_HOP_LIMIT,
	RULE_ETHERTYPE,
	RULE_ARP_MAC, /* the sender, as ARP itself says */
	RULE_ARP_FROM,
	RULE_ARP_TO, /* whom it asks for */
	RULE_ND_TARGET, /* the address that an advertisement is about */
	RULE_USER, /* of the socket that a packet of ours comes from */
	RULE_DHCP_ADDRESS, /* that a DHCP server gives */
	RULE_DHCP_PLACE, /* the same and as many bytes as a MAC takes */
	RULE_DHCP_MAC, /* to whom */
	RULE_DHCP_REPLY, /* is it one, and for Ethernet */
	RULE_DHCP_KIND, /* the cookie and the first option's head and value */
};

void rule_begin(struct ruleset *rs, const char *chain);
/* Ends a rule; the packet goes on to the next one. */
void rule_end(struct ruleset *rs);
/* End a rule with a verdict. */
void rule_accept(struct ruleset *rs);
void rule_drop(struct ruleset *rs);
void rule_return(struct ruleset *rs);
void rule_goto(struct ruleset *rs, const char *chain);
void rule_jump(struct ruleset *rs, const char *chain);
/* TCP gets a reset, everything else "forbidden by an administrator". */
void rule_reject_tcp(struct ruleset *rs);
void rule_reject(struct ruleset *rs);
/* To the local port that the last rule_map() found. */
void rule_redirect(struct ruleset *rs);

/*
 * Loads a field into registers from reg on; returns the one behind it. Only
 * for the files that build rules.
 */
uint32_t rule_load(struct ruleset *rs, enum rule_field field, uint32_t reg);

/* Matches. Fields end with RULE_END. */
void rule_in(struct ruleset *rs, const char *set, ...);
void rule_not_in(struct ruleset *rs, const char *set, ...);
/* The same fields as the match before it, in the same rule. */
void rule_nor_in(struct ruleset *rs, const char *set);
void rule_map(struct ruleset *rs, const char *map, ...);
/* Adds to a set that packets fill; no match when it is full. */
void rule_remember(struct ruleset *rs, const char *set, ...);
/* As above, and no match for a key that comes too often. */
void rule_limit(struct ruleset *rs, const char *set, uint64_t rate,
	uint64_t per_seconds, uint32_t burst, ...);
/* As above, and no match for the key of more than so many connections. */
void rule_connections(struct ruleset *rs, const char *set, uint32_t most, ...);
/* Matches at most so many packets a second, whoever sent them. */
void rule_limit_all(struct ruleset *rs, uint64_t rate, uint32_t burst);
/*
 * Adds to a set that packets fill, or makes what is there stay as long as if
 * it were new; no match when it is full. Nothing is counted.
 */
void rule_keep(struct ruleset *rs, const char *set, ...);
/* The same for a map from one field to another; the old value stays. */
void rule_keep_as(struct ruleset *rs, const char *map, enum rule_field key,
	enum rule_field value);
/* Does the map have anything for the field? */
void rule_has(struct ruleset *rs, const char *map, enum rule_field field);
/*
 * Both for the MAC that the map has for the field; no match when it has none.
 * The one matches if it is in the set, the other is as rule_remember().
 */
void rule_holder_in(struct ruleset *rs, const char *map, enum rule_field field,
	const char *set);
void rule_remember_holder(struct ruleset *rs, const char *map,
	enum rule_field field, const char *set);
/* Takes out of a map, if it is in there, whatever the value. */
void rule_lose(struct ruleset *rs, const char *map, enum rule_field key,
	enum rule_field value);
/*
 * Both for the key (address that DHCP gives, the MAC that map has for it); no
 * match when map has none. The one takes it out of a set, the other matches
 * if it is in there.
 */
void rule_lose_leased(struct ruleset *rs, const char *map, const char *set);
void rule_is_leased(struct ruleset *rs, const char *map, const char *set);
void rule_protocol(struct ruleset *rs, uint8_t protocol);
void rule_family(struct ruleset *rs, uint8_t nfproto);
/* One field equals bytes in network order. */
void rule_is(struct ruleset *rs, enum rule_field field, const void *bytes,
	uint32_t length);
/* A field of IPv6 is (not) an address of the link only. */
void rule_link_local(struct ruleset *rs, enum rule_field field, bool yes);
/* ... is not these bytes. */
void rule_is_not(struct ruleset *rs, enum rule_field field, const void *bytes,
	uint32_t length);
void rule_port(struct ruleset *rs, uint16_t port);
/* Source and destination port together. */
void rule_ports(struct ruleset *rs, uint16_t from, uint16_t to);
/* Any of NF_CT_STATE_BIT()s. */
void rule_ct_state(struct ruleset *rs, uint32_t states);
void rule_ct_direction(struct ruleset *rs, bool reply);
void rule_ct_redirected(struct ruleset *rs, bool yes);
/* Does the kernel forward some of it by itself? */
void rule_ct_offloaded(struct ruleset *rs, bool yes);
void rule_ct_judged(struct ruleset *rs, uint8_t generation);
/* Judged, and nothing else about it is to be looked at. */
void rule_ct_settled(struct ruleset *rs, uint8_t generation);
/* The sender's MAC address is of this group. */
void rule_group(struct ruleset *rs, uint8_t group);
/* Statements. */
/* group: of the device that began it (marks.h). */
void rule_ct_judge(struct ruleset *rs, uint8_t generation, uint8_t group);
/* One that is judged, is settled or not. */
void rule_ct_settle(struct ruleset *rs, bool yes);
/* To a group of NFLOG, the first so many bytes. */
void rule_log(struct ruleset *rs, uint16_t group, uint32_t snaplen,
	const char *prefix);

/* The packet came by our rules; its other marks stay. */
void rule_mark(struct ruleset *rs);
/* Matches what did, or did not, yet. */
void rule_marked(struct ruleset *rs);
void rule_unmarked(struct ruleset *rs);
void rule_count(struct ruleset *rs, const char *counter);
/* Addressed to one other machine, by its link address. */
void rule_to_other(struct ruleset *rs);
/* Not addressed to this machine alone, by its link address. */
void rule_not_to_host(struct ruleset *rs);

#endif
