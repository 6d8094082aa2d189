/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who else uses the bits of marks that are ours: routing rules that compare
 * them, rules of nftables that write them.
 */
#ifndef GATEHOUSE_ISOLATION_COLLISIONS_H
#define GATEHOUSE_ISOLATION_COLLISIONS_H

#include "agent/lib/worker.h"
#include "modules/isolation/foreign.h"
#include "modules/isolation/kernel/guard.h"
#include "modules/isolation/kernel/nft.h"

/* The first routing rule that compares our bit. True: there is one. Pure. */
bool collisions_find_route(const struct guard_rule *rules, size_t n,
	const struct isolation_marks *marks,
	struct isolation_collision *ret_collision);
/* The first rule that writes bits of ours. True: there is one. Pure. */
bool collisions_find_rule(const struct foreign *foreign,
	const struct isolation_marks *marks,
	struct isolation_collision *ret_collision);
/* Somebody who changes rules all the time does not get all of the processor. */
#define COLLISIONS_SETTLE_MS 200 /* so long after a change */
#define COLLISIONS_GAP_MS 2000 /* between two looks */

struct collisions {
	struct worker *worker;
	struct guard *guard;
	struct nft *nft;
	const struct isolation_marks *marks;
	struct timer timer;
	int64_t last_ms;
};

/* Rules of others have changed: looks soon. The pointers are set before. */
void collisions_soon(struct collisions *collisions);
/* Looks, and tells the agent what is not as it was told last. */
void collisions_tell(struct collisions *collisions);

#endif
