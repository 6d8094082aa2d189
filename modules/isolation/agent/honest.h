/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What isolation is worth for each device: enforced by rules that were seen
 * to hold, or not known to hold, or only in part because frames pass that
 * this gateway never sees. In the agent; there is one.
 */
#ifndef GATEHOUSE_ISOLATION_HONEST_H
#define GATEHOUSE_ISOLATION_HONEST_H

#include "agent/lib/module.h"
#include "agent/lib/wifi.h"
#include "agent/lib/probe.h"

#define HONEST_LOOK_MS 10000 /* how often all is judged again */
#define HONEST_FRESH_S 300 /* who was seen then is still there */

/* Is it none or observed, or are its rules enforced, whatever that is worth? */
bool honest_enforces(uint8_t isolation);
/*
 * The value for a device in this mode, as far as the rules go: an earlier
 * judgement of the same device is kept.
 */
uint8_t honest_isolation(
	const struct state *state, uint8_t mode, uint8_t before);

/* Looks at the host and judges all devices, from now on regularly. */
void honest_start(struct agent *agent);
void honest_look(struct agent *agent);

/* What is known of the interfaces of devices; by name. */
struct honest_fact {
	char interface[16];
	bool is_bridge;
	bool routed; /* neither a bridge nor a port of one */
	struct wifi wifi;
};

/*
 * Judges all devices; facts by their interface, probes as in probe.h. Pure,
 * but for the state.
 */
void honest_judge(struct state *state, const struct honest_fact *facts,
	size_t n_facts, const struct probe_results *probes, int64_t now_s);

#endif
