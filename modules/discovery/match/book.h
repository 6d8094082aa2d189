/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence of many cards, each piece once, in bounded memory. Pure. */
#ifndef GATEHOUSE_DISCOVERY_MATCH_BOOK_H
#define GATEHOUSE_DISCOVERY_MATCH_BOOK_H

#include <stddef.h>

#include "agent/lib/net.h"

#define BOOK_DEVICES_MAX 16384
#define BOOK_ITEMS_MAX 65536 /* of all devices */
#define BOOK_KIND_MAX 8 /* different values of one kind, of one device */

struct book_item {
	struct book_item *next;
	unsigned kind;
	uint64_t times;
	int64_t first, last; /* wall clock seconds */
	char value[]; /* text */
};

struct book_device {
	struct mac mac;
	struct book_item *items; /* by kind, then in the order of coming */
	size_t n_items;
	uint64_t left_out; /* pieces that found no place */
};

struct book {
	struct book_device **devices;
	size_t n, room;
	void *tree; /* the same, to be searched */
	size_t n_items;
	uint64_t left_out; /* of cards that found no place */
};

/* -ENOMEM; what is past a limit is counted and no error. */
_must_check_ int book_add(struct book *book, const struct mac *mac,
	unsigned kind, const char *value, int64_t now);
/* In the order of addresses, in devices[]. */
void book_sort(struct book *book);
void book_clear(struct book *book);

#endif
