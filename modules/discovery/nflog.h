/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that a rule logged, as the kernel's NFLOG sends them. The frame is
 * the kernel's, the packet inside is hostile. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_NFLOG_H
#define GATEHOUSE_DISCOVERY_NFLOG_H

#include <stddef.h>

#include "modules/discovery/discovery_proto.h"

struct nflog_record {
	struct mac mac; /* of the sender; zero: there is none */
	uint8_t reason; /* enum discovery_reason; 0: another's prefix */
	bool heard; /* it is to be reflected */
	bool counted; /* seq is given: one more with each record */
	uint32_t seq;
	uint16_t ethertype;
	uint32_t index; /* of the interface it came in by; 0: not known */
	const uint8_t *payload; /* from the network header on */
	size_t length;
};

/*
 * One record after the other of what was received; offset begins with zero.
 * 1 and the record, 0 at the end, -EBADMSG. Messages of other kinds are
 * passed over.
 */
_must_check_ int nflog_next(const void *bytes, size_t size, size_t *offset,
	struct nflog_record *ret_record);
#endif
