/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allow lines that are more than one address and one port, as boxes of
 * addresses, protocols and ports. The kernel's interval sets refuse elements
 * that overlap, people's lines do overlap: here they are cut until no two
 * share anything and all together mean the same as before. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_BOXES_H
#define GATEHOUSE_ISOLATION_BOXES_H

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define BOXES_MAX 8192 /* of all devices: lookups grow with them */

/* Network order, so that bytes compare like numbers. */
enum boxes_side {
	BOXES_ADDRESS = 0,
	BOXES_PROTOCOL = 1,
	BOXES_PORT = 2,
	BOXES_SIDES = 3,
};

struct box {
	struct {
		uint8_t first[16], last[16];
	} side[BOXES_SIDES];
};

struct boxes {
	struct box *box;
	size_t n, room;
};

/* Adds what of box is not in already. -ENOSPC past most. */
_must_check_ int boxes_add(
	struct boxes *boxes, const struct box *box, size_t most);
void boxes_free(struct boxes *boxes);

#endif
