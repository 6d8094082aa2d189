/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sets of a policy hold, before it becomes messages. Two images of
 * the same sets can be compared: what is to be deleted and added so that one
 * becomes the other. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_IMAGE_H
#define GATEHOUSE_ISOLATION_IMAGE_H

#include <stdbool.h>

#include "modules/isolation/rules/ruleset.h"

/* At the end of rows that count or expire. */
struct image_count {
	struct ruleset_count count;
	uint64_t timeout_ms; /* 0: stays */
};

/* How often an element may be found; no bytes are unused. */
struct image_limit {
	uint64_t rate, seconds; /* 0: always found */
	uint32_t burst;
	uint32_t bytes; /* 1: rate and burst are bytes; 0: packets */
};

/*
 * A row is the key, its end (of intervals), the data, an image_limit, an
 * image_count.
 */
struct image_set {
	char name[RULESET_NAME];
	uint16_t family;
	uint16_t key, data; /* bytes; data 0: no map */
	bool interval;
	bool limits;
	bool counts, expires; /* counts: not with limits */
	bool changing; /* packets fill it: its contents are not the policy's */
	uint8_t *rows;
	size_t n, room;
};

struct image {
	struct image_set sets[RULESET_SETS_MAX];
	size_t n;
};

size_t image_row(const struct image_set *set);
/* A zeroed row at the end; valid until the next one. */
uint8_t *image_add(struct image_set *set, size_t hint);
void image_free(struct image *image);

/* All rows of the set as messages that add or delete them. */
void image_write(const struct image_set *set, bool add, const char *who,
	struct batch *batch);

/*
 * Calls for each row that is in one image only: first for all that are to be
 * deleted, then for all that are to be added. A row whose data differs is
 * both; what was counted makes no difference. Sorts the rows of both.
 */
typedef void (*image_differs)(
	const struct image_set *set, bool add, const uint8_t *row, void *arg);
void image_compare(
	struct image *from, struct image *to, image_differs differs, void *arg);
/*
 * The difference as messages, noted as who's, which is a device's name or
 * empty. How many elements it changes.
 */
size_t image_update(struct image *from, struct image *to, const char *who,
	struct batch *batch);
/*
 * Questions after one element of each set to which image_update() added some,
 * for nft_find_elements(). Both images were compared before.
 */
void image_ask(struct image *from, struct image *to, struct batch *batch);

#endif
