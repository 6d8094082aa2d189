/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes a flat configuration apart. It was written by gatehoused, which has
 * checked it; what makes no sense is left out. Pure but for memory.
 */
#include <string.h>

#include "agent/lib/flat.h"

/* One more of size bytes; the process ends when memory is out. */
static void *grow(void *array, size_t n, size_t size)
{
	/* Doubled at powers of two. */
	if (n == 0 || (n & (n - 1)) == 0)
		array = reallocarray(array, n ? n * 2 : 1, size);
	if (array == NULL)
		abort();
	return array;
}

static void add_section(struct flat *flat, char *header)
{
	char *end = strchr(header, ']'), *blank;
	struct flat_section *section;

	if (end == NULL)
		return;
	*end = '\0';
	blank = strchr(header, ' ');
	if (blank)
		*blank++ = '\0';
	flat->sections = grow(flat->sections, flat->n, sizeof(*flat->sections));
	section = &flat->sections[flat->n++];
	*section = (struct flat_section){
		.type = header, .name = blank ? blank : ""};
}

static void add_value(struct flat_section *section, char *line)
{
	char *equals = strchr(line, '=');

	if (equals == NULL)
		return;
	*equals++ = '\0';
	section->values = grow(
		section->values, section->n, sizeof(*section->values));
	section->values[section->n++] = (struct flat_value){
		.key = line, .text = equals};
}

void flat_read(const char *text, struct flat *ret_flat)
{
	char *line, *rest = strdup(text);

	if (rest == NULL)
		abort();
	*ret_flat = (struct flat){.copy = rest};
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '[')
			add_section(ret_flat, line + 1);
		else if (*line != '#' && ret_flat->n)
			add_value(&ret_flat->sections[ret_flat->n - 1], line);
	}
}

void flat_clear(struct flat *flat)
{
	for (size_t i = 0; i < flat->n; i++)
		free(flat->sections[i].values);
	free(flat->sections);
	free(flat->copy);
	memset(flat, 0, sizeof(*flat));
}

const struct flat_section *flat_find(
	const struct flat *flat, const char *type, const char *name)
{
	for (size_t i = 0; i < flat->n; i++)
		if (strcmp(flat->sections[i].type, type) == 0 &&
			strcmp(flat->sections[i].name, name) == 0)
			return &flat->sections[i];
	return NULL;
}

const char *flat_text(const struct flat_section *section, const char *key,
	const char *otherwise)
{
	for (size_t i = 0; section && i < section->n; i++)
		if (strcmp(section->values[i].key, key) == 0)
			return section->values[i].text;
	return otherwise;
}

bool flat_has(
	const struct flat_section *section, const char *key, const char *text)
{
	for (size_t i = 0; section && i < section->n; i++)
		if (strcmp(section->values[i].key, key) == 0 &&
			strcmp(section->values[i].text, text) == 0)
			return true;
	return false;
}

size_t flat_count(const struct flat_section *section, const char *key)
{
	size_t n = 0;

	for (size_t i = 0; section && i < section->n; i++)
		n += strcmp(section->values[i].key, key) == 0;
	return n;
}

const char *flat_mode(const struct flat *flat, const struct flat_section *zone)
{
	return flat_text(zone, "mode",
		flat_text(flat_find(flat, "gateway", ""), "mode", "observe"));
}
