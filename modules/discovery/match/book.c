/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps evidence. Touches memory only; must never grow past its limits,
 * however many cards speak and whatever they say.
 */
#include "modules/discovery/match/book.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return memcmp(&((const struct book_device *)a)->mac,
		&((const struct book_device *)b)->mac, sizeof(struct mac));
}

static int grow(struct book *book)
{
	size_t room = book->room ? book->room * 2 : 64;
	struct book_device **devices;

	if (book->n < book->room)
		return 0;
	devices = realloc(book->devices, room * sizeof(devices[0]));
	if (!devices)
		return -ENOMEM;
	book->devices = devices;
	book->room = room;
	return 0;
}

static int add_device(struct book *book, const struct mac *mac,
	struct book_device **ret_device)
{
	struct book_device *device;
	int r = grow(book);

	if (r < 0)
		return r;
	device = calloc(1, sizeof(*device));
	if (!device)
		return -ENOMEM;
	device->mac = *mac;
	if (!tsearch(device, &book->tree, compare)) {
		free(device);
		return -ENOMEM;
	}
	book->devices[book->n++] = device;
	*ret_device = device;
	return 0;
}

/* -ENOSPC: no place for another card. */
static int find_device(struct book *book, const struct mac *mac,
	struct book_device **ret_device)
{
	struct book_device wanted = {.mac = *mac};
	struct book_device **found = tfind(&wanted, &book->tree, compare);

	if (found) {
		*ret_device = *found;
		return 0;
	}
	if (book->n == BOOK_DEVICES_MAX)
		return -ENOSPC;
	return add_device(book, mac, ret_device);
}

static int add_item(struct book *book, struct book_device *device,
	struct book_item **place, unsigned kind, const char *value, int64_t now)
{
	size_t size = strlen(value) + 1;
	struct book_item *item = malloc(sizeof(*item) + size);

	if (!item)
		return -ENOMEM;
	*item = (struct book_item){.next = *place,
		.kind = kind,
		.times = 1,
		.first = now,
		.last = now};
	memcpy(item->value, value, size);
	*place = item;
	device->n_items++;
	book->n_items++;
	return 0;
}

int book_add(struct book *book, const struct mac *mac, unsigned kind,
	const char *value, int64_t now)
{
	struct book_device *device;
	struct book_item **place;
	size_t same = 0;
	int r = find_device(book, mac, &device);

	if (r < 0) {
		book->left_out += r == -ENOSPC;
		return r == -ENOSPC ? 0 : r;
	}
	for (place = &device->items; *place && (*place)->kind <= kind;
		place = &(*place)->next) {
		if ((*place)->kind != kind)
			continue;
		same++;
		if (strcmp((*place)->value, value) == 0) {
			(*place)->times++;
			(*place)->last = now;
			return 0;
		}
	}
	if (same >= BOOK_KIND_MAX || book->n_items == BOOK_ITEMS_MAX) {
		device->left_out++;
		return 0;
	}
	return add_item(book, device, place, kind, value, now);
}

static int compare_places(const void *a, const void *b)
{
	return compare(*(struct book_device *const *)a,
		*(struct book_device *const *)b);
}

void book_sort(struct book *book)
{
	if (book->n)
		qsort(book->devices, book->n, sizeof(book->devices[0]),
			compare_places);
}

void book_clear(struct book *book)
{
	for (size_t i = 0; i < book->n; i++) {
		struct book_device *device = book->devices[i];

		tdelete(device, &book->tree, compare);
		while (device->items) {
			struct book_item *next = device->items->next;

			free(device->items);
			device->items = next;
		}
		free(device);
	}
	free(book->devices);
	*book = (struct book){0};
}
