/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads who says in ARP to have which address: hostile bytes. Touches memory
 * only; must never call another protocol's message ARP of IPv4.
 */
#include "modules/discovery/decode/arp.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "modules/discovery/packet.h"

#define KIND_AT 6
#define SENDER_AT 8

int arp_decode(struct bytes all, struct arp *ret_arp)
{
	struct packet_head head;
	struct arp arp;
	int r = packet_decode(ETH_P_ARP, all.at, all.size, &head);

	if (r < 0)
		return r;
	if (all.at[KIND_AT] || (all.at[KIND_AT + 1] != ARP_KIND_REQUEST &&
				       all.at[KIND_AT + 1] != ARP_KIND_REPLY))
		return -EBADMSG;
	arp.kind = (enum arp_kind)all.at[KIND_AT + 1];
	memcpy(&arp.sender, all.at + SENDER_AT, sizeof(arp.sender));
	arp.from = head.from;
	arp.to = head.to;
	*ret_arp = arp;
	return 0;
}
