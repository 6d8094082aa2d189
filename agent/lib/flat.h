/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration in one text, taken apart. Pure but for memory. */
#ifndef GATEHOUSE_FLAT_H
#define GATEHOUSE_FLAT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

struct flat_value {
	const char *key, *text;
};

struct flat_section {
	const char *type, *name; /* name "" without one */
	struct flat_value *values;
	size_t n;
};

struct flat {
	char *copy; /* what all texts point into */
	struct flat_section *sections;
	size_t n;
};

void flat_read(const char *text, struct flat *ret_flat);
void flat_clear(struct flat *flat);

const struct flat_section *flat_find(
	const struct flat *flat, const char *type, const char *name);
/* section may be NULL. The first value of a key, or otherwise. */
const char *flat_text(const struct flat_section *section, const char *key,
	const char *otherwise);
bool flat_has(
	const struct flat_section *section, const char *key, const char *text);
/* How many values of a key. */
size_t flat_count(const struct flat_section *section, const char *key);
/* "observe" or "enforce": the zone's own, else the gateway's. */
const char *flat_mode(const struct flat *flat, const struct flat_section *zone);

#endif
