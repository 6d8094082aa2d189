/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A UDP datagram in an IP packet, as a packet socket shows it. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DATAGRAM_H
#define GATEHOUSE_DISCOVERY_DATAGRAM_H

#include <stddef.h>

#include "agent/lib/net.h"

struct datagram {
	struct ip from, to;
	uint16_t from_port, to_port;
	const uint8_t *bytes;
	size_t size;
};

/* From the network header on. -EBADMSG: no whole one, or a fragment. */
_must_check_ int datagram_decode(
	const uint8_t *bytes, size_t size, struct datagram *ret_datagram);
/* To a group or to everybody. */
bool datagram_to_many(const struct datagram *datagram);

#endif
