/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An Ethernet frame, behind its 802.1Q tags. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_FRAME_H
#define GATEHOUSE_DISCOVERY_DECODE_FRAME_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"

#define FRAME_TAGS_MAX 2 /* of VLANs; more are not looked behind */

struct frame {
	struct mac from, to;
	uint16_t tags[FRAME_TAGS_MAX]; /* VLAN ids, the outer first */
	uint8_t n_tags;
	uint16_t ethertype; /* 0: of 802.3, which has none */
	struct bytes load;
};

/* -EBADMSG: too short, or from no single card. */
_must_check_ int frame_decode(struct bytes all, struct frame *ret_frame);

#endif
