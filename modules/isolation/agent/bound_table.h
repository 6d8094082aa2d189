/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose addresses are, as the worker tells it piece by piece. Bounded
 * whatever devices do: ISOLATION_BOUND_EACH of one device, ISOLATION_BOUND_MAX
 * in all. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_BOUND_TABLE_H
#define GATEHOUSE_ISOLATION_BOUND_TABLE_H

#include "modules/isolation/isolation_proto.h"

/* What one list may tell: all of it gone, and all of it new. */
#define BOUND_TABLE_LIST_MAX (2 * ISOLATION_BOUND_MAX)

struct bound_row {
	struct isolation_bound bound; /* rest_s 0: no longer */
	int64_t until_ms;
	uint32_t order; /* in which it was told */
};

/* All zero is empty. */
struct bound_table {
	struct bound_row *rows; /* by MAC, address and bridge */
	size_t n;
	struct bound_row *told; /* since the last list ended */
	size_t n_told, room;
};

/* Before the list ends it counts for nothing. What is too much is dropped. */
void bound_table_tell(struct bound_table *table,
	const struct isolation_bound *bound, int64_t now_ms);
/*
 * The list has ended; all: nothing that was there before is true any more.
 * How many rows had to be left out. -ENOMEM: it goes on.
 */
_must_check_ int bound_table_end(
	struct bound_table *table, bool all, size_t *ret_over);
/* What was told since the last end is not believed. */
void bound_table_drop_told(struct bound_table *table);
/*
 * What is to be saved at this moment; ret_rows has place for table->n. How
 * many they are.
 */
size_t bound_table_list(const struct bound_table *table, int64_t now_ms,
	struct isolation_bound *ret_rows);
/* Another one for other addresses or holders; times do not count. */
uint64_t bound_table_digest(const struct bound_table *table);
void bound_table_free(struct bound_table *table);

#endif
