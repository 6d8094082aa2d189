/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which evidence is new: the same is told once in an hour, and nobody may
 * tell more than pace.h gives. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_MATCH_NEWS_H
#define GATEHOUSE_DISCOVERY_MATCH_NEWS_H

#include "modules/discovery/pace.h"

#define NEWS_AGAIN_MS (60 * 60 * 1000)
#define NEWS_KEPT 8192 /* pieces that are remembered */
#define NEWS_WAYS 4 /* places that one piece may have */

struct news_piece {
	uint64_t hash;
	int64_t told_ms; /* 0: empty */
};

/* All zero is a beginning, but for secret: nobody is to guess the places. */
struct news {
	uint64_t secret;
	struct news_piece pieces[NEWS_KEPT];
	struct pace pace;
	uint64_t paced; /* new, but too much */
};

/* It is told now, if it is; now_ms is not 0. */
bool news_is_new(struct news *news, const struct mac *mac, unsigned kind,
	const char *value, int64_t now_ms);

#endif
