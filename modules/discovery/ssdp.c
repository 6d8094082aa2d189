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

#include "modules/discovery/lines.h"

static const struct {
	const char *line;
	enum ssdp_kind kind;
	const char *header;
} kinds[] = {
	{"M-SEARCH * HTTP/1.1", SSDP_KIND_SEARCH, "st"},
	{"NOTIFY * HTTP/1.1", SSDP_KIND_ANNOUNCE, "nt"},
	{"HTTP/1.1 200 OK", SSDP_KIND_ANSWER, "st"},
};

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
	const char *value;
	size_t at = 0, length = 0, value_length, target_length = 0;
	int kind;

	if (!size || size > SSDP_BYTES)
		return -EBADMSG;
	line = lines_next(text, size, &at, &length);
	kind = line ? find_kind(line, length) : -EBADMSG;
	if (kind < 0)
		return -EBADMSG;
	while ((line = lines_next(text, size, &at, &length)) && length) {
		/* A line that goes on where it seemed to end. */
		if (isspace((unsigned char)*line))
			return -EBADMSG;
		if (!lines_header(line, length, kinds[kind].header, &value,
			    &value_length))
			continue;
		if (target)
			return -EBADMSG;
		target = value;
		target_length = value_length;
	}
	/* Whole only with its empty line, and without anything behind it. */
	if (!line || at != size || !target)
		return -EBADMSG;
	*ret_message = (struct ssdp_message){
		kinds[kind].kind, target, target_length};
	return 0;
}

bool ssdp_header(const uint8_t *bytes, size_t size, const char *name,
	const char **ret_value, size_t *ret_length)
{
	const char *text = (const char *)bytes, *line;
	size_t at = 0, length;

	while ((line = lines_next(text, size, &at, &length)))
		if (lines_header(line, length, name, ret_value, ret_length))
			return true;
	return false;
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
