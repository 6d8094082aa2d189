/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the head of a packet that a device sent: hostile bytes, of which any
 * number may be missing. Touches memory only; must never look behind the
 * length it was given nor trust a length that the packet says.
 */
#include "modules/discovery/packet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define IP4_HEAD 20
#define IP6_HEAD 40
#define ARP_SIZE 28
#define SOLICITATION 135 /* ICMPv6: who has an address */
#define IP4_OFFSET 0x1fff /* of a fragment, in units of eight bytes */
#define IP4_MORE 0x2000 /* fragments follow */
#define IP6_OFFSET 0xfff8
#define IP6_MORE 1

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The first bytes behind the IP headers. */
static uint16_t port_of(uint8_t protocol, const uint8_t *at, size_t left)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return left >= 4 ? be16(at + 2) : 0;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return left >= 2 ? be16(at) : 0;
	}
	return 0;
}

static int find4(const uint8_t *bytes, size_t length, struct packet_load *load)
{
	size_t own, total;

	if (length < IP4_HEAD || bytes[0] >> 4 != 4)
		return -EBADMSG;
	own = (size_t)(bytes[0] & 15) * 4;
	if (own < IP4_HEAD)
		return -EBADMSG;
	load->from.family = load->to.family = AF_INET;
	memcpy(load->from.b, bytes + 12, 4);
	memcpy(load->to.b, bytes + 16, 4);
	load->hops = bytes[8];
	load->protocol = bytes[9];
	load->later = be16(bytes + 6) & IP4_OFFSET;
	load->cut = be16(bytes + 6) & IP4_MORE;
	total = be16(bytes + 2);
	load->said = total > own ? total - own : 0;
	if (own > length)
		own = length;
	load->bytes = bytes + own;
	load->size = length - own;
	return 0;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_AH;
}

static size_t extension_length(uint8_t protocol, const uint8_t *at)
{
	if (protocol == IPPROTO_FRAGMENT)
		return 8;
	if (protocol == IPPROTO_AH)
		return ((size_t)at[1] + 2) * 4;
	return ((size_t)at[1] + 1) * 8;
}

/* Behind the extension headers; protocol 0 and all cut is never a mistake. */
static void skip_extensions(struct packet_load *load)
{
	for (int i = 0; i < PACKET_EXTENSIONS_MAX && !load->later; i++) {
		uint8_t now = load->protocol;
		const uint8_t *at = load->bytes;
		size_t own;

		if (!is_extension(now) || load->size < 8)
			break;
		own = extension_length(now, at);
		if (now == IPPROTO_FRAGMENT) {
			load->later = be16(at + 2) & IP6_OFFSET;
			load->cut = be16(at + 2) & IP6_MORE;
		}
		load->protocol = at[0];
		load->said -= own < load->said ? own : load->said;
		if (own > load->size)
			own = load->size;
		load->bytes += own;
		load->size -= own;
	}
}

static int find6(const uint8_t *bytes, size_t length, struct packet_load *load)
{
	if (length < IP6_HEAD || bytes[0] >> 4 != 6)
		return -EBADMSG;
	load->from.family = load->to.family = AF_INET6;
	memcpy(load->from.b, bytes + 8, 16);
	memcpy(load->to.b, bytes + 24, 16);
	load->said = be16(bytes + 4);
	load->protocol = bytes[6];
	load->hops = bytes[7];
	load->bytes = bytes + IP6_HEAD;
	load->size = length - IP6_HEAD;
	skip_extensions(load);
	return 0;
}

static int find_load(uint16_t ethertype, const uint8_t *bytes, size_t length,
	struct packet_load *load)
{
	if (ethertype == ETH_P_IP)
		return find4(bytes, length, load);
	if (ethertype == ETH_P_IPV6)
		return find6(bytes, length, load);
	return -EBADMSG;
}

int packet_find_load(uint16_t ethertype, const uint8_t *bytes, size_t length,
	struct packet_load *ret_load)
{
	struct packet_load load = {0};
	int r = find_load(ethertype, bytes, length, &load);

	if (r < 0)
		return r;
	if (load.said > load.size)
		load.cut = true;
	else
		load.size = load.said;
	*ret_load = load;
	return 0;
}

/* A cut packet is told as far as it goes. */
static int decode_ip(uint16_t ethertype, const uint8_t *bytes, size_t length,
	struct packet_head *head)
{
	struct packet_load load = {0};
	int r = find_load(ethertype, bytes, length, &load);

	if (r < 0)
		return r;
	head->from = load.from;
	head->to = load.to;
	head->protocol = load.protocol;
	/* A later fragment has no ports. */
	if (load.later)
		return 0;
	head->port = port_of(load.protocol, load.bytes, load.size);
	if (ethertype == ETH_P_IPV6 && load.protocol == IPPROTO_ICMPV6 &&
		head->port >> 8 == SOLICITATION && load.size >= 24)
		memcpy(head->to.b, load.bytes + 8, 16);
	return 0;
}

static int decode_arp(
	const uint8_t *bytes, size_t length, struct packet_head *head)
{
	static const uint8_t of_ip4[] = {0, 1, 8, 0, 6, 4};

	if (length < ARP_SIZE || memcmp(bytes, of_ip4, sizeof(of_ip4)) != 0)
		return -EBADMSG;
	head->from.family = head->to.family = AF_INET;
	memcpy(head->from.b, bytes + 14, 4);
	memcpy(head->to.b, bytes + 24, 4);
	head->protocol = PACKET_ARP;
	return 0;
}

int packet_decode(uint16_t ethertype, const uint8_t *bytes, size_t length,
	struct packet_head *ret_head)
{
	struct packet_head head = {0};
	int r = 0;

	if (ethertype == ETH_P_IP || ethertype == ETH_P_IPV6)
		r = decode_ip(ethertype, bytes, length, &head);
	else if (ethertype == ETH_P_ARP)
		r = decode_arp(bytes, length, &head);
	if (r == 0)
		*ret_head = head;
	return r;
}
