/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layout of tables. Knows nothing of what is in them; must never drop a
 * character of a cell.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/table.h"
#include "agent/ctl/text.h"

#define GAP 2

void table_add(struct table *table, const char *const *cells)
{
	char **row = calloc(table->n_columns, sizeof(*row));
	char ***rows = reallocarray(
		table->rows, table->n_rows + 1, sizeof(*table->rows));

	if (row == NULL || rows == NULL)
		abort();
	for (size_t i = 0; i < table->n_columns; i++)
		row[i] = text_clean(cells[i]);
	table->rows = rows;
	table->rows[table->n_rows++] = row;
}

void table_clear(struct table *table)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		for (size_t k = 0; k < table->n_columns; k++)
			free(table->rows[i][k]);
		free(table->rows[i]);
	}
	free(table->rows);
	table->rows = NULL;
	table->n_rows = 0;
}

/* The width of each column; all of them with the gaps between. */
static size_t measure(const struct table *table, size_t *widths)
{
	size_t sum = 0;

	for (size_t k = 0; k < table->n_columns; k++) {
		widths[k] = text_width(table->columns[k].heading);
		for (size_t i = 0; i < table->n_rows; i++) {
			size_t own = text_width(table->rows[i][k]);

			if (own > widths[k])
				widths[k] = own;
		}
		sum += widths[k] + (k ? GAP : 0);
	}
	return sum;
}

static void print_line(const struct table *table, FILE *out,
	const size_t *widths, char *const *row)
{
	for (size_t k = 0; k < table->n_columns; k++) {
		const char *cell = row ? row[k] : table->columns[k].heading;
		bool right = table->columns[k].right;

		fprintf(out, "%*s", k ? GAP : 0, "");
		if (k + 1 == table->n_columns && !right)
			fputs(cell, out); /* no blanks at the end */
		else
			text_pad(out, cell, widths[k], right);
	}
	putc('\n', out);
}

void table_print_pair(FILE *out, const char *name, const char *value,
	size_t indent, size_t name_width, size_t width)
{
	size_t column = indent + name_width + GAP;

	fprintf(out, "%*s", (int)indent, "");
	/* Too narrow to stand side by side: the value goes below. */
	if (column + TABLE_WIDTH_LEAST / 2 > width) {
		fprintf(out, "%s\n%*s", name, (int)(indent + GAP), "");
		text_wrap(out, value, indent + GAP, indent + GAP, width);
		return;
	}
	text_pad(out, name, name_width + GAP, false);
	text_wrap(out, value, column, column, width);
}

/* The first column is the title, the others follow below it. */
static void print_block(const struct table *table, FILE *out, char *const *row,
	size_t heading, size_t width)
{
	text_wrap(out, row[0], 0, 0, width);
	for (size_t k = 1; k < table->n_columns; k++) {
		if (*row[k] == '\0')
			continue;
		table_print_pair(out, table->columns[k].heading, row[k], GAP,
			heading, width);
	}
}

static size_t widest_heading(const struct table *table)
{
	size_t widest = 0;

	for (size_t k = 1; k < table->n_columns; k++) {
		size_t own = text_width(table->columns[k].heading);

		if (own > widest)
			widest = own;
	}
	return widest;
}

void table_print(const struct table *table, FILE *out, size_t width)
{
	size_t widths[TABLE_COLUMNS_MAX];

	if (width < TABLE_WIDTH_LEAST)
		width = TABLE_WIDTH_LEAST;
	if (measure(table, widths) <= width) {
		print_line(table, out, widths, NULL);
		for (size_t i = 0; i < table->n_rows; i++)
			print_line(table, out, widths, table->rows[i]);
		return;
	}
	for (size_t i = 0; i < table->n_rows; i++) {
		if (i > 0)
			putc('\n', out);
		print_block(table, out, table->rows[i], widest_heading(table),
			width);
	}
}
