/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copy of the decisions. Touches memory only; must never make a decision
 * last longer because nobody said that it is over.
 */
#include "modules/registry/agent/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

static struct known *buckets[BUCKETS];
static size_t n_known;

static size_t bucket_of(const struct mac *mac)
{
	return mac_hash(mac) % BUCKETS;
}

static struct known **find(const struct mac *mac)
{
	struct known **at = &buckets[bucket_of(mac)];

	while (*at && !mac_equal(&(*at)->told.mac, mac))
		at = &(*at)->next;
	return at;
}

static void drop(struct known **at)
{
	struct known *known = *at;

	*at = known->next;
	free(known);
	n_known--;
}

void known_begin(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct known *k = buckets[i]; k; k = k->next)
			k->fresh = false;
}

static void drop_others(bool all)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct known **at = &buckets[i]; *at;)
			if (all || !(*at)->fresh)
				drop(at);
			else
				at = &(*at)->next;
}

void known_end(void)
{
	drop_others(false);
}

void known_clear(void)
{
	drop_others(true);
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool makes_sense(const struct registry_device *told)
{
	return told->verdict <= REGISTRY_VERDICT_BLOCKED &&
	       told->before <= REGISTRY_VERDICT_BLOCKED &&
	       told->left <= REGISTRY_SECONDS_MAX + 1 &&
	       told->paused <= REGISTRY_SECONDS_MAX + 1 &&
	       ends(told->name, sizeof(told->name)) &&
	       ends(told->profile, sizeof(told->profile)) &&
	       ends(told->profile_before, sizeof(told->profile_before)) &&
	       ends(told->actor, sizeof(told->actor));
}

int known_put(const struct registry_device *told, int64_t now_ms)
{
	struct known **at = find(&told->mac);

	if (!makes_sense(told))
		return -EINVAL;
	if (!told->verdict && !told->paused && !told->name[0]) {
		if (*at)
			drop(at);
		return 0;
	}
	if (!*at) {
		if (n_known > REGISTRY_DECIDED_MAX + REGISTRY_STRANGERS_MAX)
			return -ENOSPC;
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return -ENOMEM;
		n_known++;
	}
	(*at)->told = *told;
	(*at)->fresh = true;
	(*at)->ends_ms = told->left ? now_ms + (int64_t)told->left * 1000 : 0;
	(*at)->pause_ms = told->paused ? now_ms + (int64_t)told->paused * 1000
				       : 0;
	return 0;
}

const struct known *known_find(const struct mac *mac)
{
	return *find(mac);
}

const struct known *known_all(void)
{
	static const struct mac zero;

	return known_find(&zero);
}

const struct known *known_next(const struct known *after)
{
	size_t i = 0;

	if (after && after->next)
		return after->next;
	if (after)
		i = bucket_of(&after->told.mac) + 1;
	while (i < BUCKETS && !buckets[i])
		i++;
	return i < BUCKETS ? buckets[i] : NULL;
}

static bool is_over(const struct known *known, int64_t now_ms)
{
	return known->ends_ms && known->ends_ms <= now_ms;
}

uint8_t known_verdict(const struct known *known, int64_t now_ms)
{
	return is_over(known, now_ms) ? known->told.before
				      : known->told.verdict;
}

const char *known_profile(const struct known *known, int64_t now_ms)
{
	return is_over(known, now_ms) ? known->told.profile_before
				      : known->told.profile;
}

bool known_is_paused(const struct known *known, int64_t now_ms)
{
	return known->pause_ms > now_ms;
}

bool known_is_all(const struct known *known)
{
	return mac_is_zero(&known->told.mac);
}

static int64_t sooner(int64_t next, int64_t end_ms, int64_t now_ms)
{
	int64_t in = end_ms - now_ms;

	return end_ms && in > 0 && (next < 0 || in < next) ? in : next;
}

int64_t known_next_end(int64_t now_ms)
{
	int64_t next = -1;

	for (const struct known *k = known_next(NULL); k; k = known_next(k)) {
		next = sooner(next, k->ends_ms, now_ms);
		next = sooner(next, k->pause_ms, now_ms);
	}
	return next;
}
