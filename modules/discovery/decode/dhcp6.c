/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads DHCPv6 of clients: hostile bytes. Touches memory only; must never
 * open what a relay wrapped up, and refuses a message with one wrong length.
 */
#include "modules/discovery/decode/dhcp6.h"

#include <errno.h>
#include <string.h>

#define ETHERNET 1

enum option {
	OPTION_CLIENT_ID = 1,
	OPTION_VENDOR_CLASS = 16,
	OPTION_FQDN = 39,
	OPTION_MUD_URL = 112,
};

enum duid {
	DUID_TIME = 1, /* link-layer address plus time */
	DUID_PLAIN = 3, /* link-layer address */
};

/* Solicit, request, confirm, renew, rebind, release, decline, inform. */
static bool is_of_client(uint32_t type)
{
	return type < 32 &&
	       (1u << type & (1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 |
				     1u << 8 | 1u << 9 | 1u << 11));
}

static void take_duid(struct dhcp6 *dhcp, struct bytes duid)
{
	uint32_t kind, hardware;

	dhcp->duid = duid;
	if (!bytes_number(&duid, 2, &kind) ||
		!bytes_number(&duid, 2, &hardware) || hardware != ETHERNET ||
		(kind != DUID_TIME && kind != DUID_PLAIN))
		return;
	if (kind == DUID_TIME && !bytes_skip(&duid, 4))
		return;
	if (duid.size != sizeof(dhcp->mac))
		return;
	memcpy(&dhcp->mac, duid.at, sizeof(dhcp->mac));
	dhcp->has_mac = true;
}

/* The first of the vendor's strings. */
static int take_vendor_class(struct dhcp6 *dhcp, struct bytes option)
{
	uint32_t length;

	if (!bytes_number(&option, 4, &dhcp->vendor) ||
		!bytes_number(&option, 2, &length) ||
		!bytes_take(&option, length, &dhcp->vendor_class))
		return -EBADMSG;
	return 0;
}

static int take_option(struct dhcp6 *dhcp, uint32_t code, struct bytes option)
{
	switch (code) {
	case OPTION_CLIENT_ID:
		take_duid(dhcp, option);
		break;
	case OPTION_VENDOR_CLASS:
		return take_vendor_class(dhcp, option);
	case OPTION_FQDN:
		if (!bytes_skip(&option, 1))
			return -EBADMSG;
		dhcp->fqdn = option;
		break;
	case OPTION_MUD_URL:
		dhcp->mud_url = option;
		break;
	}
	return 0;
}

int dhcp6_decode(struct bytes all, struct dhcp6 *ret_dhcp)
{
	struct dhcp6 dhcp = {0};
	uint32_t type, code, length;
	struct bytes option;

	if (!bytes_number(&all, 1, &type) || !is_of_client(type) ||
		!bytes_skip(&all, 3))
		return -EBADMSG;
	dhcp.type = (uint8_t)type;
	for (int i = 0; all.size; i++)
		if (i == DHCP6_OPTIONS_MAX || !bytes_number(&all, 2, &code) ||
			!bytes_number(&all, 2, &length) ||
			!bytes_take(&all, length, &option) ||
			take_option(&dhcp, code, option) < 0)
			return -EBADMSG;
	*ret_dhcp = dhcp;
	return 0;
}
