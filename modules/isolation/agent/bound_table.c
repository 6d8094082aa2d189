/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sorted table that takes in a list at a time. Touches memory only; must
 * never let one device take the place of others.
 */
#include "modules/isolation/agent/bound_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_key(const struct bound_row *x, const struct bound_row *y)
{
	int order = memcmp(&x->bound.mac, &y->bound.mac, sizeof(struct mac));

	if (!order)
		order = memcmp(&x->bound.ip, &y->bound.ip, sizeof(struct ip));
	return order ? order : x->bound.bridge - y->bound.bridge;
}

/* What was told last is first. */
static int by_key_and_order(const void *a, const void *b)
{
	const struct bound_row *x = a, *y = b;
	int order = by_key(x, y);

	return order ? order : (x->order < y->order) - (x->order > y->order);
}

/* Of one device: DHCP's first, then what was used last. */
static int by_worth(const void *a, const void *b)
{
	const struct bound_row *x = a, *y = b;

	if (x->bound.leased != y->bound.leased)
		return x->bound.leased ? -1 : 1;
	return (x->until_ms < y->until_ms) - (x->until_ms > y->until_ms);
}

static bool make_room(struct bound_table *table)
{
	size_t room = table->room * 2 + 64;
	struct bound_row *told;

	if (table->n_told >= BOUND_TABLE_LIST_MAX)
		return false;
	if (table->n_told < table->room)
		return true;
	told = realloc(table->told, room * sizeof(*told));
	if (!told)
		return false;
	table->told = told;
	table->room = room;
	return true;
}

void bound_table_tell(struct bound_table *table,
	const struct isolation_bound *bound, int64_t now_ms)
{
	struct bound_row *row;

	if (!make_room(table))
		return;
	row = &table->told[table->n_told++];
	*row = (struct bound_row){.bound = *bound,
		.until_ms = now_ms + bound->rest_s * 1000ll,
		.order = (uint32_t)table->n_told};
}

/* One row of each key, without what is no longer. */
static size_t settle(struct bound_row *rows, size_t n)
{
	struct bound_row key = {0};
	size_t kept = 0;

	qsort(rows, n, sizeof(*rows), by_key_and_order);
	for (size_t i = 0; i < n; i++) {
		struct bound_row row = rows[i];

		if (i && !by_key(&key, &row))
			continue;
		key = row;
		row.order = 0;
		if (row.bound.rest_s)
			rows[kept++] = row;
	}
	return kept;
}

static size_t cut_each(struct bound_row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0, end; i < n; i = end) {
		size_t own;

		for (end = i + 1; end < n && mac_equal(&rows[end].bound.mac,
						     &rows[i].bound.mac);)
			end++;
		own = end - i;
		if (own > ISOLATION_BOUND_EACH) {
			qsort(rows + i, own, sizeof(*rows), by_worth);
			own = ISOLATION_BOUND_EACH;
			qsort(rows + i, own, sizeof(*rows), by_key_and_order);
		}
		memmove(rows + kept, rows + i, own * sizeof(*rows));
		kept += own;
	}
	return kept;
}

int bound_table_end(struct bound_table *table, bool all, size_t *ret_over)
{
	size_t before = all ? 0 : table->n, n = before + table->n_told, kept;
	struct bound_row *rows = calloc(n + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	if (before)
		memcpy(rows, table->rows, before * sizeof(*rows));
	if (table->n_told)
		memcpy(rows + before, table->told,
			table->n_told * sizeof(*rows));
	n = settle(rows, n);
	kept = cut_each(rows, n);
	if (kept > ISOLATION_BOUND_MAX)
		kept = ISOLATION_BOUND_MAX;
	free(table->rows);
	table->rows = rows;
	table->n = kept;
	table->n_told = 0;
	*ret_over = n - kept;
	return 0;
}

void bound_table_drop_told(struct bound_table *table)
{
	table->n_told = 0;
}

size_t bound_table_list(const struct bound_table *table, int64_t now_ms,
	struct isolation_bound *ret_rows)
{
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		int64_t rest_s = (table->rows[i].until_ms - now_ms) / 1000;

		if (rest_s <= 0 || table->rows[i].bound.pinned)
			continue;
		ret_rows[n] = table->rows[i].bound;
		ret_rows[n++].rest_s = rest_s < ISOLATION_BOUND_S
					       ? (uint32_t)rest_s
					       : ISOLATION_BOUND_S;
	}
	return n;
}

static uint64_t stir(uint64_t h, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	while (n--)
		h = (h ^ *b++) * 1099511628211ull;
	return h;
}

uint64_t bound_table_digest(const struct bound_table *table)
{
	uint64_t h = 14695981039346656037ull;

	for (size_t i = 0; i < table->n; i++) {
		const struct isolation_bound *b = &table->rows[i].bound;
		uint8_t bits[] = {b->leased, b->bridge, b->pinned};

		h = stir(h, &b->ip, sizeof(b->ip));
		h = stir(h, &b->mac, sizeof(b->mac));
		h = stir(h, bits, sizeof(bits));
	}
	return h;
}

void bound_table_free(struct bound_table *table)
{
	free(table->rows);
	free(table->told);
	memset(table, 0, sizeof(*table));
}
