/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends each frame to its decoder and the outcome on as evidence. Touches
 * memory only. Must never note for one card what another one's frame said.
 */
#include "modules/discovery/match/gather.h"

#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "modules/discovery/decode/arp.h"
#include "modules/discovery/decode/lldp.h"
#include "modules/discovery/decode/nd.h"
#include "modules/discovery/match/gather_priv.h"

void gather_tell(const struct about *about, unsigned kind, struct bytes value)
{
	char text[DISCOVERY_VALUE];

	if (evidence_take(kind, value, text))
		about->gather->tell(about->gather->arg, about->mac, kind, text);
}

void gather_tell_text(
	const struct about *about, unsigned kind, const char *text)
{
	gather_tell(about, kind,
		(struct bytes){(const uint8_t *)text, strlen(text)});
}

static bool is_unspecified(const struct ip *ip)
{
	static const uint8_t zero[16];

	return !memcmp(ip->b, zero, sizeof(zero));
}

static void tell_address(
	const struct about *about, unsigned kind, const struct ip *ip)
{
	char text[IP_TEXT];

	if (!is_unspecified(ip))
		gather_tell_text(about, kind, ip_format(ip, text));
}

/* Whoever answers or asks for another card is not heard. */
static int take_arp(const struct about *about, struct bytes load)
{
	struct arp arp;
	int r = arp_decode(load, &arp);

	if (r == 0 && mac_equal(&arp.sender, about->mac))
		tell_address(about, DISCOVERY_EVIDENCE_ARP_ADDRESS, &arp.from);
	return r;
}

static int take_nd(const struct about *about, const struct segment *segment)
{
	struct nd nd;
	int r;

	/* Other messages of ICMPv6 are nobody's identity. */
	if (!segment->load.size ||
		segment->load.at[0] < ND_KIND_ROUTER_SOLICITATION ||
		segment->load.at[0] > ND_KIND_ADVERTISEMENT ||
		segment->hops != ND_HOPS)
		return 0;
	r = nd_decode(segment->load, &nd);
	if (r < 0 || (nd.has_mac && !mac_equal(&nd.mac, about->mac)))
		return r;
	switch (nd.kind) {
	case ND_KIND_ROUTER_ADVERTISEMENT:
		tell_address(
			about, DISCOVERY_EVIDENCE_ND_ROUTER, &segment->from);
		break;
	case ND_KIND_ADVERTISEMENT:
		tell_address(about, DISCOVERY_EVIDENCE_ND_ADDRESS, &nd.target);
		break;
	case ND_KIND_SOLICITATION:
		/* From nobody: it tries whether the target is free. */
		tell_address(about, DISCOVERY_EVIDENCE_ND_ADDRESS,
			is_unspecified(&segment->from) ? &nd.target
						       : &segment->from);
		break;
	case ND_KIND_ROUTER_SOLICITATION:
		tell_address(
			about, DISCOVERY_EVIDENCE_ND_ADDRESS, &segment->from);
		break;
	}
	return 0;
}

static void tell_id(
	const struct about *about, unsigned kind, struct bytes id, bool is_mac)
{
	char text[MAC_TEXT];
	struct mac mac;

	if (!is_mac || id.size != sizeof(mac)) {
		gather_tell(about, kind, id);
		return;
	}
	memcpy(&mac, id.at, sizeof(mac));
	gather_tell_text(about, kind, mac_format(&mac, text));
}

static int take_lldp(const struct about *about, struct bytes load)
{
	struct lldp lldp;
	int r = lldp_decode(load, &lldp);

	if (r < 0)
		return r;
	tell_id(about, DISCOVERY_EVIDENCE_LLDP_CHASSIS, lldp.chassis,
		lldp.chassis_kind == LLDP_MAC);
	tell_id(about, DISCOVERY_EVIDENCE_LLDP_PORT, lldp.port,
		lldp.port_kind == LLDP_PORT_MAC);
	gather_tell(about, DISCOVERY_EVIDENCE_LLDP_NAME, lldp.name);
	gather_tell(
		about, DISCOVERY_EVIDENCE_LLDP_DESCRIPTION, lldp.description);
	gather_tell(about, DISCOVERY_EVIDENCE_LLDP_MUD, lldp.mud_url);
	return 0;
}

static int take_ip(
	const struct about *about, uint16_t ethertype, struct bytes load)
{
	struct segment segment;
	int r = segment_decode(ethertype, load, &segment);

	if (r < 0)
		return r;
	switch (segment.protocol) {
	case IPPROTO_ICMPV6:
		return take_nd(about, &segment);
	case IPPROTO_UDP:
		return gather_udp(about, &segment);
	case IPPROTO_TCP:
		gather_tcp(about, &segment);
		break;
	}
	return 0;
}

void gather_packet(struct gather *gather, const struct mac *mac,
	uint16_t ethertype, struct bytes packet)
{
	const struct about about = {gather, mac};
	int r = 0;

	switch (ethertype) {
	case ETH_P_ARP:
		r = take_arp(&about, packet);
		break;
	case ETH_P_IP:
	case ETH_P_IPV6:
		r = take_ip(&about, ethertype, packet);
		break;
	case LLDP_ETHERTYPE:
		r = take_lldp(&about, packet);
		break;
	}
	gather->unread += r < 0;
}

void gather_frame(struct gather *gather, struct bytes bytes)
{
	struct frame frame;

	if (frame_decode(bytes, &frame) < 0)
		gather->unread++;
	else
		gather_packet(gather, &frame.from, frame.ethertype, frame.load);
}
