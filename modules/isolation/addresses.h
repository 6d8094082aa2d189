/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses devices were seen with, also long ago: a connection lives
 * longer than the neighbour entry that says whose it is. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_ADDRESSES_H
#define GATEHOUSE_ISOLATION_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/list.h"
#include "agent/lib/net.h"

/* Of one device; the one not seen for longest makes place. */
#define ADDRESSES_EACH 16

struct addresses_row {
	struct list link;
	struct mac mac;
	uint16_t n;
	int32_t index; /* of the interface it was seen on last */
	struct ip ip[ADDRESSES_EACH]; /* the last seen first */
};

struct addresses {
	void *tree; /* by MAC */
	struct list all;
	size_t n;
};
void addresses_init(struct addresses *addresses);

/* Only of devices: what strangers make up would have no bound. */
void addresses_add(struct addresses *addresses, const struct mac *mac,
	int32_t index, const struct ip *ip);
/* NULL: never seen. */
const struct addresses_row *addresses_of(
	const struct addresses *addresses, const struct mac *mac);
/* Who had the address; NULL: nobody. */
const struct addresses_row *addresses_find(
	const struct addresses *addresses, const struct ip *ip);
void addresses_drop(struct addresses *addresses, const struct mac *mac);
/* Drops whom keep() does not know any more. */
void addresses_sweep(struct addresses *addresses,
	bool (*keep)(const struct mac *mac, void *arg), void *arg);
void addresses_free(struct addresses *addresses);

#endif
