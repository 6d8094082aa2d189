/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who was told of already, so that the agent hears of everybody but not of
 * every packet's trace. Bounded whatever devices do. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_SIGHTINGS_H
#define GATEHOUSE_ISOLATION_SIGHTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/lib/net.h"

#define SIGHTINGS_SLOTS 32768
#define SIGHTINGS_AGAIN_MS 60000 /* the same is told once in this time */
#define SIGHTINGS_RATE 5000 /* a second, of all together */

struct sighting {
	struct mac mac;
	int32_t index; /* of the interface or port */
	bool is_port; /* of a bridge: nearer to the device than the bridge */
	int64_t told_ms; /* 0: free */
};

struct sightings {
	struct sighting slot[SIGHTINGS_SLOTS];
	int64_t second_ms;
	unsigned told;
};

/*
 * 1 when this should be told, 0 when it was told already, -EAGAIN when it is
 * too much for this second. What is known of a bridge port is not replaced
 * by the bridge itself: *index then becomes the port.
 */
int sightings_add(struct sightings *sightings, const struct mac *mac,
	bool is_port, int64_t now_ms, int32_t *index);
/* Where it was seen last; 0 = unknown. */
int32_t sightings_where(
	const struct sightings *sightings, const struct mac *mac);
/* Everything is news again. */
void sightings_forget(struct sightings *sightings);

#endif
