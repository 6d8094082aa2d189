/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads lists of address blocks. Touches memory only; must never give a
 * block's name to an address that was chosen at will, nor take a line whose
 * number does not have the length of its list.
 */
#include "modules/discovery/match/oui.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "modules/discovery/match/evidence.h"

enum field {
	FIELD_LIST,
	FIELD_BLOCK,
	FIELD_NAME,
	FIELDS
};

static const struct {
	const char *name;
	size_t digits;
} lists[] = {{"MA-L", 6}, {"MA-M", 7}, {"MA-S", 9}};

static uint64_t number_of(const struct mac *mac)
{
	uint64_t number = 0;

	for (size_t i = 0; i < sizeof(mac->b); i++)
		number = number << 8 | mac->b[i];
	return number;
}

static int compare(const void *a, const void *b)
{
	return memcmp(&((const struct oui_wanted *)a)->mac,
		&((const struct oui_wanted *)b)->mac, sizeof(struct mac));
}

void oui_sort(struct oui_wanted *wanted, size_t n)
{
	if (n)
		qsort(wanted, n, sizeof(*wanted), compare);
}

/* The first that is not below. */
static size_t find_first(const struct oui_reader *reader, uint64_t least)
{
	size_t low = 0, high = reader->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (number_of(&reader->wanted[middle].mac) < least)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void give(struct oui_wanted *wanted, uint8_t bits, const char *name)
{
	size_t size = strlen(name);

	if (bits <= wanted->bits || evidence_mac_is_random(&wanted->mac))
		return;
	if (size >= sizeof(wanted->name))
		size = sizeof(wanted->name) - 1;
	memcpy(wanted->name, name, size);
	wanted->name[size] = '\0';
	wanted->bits = bits;
}

static bool read_block(const char *text, size_t digits, uint64_t *ret_first)
{
	uint64_t first = 0;

	if (strlen(text) != digits)
		return false;
	for (; *text; text++) {
		char c = (char)tolower((unsigned char)*text);

		if (!isxdigit((unsigned char)c))
			return false;
		first = first << 4 |
			(uint64_t)(isdigit((unsigned char)c) ? c - '0'
							     : c - 'a' + 10);
	}
	*ret_first = first << (48 - 4 * digits);
	return true;
}

static size_t find_list(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(lists) && strcmp(name, lists[i].name) != 0)
		i++;
	return i;
}

static void take_line(struct oui_reader *reader)
{
	const char *name = reader->fields[FIELD_NAME];
	size_t list = find_list(reader->fields[FIELD_LIST]);
	uint64_t first, last;
	uint8_t bits;

	if (list == ARRAY_SIZE(lists) || !*name ||
		!read_block(reader->fields[FIELD_BLOCK], lists[list].digits,
			&first)) {
		reader->refused++;
		return;
	}
	bits = (uint8_t)(4 * lists[list].digits);
	last = first | (((uint64_t)1 << (48 - bits)) - 1);
	for (size_t i = find_first(reader, first);
		i < reader->n && number_of(&reader->wanted[i].mac) <= last; i++)
		give(&reader->wanted[i], bits, name);
}

static void end_field(struct oui_reader *reader)
{
	if (reader->field < FIELDS)
		reader->fields[reader->field][reader->used] = '\0';
	reader->field++;
	reader->used = 0;
}

static void end_line(struct oui_reader *reader)
{
	end_field(reader);
	if (reader->any && reader->field >= FIELDS)
		take_line(reader);
	else if (reader->any)
		reader->refused++;
	reader->field = 0;
	reader->any = reader->quoted = reader->was_quote = false;
	memset(reader->fields, 0, sizeof(reader->fields));
}

static void put(struct oui_reader *reader, char c)
{
	if (reader->field < FIELDS && reader->used < OUI_FIELD - 1)
		reader->fields[reader->field][reader->used++] = c;
}

/* Two quotes in a quoted field stand for one. */
static void take(struct oui_reader *reader, char c)
{
	bool after = reader->was_quote;

	reader->was_quote = false;
	if (c == '"') {
		if (after)
			put(reader, c);
		reader->was_quote = reader->quoted;
		reader->quoted = !reader->quoted;
	} else if (reader->quoted) {
		put(reader, c);
	} else if (c == ',') {
		end_field(reader);
	} else if (c == '\n') {
		end_line(reader);
		return;
	} else if (c != '\r') {
		put(reader, c);
	}
	reader->any = true;
}

void oui_feed(struct oui_reader *reader, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		take(reader, bytes[i]);
}

void oui_finish(struct oui_reader *reader)
{
	if (reader->any)
		end_line(reader);
}
