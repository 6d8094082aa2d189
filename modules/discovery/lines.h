/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of text as HTTP and SSDP have them. Pure. */
#ifndef GATEHOUSE_DISCOVERY_LINES_H
#define GATEHOUSE_DISCOVERY_LINES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text up to the end of a line; *at moves behind that. NULL: no whole
 * line is left, or it has control characters.
 */
const char *lines_next(
	const char *bytes, size_t size, size_t *at, size_t *ret_length);
/*
 * Is the line this header ("user-agent"; in any case)? Then its value is the
 * text without the blanks around it.
 */
bool lines_header(const char *line, size_t length, const char *name,
	const char **ret_value, size_t *ret_length);

#endif
