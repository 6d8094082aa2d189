/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something is allowed or not: the decision of the rules, made again with
 * the policy that they were made of, and what decides it. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_WHY_H
#define GATEHOUSE_ISOLATION_WHY_H

#include "modules/isolation/kernel/flows.h"
#include "modules/isolation/topology.h"

/* Where an address is, by the routes of this machine. */
enum why_place {
	WHY_PLACE_OUTSIDE,
	WHY_PLACE_GATEWAY,
	WHY_PLACE_OWNER,
	WHY_PLACE_DEVICES,
	WHY_PLACE_NOWHERE,
};

/* What is to be known besides the policy. */
struct why_way {
	enum why_place place;
	bool admin; /* the device has an address of an admin */
	uint8_t zone_mode; /* of where it is; 0: unknown */
};

/*
 * Fills all but cookie and kernel. The device is known by its MAC; flow.from
 * does not count.
 */
void why_decide(const struct policy *policy, const struct why_way *way,
	const struct mac *mac, const struct flow *flow,
	struct isolation_because *ret_because);
/* The mode of the zone that an interface is in; 0: none. */
uint8_t why_zone_mode(const struct topology *topology, const char *interface);

#endif
