/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that lead to a device by its name, and the addresses where the device
 * is: those that are bound to it. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_FOLLOW_H
#define GATEHOUSE_ISOLATION_FOLLOW_H

#include "modules/isolation/rules/ruleset.h"

/* An address where a line leads. */
struct follow_place {
	uint32_t device;
	struct ip ip;
	bool bridge; /* it is bound there on a bridge */
};

struct follow_places {
	struct follow_place *rows; /* by device and address, each once */
	size_t n;
};
void follow_places_free(struct follow_places *places);
bool follow_places_same(
	const struct follow_places *a, const struct follow_places *b);

/*
 * Where the devices are that lines of the policy lead to. bound is in order.
 * What is pinned counts by itself: of a family in which a device has pinned
 * addresses, none is found. A leased address goes before those that were only
 * used; beyond ISOLATION_FOLLOWED_EACH those stay that were found before.
 */
void follow_find(const struct policy *policy, const struct topology *topology,
	const struct ruleset_bound *bound, size_t n,
	const struct follow_places *before, struct follow_places *ret_places);
/* Is this an address at which a device may be followed at all? */
bool follow_counts(const struct policy *policy, const struct topology *topology,
	const struct ip *ip);
/*
 * Makes the ways of a sealed policy lead to these places and to no others.
 * How many found no room.
 */
size_t follow_set(struct policy *policy, const struct follow_places *places);

#endif
