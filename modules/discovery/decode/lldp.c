/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads LLDP: hostile bytes. Touches memory only; must never read behind an
 * element that says to be longer than what is there.
 */
#include "modules/discovery/decode/lldp.h"

#include <errno.h>
#include <string.h>

enum tlv {
	TLV_END = 0,
	TLV_CHASSIS = 1,
	TLV_PORT = 2,
	TLV_TTL = 3,
	TLV_NAME = 5,
	TLV_DESCRIPTION = 6,
	TLV_OTHERS = 127, /* some organisation's */
};

static int take_id(struct bytes value, uint8_t *kind, struct bytes *id)
{
	uint32_t subtype;

	if (!bytes_number(&value, 1, &subtype) || !value.size)
		return -EBADMSG;
	*kind = (uint8_t)subtype;
	*id = value;
	return 0;
}

static void take_others(struct lldp *lldp, struct bytes value)
{
	static const uint8_t mud[] = {0x00, 0x00, 0x5e, 1};
	struct bytes head;

	if (bytes_take(&value, sizeof(mud), &head) &&
		!memcmp(head.at, mud, sizeof(mud)))
		lldp->mud_url = value;
}

/* The first three have fixed places and stand nowhere else. */
static bool in_order(int place, uint32_t type)
{
	if (place < 3)
		return type == (uint32_t)place + TLV_CHASSIS;
	return type > TLV_TTL || type == TLV_END;
}

static int take(struct lldp *lldp, uint32_t type, struct bytes value)
{
	switch (type) {
	case TLV_CHASSIS:
		return take_id(value, &lldp->chassis_kind, &lldp->chassis);
	case TLV_PORT:
		return take_id(value, &lldp->port_kind, &lldp->port);
	case TLV_TTL:
		return value.size >= 2 ? 0 : -EBADMSG;
	case TLV_NAME:
		lldp->name = value;
		break;
	case TLV_DESCRIPTION:
		lldp->description = value;
		break;
	case TLV_OTHERS:
		take_others(lldp, value);
		break;
	}
	return 0;
}

int lldp_decode(struct bytes all, struct lldp *ret_lldp)
{
	struct lldp lldp = {0};
	struct bytes value;
	uint32_t head;
	int i;

	for (i = 0; i < LLDP_TLVS_MAX && all.size; i++) {
		if (!bytes_number(&all, 2, &head) || !in_order(i, head >> 9) ||
			!bytes_take(&all, head & 0x1ff, &value) ||
			take(&lldp, head >> 9, value) < 0)
			return -EBADMSG;
		if (head >> 9 == TLV_END)
			break;
	}
	if (i < 3 || i == LLDP_TLVS_MAX)
		return -EBADMSG;
	*ret_lldp = lldp;
	return 0;
}
