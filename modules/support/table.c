/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of devices and what was said of them. Pure. */
#include <errno.h>
#include <string.h>

#include "modules/support/dates.h"
#include "modules/support/judge.h"
#include "modules/support/table.h"

static void free_rows(struct table_rows *rows)
{
	free(rows->rows);
	memset(rows, 0, sizeof(*rows));
}

static int make_room(struct table_rows *rows)
{
	size_t room = rows->room ? rows->room * 2 : 16;
	struct table_row *bigger;

	if (rows->n < rows->room)
		return 0;
	bigger = reallocarray(rows->rows, room, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	rows->rows = bigger;
	rows->room = room;
	return 0;
}

void table_begin(struct table *table)
{
	free_rows(&table->wanted);
}

int table_add(struct table *table, const struct support_device *device)
{
	struct table_row row = {.id = device->id};
	int r;

	if (row.id == 0 || !memchr(device->ends, '\0', sizeof(device->ends)) ||
		dates_parse(device->ends, &row.last_day) < 0)
		return -EINVAL;
	r = make_room(&table->wanted);
	if (r < 0)
		return r;
	table->wanted.rows[table->wanted.n++] = row;
	return 0;
}

void table_apply(struct table *table)
{
	free_rows(&table->now);
	table->now = table->wanted;
	memset(&table->wanted, 0, sizeof(table->wanted));
}

void table_judge(struct table *table, int64_t wall, int64_t build_time,
	void (*tell)(void *arg, const struct support_verdict *verdict),
	void *arg)
{
	for (size_t i = 0; i < table->now.n; i++) {
		struct table_row *row = &table->now.rows[i];
		struct judgement judgement = judge_support(
			row->last_day, wall, build_time);
		struct support_verdict verdict = {
			.id = row->id,
			.support = (uint8_t)judgement.support,
			.stage = judgement.stage,
			.days = judgement.days,
		};

		dates_format(row->last_day, verdict.last_day);
		if (memcmp(&row->said, &verdict, sizeof(verdict)) == 0)
			continue;
		row->said = verdict;
		tell(arg, &verdict);
	}
}

void table_clear(struct table *table)
{
	free_rows(&table->now);
	free_rows(&table->wanted);
}
