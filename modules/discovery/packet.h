/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of a packet: from bytes to addresses, protocol and port. Pure. */
#ifndef GATEHOUSE_DISCOVERY_PACKET_H
#define GATEHOUSE_DISCOVERY_PACKET_H

#include <stddef.h>

#include "agent/lib/net.h"

#define PACKET_ARP 0 /* instead of a protocol */
#define PACKET_EXTENSIONS_MAX 8 /* headers of IPv6 that are looked behind */

struct packet_head {
	/*
	 * family 0: no IP packet. Of a question who has an address (ARP,
	 * neighbour solicitation) to is that address.
	 */
	struct ip from, to;
	uint8_t protocol; /* behind extension headers */
	uint16_t port; /* destination; ICMP: type << 8 | code; else 0 */
};

/*
 * The first bytes of a packet, from its network header on. What is cut off
 * behind the addresses leaves port 0. -EBADMSG: not even addresses.
 */
_must_check_ int packet_decode(uint16_t ethertype, const uint8_t *bytes,
	size_t length, struct packet_head *ret_head);

/* What IP carries, behind options and extension headers. */
struct packet_load {
	struct ip from, to;
	uint8_t protocol;
	uint8_t hops; /* TTL, hop limit */
	bool later; /* a fragment that is not the first */
	bool cut; /* there is more of it than here */
	const uint8_t *bytes;
	size_t size; /* at most what the packet says */
	size_t said; /* what it says */
};

/* ethertype: of IPv4 or IPv6. -EBADMSG: neither, or not even its head. */
_must_check_ int packet_find_load(uint16_t ethertype, const uint8_t *bytes,
	size_t length, struct packet_load *ret_load);

#endif
