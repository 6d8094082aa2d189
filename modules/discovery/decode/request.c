/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the head of a request of HTTP: hostile bytes. Touches memory only;
 * must never look at what is asked for (the target), nor behind the head.
 */
#include "modules/discovery/decode/request.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "modules/discovery/lines.h"

#define METHOD_MAX 16

/* "GET /x HTTP/1.1" */
static bool is_request(const char *line, size_t length)
{
	static const char version[] = " HTTP/1.";
	const size_t own = sizeof(version) - 1;
	size_t method = 0;

	while (method < length && isupper((unsigned char)line[method]))
		method++;
	if (!method || method > METHOD_MAX || length < method + 2 + own + 1 ||
		line[method] != ' ')
		return false;
	line += length - own - 1;
	return !memcmp(line, version, own) && isdigit((unsigned char)line[own]);
}

static int take_header(struct request *request, const char *line, size_t length)
{
	const char *value;
	size_t size;

	if (line[0] == ' ' || line[0] == '\t')
		return -EBADMSG;
	if (lines_header(line, length, "host", &value, &size)) {
		if (request->host.at)
			return -EBADMSG;
		request->host = (struct bytes){(const uint8_t *)value, size};
	} else if (lines_header(line, length, "user-agent", &value, &size)) {
		request->user_agent = (struct bytes){
			(const uint8_t *)value, size};
	}
	return 0;
}

int request_decode(struct bytes all, struct request *ret_request)
{
	const char *text = (const char *)all.at, *line;
	struct request request = {0};
	size_t at = 0, before = 0, length = 0;

	line = lines_next(text, all.size, &at, &length);
	if (!line || !is_request(line, length))
		return -EBADMSG;
	do {
		before = at;
		line = lines_next(text, all.size, &at, &length);
		if (line && length && take_header(&request, line, length) < 0)
			return -EBADMSG;
	} while (line && length);
	/* A line was there, but not one of text. */
	if (!line && at != before)
		return -EBADMSG;
	request.partial = !line;
	*ret_request = request;
	return 0;
}
