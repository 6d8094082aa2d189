/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the head of an Ethernet frame off: hostile bytes. Touches memory
 * only; must never take a group or nobody for a sender.
 */
#include "modules/discovery/decode/frame.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define VLAN_ID 0xfff

static bool take_mac(struct bytes *from, struct mac *ret_mac)
{
	struct bytes part;

	if (!bytes_take(from, sizeof(*ret_mac), &part))
		return false;
	memcpy(ret_mac, part.at, sizeof(*ret_mac));
	return true;
}

static bool is_tag(uint32_t ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD;
}

int frame_decode(struct bytes all, struct frame *ret_frame)
{
	static const struct mac nobody;
	struct frame frame = {0};
	uint32_t type, tag;

	if (!take_mac(&all, &frame.to) || !take_mac(&all, &frame.from) ||
		!bytes_number(&all, 2, &type))
		return -EBADMSG;
	if ((frame.from.b[0] & 1) || mac_equal(&frame.from, &nobody))
		return -EBADMSG;
	while (is_tag(type) && frame.n_tags < FRAME_TAGS_MAX) {
		if (!bytes_number(&all, 2, &tag) ||
			!bytes_number(&all, 2, &type))
			return -EBADMSG;
		frame.tags[frame.n_tags++] = (uint16_t)(tag & VLAN_ID);
	}
	frame.ethertype = type < ETH_P_802_3_MIN ? 0 : (uint16_t)type;
	frame.load = all;
	*ret_frame = frame;
	return 0;
}
