/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbour discovery of IPv6: solicitations and advertisements. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_ND_H
#define GATEHOUSE_DISCOVERY_DECODE_ND_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"

#define ND_HOPS 255 /* with fewer left it came from another link */
#define ND_OPTIONS_MAX 64 /* of one message; more is refused */

enum nd_kind {
	ND_KIND_ROUTER_SOLICITATION = 133,
	ND_KIND_ROUTER_ADVERTISEMENT = 134,
	ND_KIND_SOLICITATION = 135,
	ND_KIND_ADVERTISEMENT = 136,
};

struct nd {
	enum nd_kind kind;
	struct ip target; /* family 0: it is about routers */
	bool has_mac; /* the option that says the link-layer address */
	struct mac mac; /* the sender's; of an advertisement the target's */
};

/* From ICMPv6 on. -EBADMSG. */
_must_check_ int nd_decode(struct bytes all, struct nd *ret_nd);

#endif
