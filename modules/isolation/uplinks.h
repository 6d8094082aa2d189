/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which interfaces lead outside where the owner named none. Pure. */
#ifndef GATEHOUSE_ISOLATION_UPLINKS_H
#define GATEHOUSE_ISOLATION_UPLINKS_H

#include "modules/isolation/topology.h"

enum uplinks_kind {
	UPLINKS_REAL,
	UPLINKS_DIALLED, /* ppp: an uplink, or a tunnel through one */
	UPLINKS_TUNNEL,
};
/*
 * By the kernel's word for its kind (NULL: a device of its own) and whether it
 * leads to one other end only.
 */
enum uplinks_kind uplinks_kind(const char *kind, bool point_to_point);

/*
 * Sets the uplinks of a topology: of the interfaces with these indexes those
 * that are in no zone and no tunnels, and those that were dialled if there
 * are no others.
 */
void uplinks_find(struct topology *topology, const struct policy *policy,
	const struct topology_fact *facts, size_t n_facts,
	const int32_t *indexes, size_t n);

#endif
