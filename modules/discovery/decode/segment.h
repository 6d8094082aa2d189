/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What UDP or TCP carries in an IP packet. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_SEGMENT_H
#define GATEHOUSE_DISCOVERY_DECODE_SEGMENT_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"

struct segment {
	struct ip from, to;
	uint8_t protocol;
	uint16_t from_port, to_port;
	struct bytes load; /* of other protocols: all behind IP */
	uint8_t hops; /* TTL, hop limit */
	bool cut; /* there was more; of a fragment too */
};

/*
 * ethertype: of IPv4 or IPv6. -EBADMSG: none of them, a later fragment, or
 * one whose lengths contradict each other.
 */
_must_check_ int segment_decode(
	uint16_t ethertype, struct bytes all, struct segment *ret_segment);

#endif
