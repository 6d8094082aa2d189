/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame becomes evidence about who sent it, and about nobody else: what it
 * says of other cards is not listened to. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_MATCH_GATHER_H
#define GATEHOUSE_DISCOVERY_MATCH_GATHER_H

#include "modules/discovery/decode/frame.h"
#include "modules/discovery/match/evidence.h"

/* value: text of DISCOVERY_VALUE bytes, clean; it goes when tell() returns. */
struct gather {
	void (*tell)(void *arg, const struct mac *mac, unsigned kind,
		const char *value);
	void *arg;
	uint64_t unread; /* frames that made no sense to their decoder */
};

/* A frame from its Ethernet head on, maybe cut behind so many bytes. */
void gather_frame(struct gather *gather, struct bytes frame);
/* The same from a packet's network header on; mac: who sent it. */
void gather_packet(struct gather *gather, const struct mac *mac,
	uint16_t ethertype, struct bytes packet);

#endif
