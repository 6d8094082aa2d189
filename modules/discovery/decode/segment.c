/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Behind the heads of IP, UDP and TCP: hostile bytes, maybe cut. Touches
 * memory only; must never take more for the load than what is there and what
 * each length says.
 */
#include "modules/discovery/decode/segment.h"

#include <errno.h>

#include "modules/discovery/packet.h"

#define UDP_HEAD 8
#define TCP_HEAD 20

static int take_ports(struct segment *segment)
{
	uint32_t from, to;

	if (!bytes_number(&segment->load, 2, &from) ||
		!bytes_number(&segment->load, 2, &to))
		return -EBADMSG;
	segment->from_port = (uint16_t)from;
	segment->to_port = (uint16_t)to;
	return 0;
}

static int take_udp(struct segment *segment)
{
	uint32_t length;

	if (take_ports(segment) < 0 ||
		!bytes_number(&segment->load, 2, &length) ||
		!bytes_skip(&segment->load, 2) || length < UDP_HEAD)
		return -EBADMSG;
	length -= UDP_HEAD;
	if (length > segment->load.size && !segment->cut)
		return -EBADMSG;
	if (length < segment->load.size) {
		segment->load.size = length;
		segment->cut = false;
	}
	return 0;
}

static int take_tcp(struct segment *segment)
{
	uint32_t flags;
	size_t head;

	if (take_ports(segment) < 0 || !bytes_skip(&segment->load, 8) ||
		!bytes_number(&segment->load, 2, &flags) ||
		!bytes_skip(&segment->load, 6))
		return -EBADMSG;
	head = (flags >> 12) * 4;
	if (head < TCP_HEAD || !bytes_skip(&segment->load, head - TCP_HEAD))
		return -EBADMSG;
	return 0;
}

int segment_decode(
	uint16_t ethertype, struct bytes all, struct segment *ret_segment)
{
	struct packet_load load;
	struct segment segment;
	int r = packet_find_load(ethertype, all.at, all.size, &load);

	if (r < 0)
		return r;
	if (load.later)
		return -EBADMSG;
	segment = (struct segment){.from = load.from,
		.to = load.to,
		.protocol = load.protocol,
		.load = {load.bytes, load.size},
		.hops = load.hops,
		.cut = load.cut};
	if (load.protocol == IPPROTO_UDP)
		r = take_udp(&segment);
	else if (load.protocol == IPPROTO_TCP)
		r = take_tcp(&segment);
	if (r == 0)
		*ret_segment = segment;
	return r;
}
