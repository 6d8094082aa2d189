/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows the requests of one HTTP/1.x connection: each must be for the host
 * of the first one. Says how many of the bytes from the device may go on;
 * those of a request only after its whole head was judged. Keeps no bytes.
 * Pure.
 */
#ifndef GATEHOUSE_TRACK_H
#define GATEHOUSE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modules/proxy/http.h"

#define TRACK_LINE_MAX 512 /* bytes of a chunk's size line or a trailer */
#define TRACK_TRAILERS_MAX 64

enum track_state {
	TRACK_STATE_HEAD,
	TRACK_STATE_BODY, /* left bytes to come */
	TRACK_STATE_CHUNK_SIZE,
	TRACK_STATE_CHUNK, /* left bytes to come, CR LF included */
	TRACK_STATE_TRAILER,
	TRACK_STATE_SWITCHING, /* asked for WebSocket: what says the server? */
	TRACK_STATE_TUNNEL, /* no HTTP any more */
};

struct track {
	enum track_state state;
	uint16_t port; /* that may stand in Host besides none */
	char host[HTTP_HOST_SIZE]; /* of the first request; "" before it */
	uint64_t left;
	size_t scanned; /* bytes of an unfinished head already looked at */
	unsigned trailers;
	unsigned requests;
	char answer[12]; /* "HTTP/1.1 101" */
	size_t answered; /* bytes of it */
};

void track_init(struct track *track, uint16_t port);

/*
 * Judges bytes from the device that were not let on yet; *ret_clear of them
 * may go on. Call again with the rest and what came after it. -EBADMSG:
 * close; *ret_reason (static) follows "the request ". -EXDEV: the same,
 * because it is for another host.
 */
_must_check_ int track_request(struct track *track, const void *bytes,
	size_t length, size_t *ret_clear, const char **ret_reason);

/* Looks at bytes from the server; true when requests may now be judged. */
bool track_answer(struct track *track, const void *bytes, size_t length);

#endif
