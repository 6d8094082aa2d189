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
	bool learned; /* a name led the device there */
	bool admin; /* the device has an address of an admin */
	uint8_t zone_mode; /* of where it is; 0: unknown */
	uint8_t strangers; /* enum isolation_strangers, of where it is */
	bool guest; /* known devices there may what strangers may, too */
	uint16_t from_zone, to_zone; /* as in struct isolation_zone; 0: none */
	char from_link[16], to_link[16]; /* their interfaces; may be empty */
	bool moved, to_moved; /* device, address: not of the interface's zone */
	bool same_link; /* both are behind one interface */
	bool there_enforced; /* the zone it leads to enforces */
};

/*
 * Fills all but cookie and kernel. The device is known by its MAC; flow.from
 * does not count.
 */
void why_decide(const struct policy *policy, const struct why_way *way,
	const struct mac *mac, const struct flow *flow,
	struct isolation_because *ret_because);
/*
 * After it, for a question about a device: a line may lead to it by name
 * while nobody knows where it is.
 */
void why_follow(const struct policy *policy, const struct why_way *way,
	uint32_t to_device, const struct flow *flow,
	struct isolation_because *because);
/* The interface or port with that name; NULL: none. */
const struct topology_port *why_port(
	const struct topology *topology, const char *interface);

#endif
