/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends live connections that the policy in force no longer allows. */
#ifndef GATEHOUSE_ISOLATION_CUTS_H
#define GATEHOUSE_ISOLATION_CUTS_H

#include "modules/isolation/addresses.h"
#include "modules/isolation/engine.h"
#include "modules/isolation/kernel/neigh.h"

/* Looking for this many addresses one by one is quicker than for all. */
#define CUTS_SINGLY_MAX 32

struct cuts {
	struct engine *engine;
	struct neigh *neigh;
	struct addresses addresses;
};

/* Somebody was seen: remembered if it is a device's. */
void cuts_seen(struct cuts *cuts, const struct neigh_fact *fact);
/*
 * Whose address it is at this moment on an interface of a devices zone; NULL:
 * nobody's there.
 */
const struct topology_port *cuts_neighbour(
	struct cuts *cuts, const struct ip *ip, struct mac *ret_mac);
/* After engine_apply(): of those it touched, or of everybody. */
void cuts_after(struct cuts *cuts, uint8_t generation_before);
/* The device may no longer go where a name had led it. */
void cuts_forgotten(struct cuts *cuts, const struct mac *mac);

#endif
