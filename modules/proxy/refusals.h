/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which devices are refused at this moment, and why: one warning per device,
 * taken back when every upgrade that was refused has worked again.
 */
#ifndef GATEHOUSE_REFUSALS_H
#define GATEHOUSE_REFUSALS_H

#include <stddef.h>

#include "agent/lib/state.h"
#include "modules/proxy/proxy_proto.h"

#define REFUSALS_MAX 1024 /* remembered; the oldest goes first */
#define REFUSALS_CODE "tls.refused"

/* Zeroed memory is an empty one. Oldest first. */
struct refusals {
	struct refusal {
		uint32_t device;
		char upgrade[RECORD_NAME];
		char reason[160];
	} * items;
	size_t n, room;
};

void refusals_add(struct refusals *refusals, struct state *state,
	const struct proxy_flow *flow);
/* The same upgrade has worked. */
void refusals_drop(struct refusals *refusals, struct state *state,
	const struct proxy_flow *flow);
/* Forgets those of upgrades and devices that are gone. */
void refusals_review(struct refusals *refusals, struct state *state,
	const struct proxy_upgrade *upgrades, size_t n_upgrades);

#endif
