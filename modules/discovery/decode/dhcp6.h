/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client says of itself in DHCPv6 (RFC 8415, 4704, 8520). Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_DHCP6_H
#define GATEHOUSE_DISCOVERY_DECODE_DHCP6_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"

#define DHCP6_SERVER_PORT 547
#define DHCP6_OPTIONS_MAX 128 /* of one message; more is refused */

struct dhcp6 {
	uint8_t type; /* 1: solicit, 3: request ... */
	bool has_mac; /* its DUID was made from one */
	struct mac mac;
	uint32_t vendor; /* enterprise number of the vendor class */
	/* size 0: not given. fqdn: labels with their lengths. */
	struct bytes duid, vendor_class, fqdn, mud_url;
};

/* -EBADMSG: no client's, or a length that leads out of it. */
_must_check_ int dhcp6_decode(struct bytes all, struct dhcp6 *ret_dhcp);

#endif
