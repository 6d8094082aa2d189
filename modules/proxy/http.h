/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the head of one HTTP/1.x request, for two questions only: which host
 * is meant, and where does the request end. Whatever could be read in two
 * ways is refused. Pure.
 */
#ifndef GATEHOUSE_HTTP_H
#define GATEHOUSE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define HTTP_HEAD_MAX 8192 /* bytes of request line and headers */
#define HTTP_HOST_SIZE 254 /* with the NUL */

enum http_body {
	HTTP_BODY_LENGTH, /* length bytes follow, maybe none */
	HTTP_BODY_CHUNKED,
};

struct http_head {
	char host[HTTP_HOST_SIZE]; /* lower case, no final dot; "" = none */
	uint16_t port; /* 0: none was written */
	enum http_body body;
	uint64_t length;
	bool websocket; /* asks to speak WebSocket from here on */
};

/*
 * Reads length bytes that end with the empty line. -EBADMSG: refuse it;
 * *ret_reason (static) then says why, to follow "the request ".
 */
_must_check_ int http_head_read(const char *bytes, size_t length,
	struct http_head *ret_head, const char **ret_reason);

#endif
