/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remembers what was told. Touches memory only; must never grow, and who
 * fills it gets no more through than the pace.
 */
#include "modules/discovery/match/news.h"

#include <stddef.h>
#include <string.h>

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ at[i]) * 0x100000001b3u;
		hash ^= hash >> 29;
	}
	return hash;
}

static uint64_t hash_of(const struct news *news, const struct mac *mac,
	unsigned kind, const char *value)
{
	uint64_t hash = mix(news->secret, mac, sizeof(*mac));

	hash = mix(hash, &kind, sizeof(kind));
	return mix(hash, value, strlen(value));
}

/* Its place, or the one that was told longest ago. */
static struct news_piece *find(struct news *news, uint64_t hash)
{
	struct news_piece *pieces =
		&news->pieces[hash % (NEWS_KEPT / NEWS_WAYS) * NEWS_WAYS];
	struct news_piece *oldest = pieces;

	for (size_t i = 0; i < NEWS_WAYS; i++) {
		if (pieces[i].told_ms && pieces[i].hash == hash)
			return &pieces[i];
		if (pieces[i].told_ms < oldest->told_ms)
			oldest = &pieces[i];
	}
	return oldest;
}

bool news_is_new(struct news *news, const struct mac *mac, unsigned kind,
	const char *value, int64_t now_ms)
{
	uint64_t hash = hash_of(news, mac, kind, value);
	struct news_piece *piece = find(news, hash);

	if (piece->told_ms && piece->hash == hash &&
		now_ms - piece->told_ms < NEWS_AGAIN_MS)
		return false;
	if (!pace_allows(&news->pace, mac, now_ms)) {
		news->paced++;
		return false;
	}
	*piece = (struct news_piece){hash, now_ms};
	return true;
}
