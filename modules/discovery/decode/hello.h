/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ClientHello of TLS: what a client can, and whom it asks for. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_HELLO_H
#define GATEHOUSE_DISCOVERY_DECODE_HELLO_H

#include "modules/discovery/decode/bytes.h"

#define HELLO_NAME_MAX 255 /* of a server's name; longer ones are refused */
#define HELLO_EXTENSIONS_MAX 128 /* more is refused */

struct hello {
	uint16_t
		version; /* the highest, 0x0303: TLS 1.2; at least, if partial */
	struct bytes name; /* SNI; size 0: none, or it is in what is missing */
	bool partial; /* it did not fit into these bytes */
};

/*
 * The first bytes of a connection. -EBADMSG: no ClientHello, not even its
 * version, or a length that leads out of it.
 */
_must_check_ int hello_decode(struct bytes all, struct hello *ret_hello);

#endif
