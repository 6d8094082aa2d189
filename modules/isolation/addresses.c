/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remembers addresses of devices. Touches memory only; must never hold more
 * than ADDRESSES_EACH of one device, whatever it does.
 */
#include "modules/isolation/addresses.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/batch.h"

void addresses_init(struct addresses *addresses)
{
	*addresses = (struct addresses){0};
	list_init(&addresses->all);
}

static int by_mac(const void *a, const void *b)
{
	const struct addresses_row *x = a, *y = b;

	return memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

static struct addresses_row *find_row(
	const struct addresses *addresses, const struct mac *mac)
{
	const struct addresses_row key = {.mac = *mac};
	struct addresses_row **found = tfind(
		&key, (void *const *)&addresses->tree, by_mac);

	return found ? *found : NULL;
}

static struct addresses_row *new_row(
	struct addresses *addresses, const struct mac *mac)
{
	struct addresses_row *row = must_have(calloc(1, sizeof(*row)));

	row->mac = *mac;
	must_have(tsearch(row, &addresses->tree, by_mac));
	list_append(&addresses->all, &row->link);
	addresses->n++;
	return row;
}

void addresses_add(struct addresses *addresses, const struct mac *mac,
	int32_t index, const struct ip *ip)
{
	struct addresses_row *row = find_row(addresses, mac);
	size_t at = 0;

	if (!row)
		row = new_row(addresses, mac);
	row->index = index;
	while (at < row->n && !ip_equal(&row->ip[at], ip))
		at++;
	if (at == row->n && row->n < ADDRESSES_EACH)
		row->n++;
	else if (at == row->n)
		at--;
	memmove(row->ip + 1, row->ip, at * sizeof(*ip));
	row->ip[0] = *ip;
}

const struct addresses_row *addresses_of(
	const struct addresses *addresses, const struct mac *mac)
{
	return find_row(addresses, mac);
}

const struct addresses_row *addresses_find(
	const struct addresses *addresses, const struct ip *ip)
{
	list_for_each(it, &addresses->all) {
		const struct addresses_row *row = container_of(
			it, struct addresses_row, link);

		for (size_t i = 0; i < row->n; i++)
			if (ip_equal(&row->ip[i], ip))
				return row;
	}
	return NULL;
}

static void drop(struct addresses *addresses, struct addresses_row *row)
{
	tdelete(row, &addresses->tree, by_mac);
	list_remove(&row->link);
	addresses->n--;
	free(row);
}

void addresses_drop(struct addresses *addresses, const struct mac *mac)
{
	struct addresses_row *row = find_row(addresses, mac);

	if (row)
		drop(addresses, row);
}

void addresses_sweep(struct addresses *addresses,
	bool (*keep)(const struct mac *mac, void *arg), void *arg)
{
	list_for_each_safe(it, &addresses->all) {
		struct addresses_row *row = container_of(
			it, struct addresses_row, link);

		if (!keep || !keep(&row->mac, arg))
			drop(addresses, row);
	}
}

void addresses_free(struct addresses *addresses)
{
	addresses_sweep(addresses, NULL, NULL);
}
