/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client says of itself in DHCP (RFC 2131, 3396, 8520). Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_DHCP4_H
#define GATEHOUSE_DISCOVERY_DECODE_DHCP4_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"

#define DHCP4_SERVER_PORT 67
#define DHCP4_OPTION_MAX 512 /* bytes of an option with all its parts */

/* An option is put together from its parts, so it has a place of its own. */
struct dhcp4_option {
	uint16_t size; /* 0: not given */
	uint8_t bytes[DHCP4_OPTION_MAX];
};

struct dhcp4 {
	struct mac client;
	bool relayed; /* somebody else passed it on */
	uint8_t type; /* 1: discover, 3: request ...; 0: BOOTP */
	struct dhcp4_option hostname; /* 12 */
	struct dhcp4_option parameters; /* 55 */
	struct dhcp4_option vendor_class; /* 60 */
	struct dhcp4_option client_id; /* 61 */
	struct dhcp4_option user_class; /* 77 */
	struct dhcp4_option mud_url; /* 161 */
};

/*
 * A message of a client. -EBADMSG: none, or one with a length that leads out
 * of it; -EMSGSIZE: an option that is longer than any has to be.
 */
_must_check_ int dhcp4_decode(struct bytes all, struct dhcp4 *ret_dhcp);

#endif
