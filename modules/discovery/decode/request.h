/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of a request of HTTP/1. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_REQUEST_H
#define GATEHOUSE_DISCOVERY_DECODE_REQUEST_H

#include "modules/discovery/decode/bytes.h"

#define REQUEST_PORT 80

struct request {
	struct bytes host, user_agent; /* size 0: not given, or not here */
	bool partial; /* the head did not end in these bytes */
};

/*
 * The first bytes of a connection. -EBADMSG: no request, or one that two
 * readers could read differently.
 */
_must_check_ int request_decode(struct bytes all, struct request *ret_request);

#endif
