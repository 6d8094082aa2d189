/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies by chance, for tests that want many different ones. */
#ifndef GATEHOUSE_TESTS_ISOLATION_WORLD_H
#define GATEHOUSE_TESTS_ISOLATION_WORLD_H

#include "modules/isolation/topology.h"

/* The same numbers each time, from the seed. */
struct chance {
	uint64_t state;
};
uint32_t chance_below(struct chance *chance, uint32_t n);

/*
 * A sealed policy of up to most devices; two of them have much in common.
 * Something in every set.
 */
void world_policy(
	struct policy *ret_policy, struct chance *chance, uint32_t most);
/* Its devices with one or two of them changed, added or removed. */
void world_change(const struct policy *policy, struct policy *ret_policy,
	struct chance *chance, uint32_t most);
/* Not to be freed. */
extern const struct topology world_topology;

#endif
