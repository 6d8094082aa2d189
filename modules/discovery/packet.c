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
#define IP6_OFFSET 0xfff8

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

static int decode4(
	const uint8_t *bytes, size_t length, struct packet_head *head)
{
	size_t own;

	if (length < IP4_HEAD || bytes[0] >> 4 != 4)
		return -EBADMSG;
	own = (size_t)(bytes[0] & 15) * 4;
	if (own < IP4_HEAD)
		return -EBADMSG;
	head->from.family = head->to.family = AF_INET;
	memcpy(head->from.b, bytes + 12, 4);
	memcpy(head->to.b, bytes + 16, 4);
	head->protocol = bytes[9];
	/* A later fragment has no ports. */
	if (length > own && !(be16(bytes + 6) & IP4_OFFSET))
		head->port = port_of(head->protocol, bytes + own, length - own);
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

static int decode6(
	const uint8_t *bytes, size_t length, struct packet_head *head)
{
	const uint8_t *at, *end;
	bool later = false;

	if (length < IP6_HEAD || bytes[0] >> 4 != 6)
		return -EBADMSG;
	at = bytes + IP6_HEAD;
	end = bytes + length;
	head->from.family = head->to.family = AF_INET6;
	memcpy(head->from.b, bytes + 8, 16);
	memcpy(head->to.b, bytes + 24, 16);
	head->protocol = bytes[6];
	for (int i = 0; i < PACKET_EXTENSIONS_MAX && !later; i++) {
		uint8_t now = head->protocol;
		size_t own;

		if (!is_extension(now) || end - at < 8)
			break;
		own = extension_length(now, at);
		later = now == IPPROTO_FRAGMENT && (be16(at + 2) & IP6_OFFSET);
		head->protocol = at[0];
		if ((size_t)(end - at) < own)
			return 0;
		at += own;
	}
	if (later)
		return 0;
	head->port = port_of(head->protocol, at, (size_t)(end - at));
	if (head->protocol == IPPROTO_ICMPV6 &&
		head->port >> 8 == SOLICITATION && end - at >= 24)
		memcpy(head->to.b, at + 8, 16);
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

	if (ethertype == ETH_P_IP)
		r = decode4(bytes, length, &head);
	else if (ethertype == ETH_P_ARP)
		r = decode_arp(bytes, length, &head);
	else if (ethertype == ETH_P_IPV6)
		r = decode6(bytes, length, &head);
	if (r == 0)
		*ret_head = head;
	return r;
}
