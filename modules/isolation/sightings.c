/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table without chains: two devices in one place only cost each other
 * another message. Touches memory only; must never grow.
 */
#include "modules/isolation/sightings.h"

#include <errno.h>
#include <string.h>

static uint32_t hash(const struct mac *mac)
{
	return mac_hash(mac) % SIGHTINGS_SLOTS;
}

static bool within_rate(struct sightings *sightings, int64_t now_ms)
{
	if (now_ms - sightings->second_ms >= 1000) {
		sightings->second_ms = now_ms;
		sightings->told = 0;
	}
	return sightings->told++ < SIGHTINGS_RATE;
}

int sightings_add(struct sightings *sightings, const struct mac *mac,
	bool is_port, int64_t now_ms, int32_t *index)
{
	struct sighting *s = &sightings->slot[hash(mac)];
	bool known = s->told_ms && mac_equal(&s->mac, mac);

	if (known && s->is_port && !is_port)
		*index = s->index;
	if (known && s->index == *index &&
		now_ms - s->told_ms < SIGHTINGS_AGAIN_MS)
		return 0;
	if (!within_rate(sightings, now_ms))
		return -EAGAIN;
	s->is_port = is_port || (known && s->is_port);
	s->mac = *mac;
	s->index = *index;
	s->told_ms = now_ms;
	return 1;
}

int32_t sightings_where(
	const struct sightings *sightings, const struct mac *mac)
{
	const struct sighting *s = &sightings->slot[hash(mac)];

	return s->told_ms && mac_equal(&s->mac, mac) ? s->index : 0;
}

void sightings_forget(struct sightings *sightings)
{
	memset(sightings, 0, sizeof(*sightings));
}
