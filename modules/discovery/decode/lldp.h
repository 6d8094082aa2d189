/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a neighbour says of itself in LLDP (802.1AB; MUD: RFC 8520). Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_LLDP_H
#define GATEHOUSE_DISCOVERY_DECODE_LLDP_H

#include "modules/discovery/decode/bytes.h"

#define LLDP_ETHERTYPE 0x88cc
#define LLDP_MAC 4 /* subtype of a chassis id */
#define LLDP_PORT_MAC 3 /* of a port id */
#define LLDP_TLVS_MAX 128 /* of one message; more is refused */

struct lldp {
	uint8_t chassis_kind, port_kind; /* subtypes */
	/* size 0: not given */
	struct bytes chassis, port, name, description, mud_url;
};

/* -EBADMSG: not in the order of the standard, or a wrong length. */
_must_check_ int lldp_decode(struct bytes all, struct lldp *ret_lldp);

#endif
