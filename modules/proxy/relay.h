/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes both ways between a device's plain socket and a verified TLS
 * connection, through one small buffer each way: who does not take stops the
 * other. Either side may end first; the end is passed on and the other
 * direction goes on.
 */
#ifndef GATEHOUSE_RELAY_H
#define GATEHOUSE_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modules/proxy/tls.h"
#include "modules/proxy/track.h"

#define RELAY_BUFFER 8192 /* bytes each way; a head must fit */
#define RELAY_ROUNDS 8 /* buffers moved before others get their turn */

/* From start to clear may go on, from clear to end still waits for that. */
struct stream {
	size_t start, clear, end;
	uint8_t bytes[RELAY_BUFFER];
};

enum relay_status {
	RELAY_STATUS_MORE, /* goes on; see relay_events() */
	RELAY_STATUS_OVER, /* both sides have ended properly */
	RELAY_STATUS_BROKEN, /* one side is lost or refused; reset both */
};

struct relay {
	int device, upstream; /* sockets, the session's */
	struct tls *tls; /* the session's; NULL before it is verified */
	struct track *track; /* NULL: no HTTP to look at */
	struct stream up, down;
	uint64_t up_bytes, down_bytes; /* carried in TLS */
	enum tls_status read_wants, write_wants;
	bool device_ended, upstream_ended; /* nothing more comes from there */
	bool upstream_told, device_told; /* ... and the other side knows */
	bool upstream_cut; /* ended without saying so */
	bool other_host; /* why it was refused */
	const char *refused; /* static, follows "the request " */
	const char *broken; /* static or tls_reason() */
};

/* Takes what the device sends into the buffer and judges it. */
enum relay_status relay_fill(struct relay *relay);
/* Moves what can be moved. */
enum relay_status relay_turn(struct relay *relay);
/* The server's socket is dead: what was meant for it is dropped. */
void relay_lose_upstream(struct relay *relay);

#define RELAY_UNWATCHED (-1)
/* What to wait for on each socket: EPOLL..., or RELAY_UNWATCHED. */
void relay_events(
	const struct relay *relay, int *ret_device, int *ret_upstream);

#endif
