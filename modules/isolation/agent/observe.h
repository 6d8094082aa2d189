/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the isolation worker saw, entered into the agent's state: records of
 * devices and strangers, counters, warnings. No I/O.
 */
#ifndef GATEHOUSE_ISOLATION_OBSERVE_H
#define GATEHOUSE_ISOLATION_OBSERVE_H

#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"

/* So many packets of a fenced worker in one report are no accident. */
#define OBSERVE_FENCED_MANY 16
/* Strangers with a warning each; more of them are one warning together. */
#define OBSERVE_STRANGERS_TOLD 256

void observe_seen(struct state *state, const struct conf *conf,
	const struct isolation_seen *seen);
/* It was none, after all. */
void observe_forget_stranger(struct state *state, const struct mac *mac);
void observe_counters(
	struct state *state, const struct isolation_counters *counters);
void observe_tally(struct state *state, const struct isolation_tally *tally);
void observe_rules(struct state *state, const struct isolation_rules *rules);
void observe_link(struct state *state, const struct isolation_link *link);
/* Somebody claimed to be what it is not. */
void observe_spoof(struct state *state, const struct isolation_spoof *spoof);
/* Which address a device uses, by DHCP or not. */
void observe_bound(struct state *state, const struct isolation_bound *bound);
/* A new configuration is in force: modes and strangers anew. */
void observe_applied(struct state *state, const struct conf *conf);
/* The [zone] section with this place, from 1; NULL. */
const struct conf_section *observe_zone(
	const struct conf *conf, uint16_t place);

void observe_collision(
	struct state *state, const struct isolation_collision *collision);

#endif
