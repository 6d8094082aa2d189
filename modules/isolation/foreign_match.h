/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One rule of others against one packet. Only for foreign.c. Pure. */
#ifndef GATEHOUSE_ISOLATION_FOREIGN_MATCH_H
#define GATEHOUSE_ISOLATION_FOREIGN_MATCH_H

#include "modules/isolation/foreign.h"

#define FOREIGN_REGISTERS 64 /* bytes */

enum foreign_match {
	FOREIGN_NO,
	FOREIGN_YES,
	FOREIGN_PERHAPS,
};

/* A packet whose bytes are partly known. */
struct foreign_packet {
	const struct foreign_flow *flow;
	uint8_t network[40], transport[4];
	bool network_known[40], transport_known[4];
	foreign_lookup lookup;
	void *arg;
};

struct foreign_verdict {
	int code; /* NF_... or NFT_...; NFT_CONTINUE: none */
	bool reject;
	char chain[FOREIGN_NAME];
};

void foreign_packet_fill(
	struct foreign_packet *packet, const struct foreign_flow *flow);
/* Does the rule match, and what becomes of the packet then? */
enum foreign_match foreign_match_rule(const struct foreign_packet *packet,
	const struct nftnl_rule *rule, struct foreign_verdict *ret_verdict);

#endif
