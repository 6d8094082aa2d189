/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of text as columns; as blocks when the terminal is too narrow for
 * columns. Nothing is ever cut off. Pure.
 */
#ifndef GATEHOUSE_CTL_TABLE_H
#define GATEHOUSE_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 12
#define TABLE_WIDTH_LEAST 20 /* narrower terminals scroll */

struct table_column {
	const char *heading;
	bool right; /* numbers */
};

struct table {
	const struct table_column *columns;
	size_t n_columns;
	char ***rows; /* clean texts */
	size_t n_rows;
};

/* Adds a row of n_columns texts as they came; they are cleaned here. */
void table_add(struct table *table, const char *const *cells);
void table_print(const struct table *table, FILE *out, size_t width);
void table_clear(struct table *table);

/* One "Name   value" line; the value goes on below itself. */
void table_print_pair(FILE *out, const char *name, const char *value,
	size_t indent, size_t name_width, size_t width);

#endif
