/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server in a process of its own for tests of the proxy: says and does one
 * thing with one connection and tells the test what it got.
 */
#ifndef GATEHOUSE_TLS_PEER_H
#define GATEHOUSE_TLS_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PEER_TEXT 65536

enum peer_act {
	PEER_ACT_ECHO, /* until the client ends, then ends too */
	PEER_ACT_ANSWER_AFTER_END, /* reads all and a FIN, says "late answer" */
	PEER_ACT_END_FIRST, /* says "bye", ends, reads what still comes */
	PEER_ACT_CUT, /* says "half an answer", closes without a word */
	PEER_ACT_POUR, /* sends PEER_POUR bytes, then ends */
	PEER_ACT_EXACT, /* sends PEER_EXACT bytes at once, then ends */
	PEER_ACT_PLAIN, /* speaks no TLS at all */
	PEER_ACT_SILENT, /* accepts, reads, never answers */
	PEER_ACT_HANG_UP, /* closes after the first bytes */
	PEER_ACT_SWITCH, /* reads a head, says 101, echoes */
};
#define PEER_POUR (32u << 20)
#define PEER_EXACT (8u * 8192) /* what a relay moves in one turn */

struct peer {
	pid_t pid;
	int results; /* a pipe */
	uint16_t port;
};

/* Certificates made on the spot, in a folder of their own; NULL: cannot. */
const char *peer_make_certs(void);
void peer_remove_certs(void);

/* Listens on 127.0.0.1 and acts once, with NAME.pem of the folder. */
struct peer peer_start(enum peer_act act, const char *name);
/*
 * Waits for its end; ret_text gets what it read after its handshake, or, if
 * there was none, whatever came on the bare connection after the ClientHello.
 */
size_t peer_stop(struct peer *peer, char ret_text[PEER_TEXT]);

#endif
