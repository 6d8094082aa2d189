/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds lines and headers in text of others. Touches memory only; must never
 * give out a line with a control character in it.
 */
#include "modules/discovery/lines.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *lines_next(
	const char *bytes, size_t size, size_t *at, size_t *ret_length)
{
	const char *line, *end;

	if (*at >= size)
		return NULL;
	line = bytes + *at;
	end = memchr(line, '\n', size - *at);
	if (!end)
		return NULL;
	*at += (size_t)(end - line) + 1;
	if (end > line && end[-1] == '\r')
		end--;
	*ret_length = (size_t)(end - line);
	for (const char *c = line; c < end; c++)
		if ((*c >= 0 && *c < ' ' && *c != '\t') || *c == 0x7f)
			return NULL;
	return line;
}

bool lines_header(const char *line, size_t length, const char *name,
	const char **ret_value, size_t *ret_length)
{
	size_t n = strlen(name);
	const char *value = line + n + 1, *end = line + length;

	if (length <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	while (value < end && isspace((unsigned char)*value))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	*ret_value = value;
	*ret_length = (size_t)(end - value);
	return true;
}
