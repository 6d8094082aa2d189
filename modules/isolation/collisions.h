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
/* Looks, and tells the agent what is not as it was told last. */
void collisions_tell(struct worker *worker, struct guard *guard,
	struct nft *nft, const struct isolation_marks *marks);

#endif
