/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARP of IPv4 on Ethernet. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_ARP_H
#define GATEHOUSE_DISCOVERY_DECODE_ARP_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"

enum arp_kind {
	ARP_KIND_REQUEST = 1,
	ARP_KIND_REPLY = 2,
};

struct arp {
	enum arp_kind kind;
	struct mac sender;
	struct ip from, to; /* from 0.0.0.0: it only asks whether to is free */
};

/* -EBADMSG. */
_must_check_ int arp_decode(struct bytes all, struct arp *ret_arp);

#endif
