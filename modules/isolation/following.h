/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps lines that lead to a device by its name pointing to where it is, as
 * that changes.
 */
#ifndef GATEHOUSE_ISOLATION_FOLLOWING_H
#define GATEHOUSE_ISOLATION_FOLLOWING_H

#include "modules/isolation/cuts.h"
#include "modules/isolation/follow.h"

/* Somebody is at a new address: when it is looked at, at the earliest. */
#define FOLLOWING_SOON_MS 100
#define FOLLOWING_EACH_MS 1000 /* and after the last look */

struct following {
	struct cuts *cuts;
	struct timer soon;
	int64_t looked_ms;
	struct follow_places places; /* in force */
	/* The rules were changed. */
	void (*on_change)(struct following *following);
};

void following_init(struct following *following, struct cuts *cuts);
/* Does any line of it lead to a device, wherever that is? */
bool following_is_wanted(const struct policy *policy);
/* Makes such a policy, that is in force next, lead to where devices are. */
void following_find(struct following *following, struct policy *policy,
	const struct topology *topology);
/* What is bound was read anew (engine_count()). */
void following_look(struct following *following);
/* Somebody was seen: is it one who is followed, or at such an address? */
void following_seen(struct following *following, const struct neigh_fact *fact);

#endif
