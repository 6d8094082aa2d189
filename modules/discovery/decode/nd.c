/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads messages of neighbour discovery: hostile bytes. Touches memory only;
 * must never go on behind an option without a length.
 */
#include "modules/discovery/decode/nd.h"

#include <errno.h>
#include <string.h>

#define OPTION_SOURCE 1
#define OPTION_TARGET 2
#define OPTION_UNIT 8

/* What stands between the checksum and the options. */
static int take_body(struct bytes *from, struct nd *nd)
{
	struct bytes target;

	switch (nd->kind) {
	case ND_KIND_ROUTER_SOLICITATION:
		return bytes_skip(from, 4) ? 0 : -EBADMSG;
	case ND_KIND_ROUTER_ADVERTISEMENT:
		return bytes_skip(from, 12) ? 0 : -EBADMSG;
	case ND_KIND_SOLICITATION:
	case ND_KIND_ADVERTISEMENT:
		if (!bytes_skip(from, 4) || !bytes_take(from, 16, &target))
			return -EBADMSG;
		nd->target.family = AF_INET6;
		memcpy(nd->target.b, target.at, 16);
		return target.at[0] == 0xff ? -EBADMSG : 0;
	}
	return -EBADMSG;
}

static int take_option(struct bytes *from, struct nd *nd)
{
	uint32_t wanted = nd->kind == ND_KIND_ADVERTISEMENT ? OPTION_TARGET
							    : OPTION_SOURCE;
	struct bytes option;
	uint32_t type, length;

	if (!bytes_number(from, 1, &type) || !bytes_number(from, 1, &length) ||
		!length || !bytes_take(from, length * OPTION_UNIT - 2, &option))
		return -EBADMSG;
	if (type == wanted && length == 1 && !nd->has_mac) {
		memcpy(&nd->mac, option.at, sizeof(nd->mac));
		nd->has_mac = true;
	}
	return 0;
}

int nd_decode(struct bytes all, struct nd *ret_nd)
{
	struct nd nd = {0};
	uint32_t type, code;

	if (!bytes_number(&all, 1, &type) || !bytes_number(&all, 1, &code) ||
		!bytes_skip(&all, 2) || code ||
		type < ND_KIND_ROUTER_SOLICITATION ||
		type > ND_KIND_ADVERTISEMENT)
		return -EBADMSG;
	nd.kind = (enum nd_kind)type;
	if (take_body(&all, &nd) < 0)
		return -EBADMSG;
	for (int i = 0; all.size; i++)
		if (i == ND_OPTIONS_MAX || take_option(&all, &nd) < 0)
			return -EBADMSG;
	*ret_nd = nd;
	return 0;
}
