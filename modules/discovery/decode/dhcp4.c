/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads DHCP of clients: hostile bytes. Touches memory only; must never
 * believe a length, and refuses a message whole that has a wrong one.
 */
#include "modules/discovery/decode/dhcp4.h"

#include <errno.h>
#include <string.h>

#define FIXED 240 /* with the magic number */
#define MAC_AT 28
#define SNAME_AT 44
#define SNAME_SIZE 64
#define FILE_AT 108
#define FILE_SIZE 128
#define MAGIC_AT 236

enum option {
	OPTION_PAD = 0,
	OPTION_HOSTNAME = 12,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_PARAMETERS = 55,
	OPTION_VENDOR_CLASS = 60,
	OPTION_CLIENT_ID = 61,
	OPTION_USER_CLASS = 77,
	OPTION_MUD_URL = 161,
	OPTION_END = 255,
};

enum overload {
	OVERLOAD_FILE = 1,
	OVERLOAD_SNAME = 2,
};

static struct dhcp4_option *find_place(struct dhcp4 *dhcp, uint32_t code)
{
	switch (code) {
	case OPTION_HOSTNAME:
		return &dhcp->hostname;
	case OPTION_PARAMETERS:
		return &dhcp->parameters;
	case OPTION_VENDOR_CLASS:
		return &dhcp->vendor_class;
	case OPTION_CLIENT_ID:
		return &dhcp->client_id;
	case OPTION_USER_CLASS:
		return &dhcp->user_class;
	case OPTION_MUD_URL:
		return &dhcp->mud_url;
	}
	return NULL;
}

/* Parts of one option belong together, wherever they stand (RFC 3396). */
static int append(struct dhcp4_option *option, struct bytes part)
{
	if (part.size + option->size > DHCP4_OPTION_MAX)
		return -EMSGSIZE;
	memcpy(option->bytes + option->size, part.at, part.size);
	option->size = (uint16_t)(option->size + part.size);
	return 0;
}

static int take_options(
	struct dhcp4 *dhcp, struct bytes from, uint32_t *overload)
{
	uint32_t code, length;
	struct bytes part;

	while (bytes_number(&from, 1, &code) && code != OPTION_END) {
		struct dhcp4_option *place = find_place(dhcp, code);
		int r = 0;

		if (code == OPTION_PAD)
			continue;
		if (!bytes_number(&from, 1, &length) ||
			!bytes_take(&from, length, &part))
			return -EBADMSG;
		if (place)
			r = append(place, part);
		else if (code == OPTION_TYPE && length == 1)
			dhcp->type = part.at[0];
		else if (code == OPTION_OVERLOAD && length == 1 && overload)
			*overload = part.at[0];
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_of_client(struct bytes all)
{
	static const uint8_t ethernet[] = {1, 1, 6},
			     magic[] = {99, 130, 83, 99};

	return all.size >= FIXED &&
	       !memcmp(all.at, ethernet, sizeof(ethernet)) &&
	       !memcmp(all.at + MAGIC_AT, magic, sizeof(magic));
}

int dhcp4_decode(struct bytes all, struct dhcp4 *ret_dhcp)
{
	static const uint8_t no_relay[4];
	uint32_t overload = 0;
	struct dhcp4 *dhcp = ret_dhcp;
	int r;

	if (!is_of_client(all))
		return -EBADMSG;
	memset(dhcp, 0, sizeof(*dhcp));
	memcpy(&dhcp->client, all.at + MAC_AT, sizeof(dhcp->client));
	dhcp->relayed = memcmp(all.at + 24, no_relay, sizeof(no_relay)) != 0;
	r = take_options(dhcp, (struct bytes){all.at + FIXED, all.size - FIXED},
		&overload);
	if (r == 0 && (overload & OVERLOAD_FILE))
		r = take_options(dhcp,
			(struct bytes){all.at + FILE_AT, FILE_SIZE}, NULL);
	if (r == 0 && (overload & OVERLOAD_SNAME))
		r = take_options(dhcp,
			(struct bytes){all.at + SNAME_AT, SNAME_SIZE}, NULL);
	return r;
}
