/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many records become one report for each device: what it tried, how often
 * it was logged. Bounded: who scans a thousand ports gets one report, too.
 * Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_TRIES_H
#define GATEHOUSE_DISCOVERY_TRIES_H

#include "modules/discovery/nflog.h"
#include "modules/discovery/packet.h"

#define TRIES_DEVICES_MAX 256 /* between two reports */

struct tries {
	/* By place of first sight; one device may have one of each reason. */
	struct discovery_tried devices[TRIES_DEVICES_MAX];
	size_t n;
	struct discovery_lost lost;
	uint32_t next_seq;
	bool counting; /* next_seq is known */
};

/* One record; what its packet says is decoded here. */
void tries_add(struct tries *tries, const struct nflog_record *record);
/* All that one read of the socket gave; what makes no sense is counted. */
void tries_read(struct tries *tries, const void *bytes, size_t size);
/* True when there is something to report. */
bool tries_any(const struct tries *tries);
/* Everything was reported: begin anew. The count of records goes on. */
void tries_clear(struct tries *tries);
/* Another socket: its records are counted from the beginning. */
void tries_recount(struct tries *tries);

#endif
