/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the heads of SSDP messages. Touches memory only; must never call a
 * message readable of which a second line contradicts the first.
 */
#include "modules/discovery/ssdp.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *line;
	enum ssdp_kind kind;
	const char *header;
} kinds[] = {
	{"M-SEARCH * HTTP/1.1", SSDP_KIND_SEARCH, "st"},
	{"NOTIFY * HTTP/1.1", SSDP_KIND_ANNOUNCE, "nt"},
	{"HTTP/1.1 200 OK", SSDP_KIND_ANSWER, "st"},
};

/* Text with the end of a line behind it; *at moves on. NULL: no more. */
static const char *next_line(
	const char *bytes, size_t size, size_t *at, size_t *ret_length)
{
	const char *line = bytes + *at;
	const char *end = memchr(line, '\n', size - *at);

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

static bool is_header(const char *line, size_t length, const char *name)
{
	size_t n = strlen(name);

	return length > n && line[n] == ':' && strncasecmp(line, name, n) == 0;
}

static void trim(const char **text, size_t *length)
{
	while (*length && isspace((unsigned char)**text))
		++*text, --*length;
	while (*length && isspace((unsigned char)(*text)[*length - 1]))
		--*length;
}

static int find_kind(const char *line, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (length == strlen(kinds[i].line) &&
			!memcmp(line, kinds[i].line, length))
			return (int)i;
	return -EBADMSG;
}

int ssdp_read(
	const uint8_t *bytes, size_t size, struct ssdp_message *ret_message)
{
	const char *text = (const char *)bytes, *line, *target = NULL;
	size_t at = 0, length = 0, target_length = 0;
	int kind;

	if (!size || size > SSDP_BYTES)
		return -EBADMSG;
	line = next_line(text, size, &at, &length);
	kind = line ? find_kind(line, length) : -EBADMSG;
	if (kind < 0)
		return -EBADMSG;
	while ((line = next_line(text, size, &at, &length)) && length) {
		/* A line that goes on where it seemed to end. */
		if (isspace((unsigned char)*line))
			return -EBADMSG;
		if (!is_header(line, length, kinds[kind].header))
			continue;
		if (target)
			return -EBADMSG;
		target = line + strlen(kinds[kind].header) + 1;
		target_length = length - strlen(kinds[kind].header) - 1;
	}
	/* Whole only with its empty line, and without anything behind it. */
	if (!line || at != size || !target)
		return -EBADMSG;
	trim(&target, &target_length);
	*ret_message = (struct ssdp_message){
		kinds[kind].kind, target, target_length};
	return 0;
}

bool ssdp_about(const struct ssdp_message *message, const char *service)
{
	size_t n = strlen(service);

	if (message->length < n ||
		strncasecmp(message->target, service, n) != 0)
		return false;
	if (message->length == n)
		return true;
	if (message->target[n] != ':' || message->length == n + 1)
		return false;
	for (size_t i = n + 1; i < message->length; i++)
		if (!isdigit((unsigned char)message->target[i]))
			return false;
	return true;
}
