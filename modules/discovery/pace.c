/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buckets that fill with time. Touches memory only; must never let a sender
 * through for whom there is no bucket.
 */
#include "modules/discovery/pace.h"

#include <stddef.h>

#define MESSAGE 1000 /* tokens */

static void fill(
	struct pace_bucket *bucket, int64_t rate, int64_t most, int64_t now_ms)
{
	int64_t passed = now_ms - bucket->filled_ms;

	/* New, or so long ago that it is full. */
	if (!bucket->filled_ms || passed > PACE_FORGET_MS || passed < 0)
		bucket->tokens = most * MESSAGE;
	else
		bucket->tokens += passed * rate;
	if (bucket->tokens > most * MESSAGE)
		bucket->tokens = most * MESSAGE;
	bucket->filled_ms = now_ms;
}

static struct pace_sender *find(
	struct pace *pace, const struct mac *mac, int64_t now_ms)
{
	struct pace_sender *place = NULL;

	for (size_t i = 0; i < pace->n; i++) {
		struct pace_sender *s = &pace->senders[i];

		if (mac_equal(&s->mac, mac))
			return s;
		if (now_ms - s->bucket.filled_ms > PACE_FORGET_MS)
			place = s;
	}
	if (!place && pace->n < PACE_SENDERS_MAX)
		place = &pace->senders[pace->n++];
	if (place)
		*place = (struct pace_sender){.mac = *mac};
	return place;
}

bool pace_allows(struct pace *pace, const struct mac *mac, int64_t now_ms)
{
	struct pace_sender *sender = find(pace, mac, now_ms);

	if (!sender)
		return false;
	fill(&sender->bucket, PACE_RATE, PACE_BURST, now_ms);
	/* Who is over its own share does not use up everybody's. */
	if (sender->bucket.tokens < MESSAGE)
		return false;
	fill(&pace->all, PACE_RATE_ALL, PACE_BURST_ALL, now_ms);
	if (pace->all.tokens < MESSAGE)
		return false;
	sender->bucket.tokens -= MESSAGE;
	pace->all.tokens -= MESSAGE;
	return true;
}
