/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device may be, from its evidence: the most specific rule wins, and
 * several that are as specific are a question to the owner. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_MATCH_MATCH_H
#define GATEHOUSE_DISCOVERY_MATCH_MATCH_H

#include "modules/discovery/match/products.h"

#define MATCH_CANDIDATES_MAX 8 /* told by name */
#define MATCH_MOST 95 /* percent; what a device says is never proof */

struct match_item {
	unsigned kind;
	const char *value;
};

struct match_candidate {
	const struct conf_section *product;
	unsigned specific; /* of its line: exact conditions 3, patterns 2 */
	uint8_t confidence; /* percent */
	bool hint; /* only what anybody can say for others speaks for it */
	size_t because[PRODUCTS_CONDITIONS_MAX]; /* places of items */
	size_t n_because;
};

/* candidates[0..n_best) are the answer; the rest speak against it. */
struct match {
	struct match_candidate candidates[MATCH_CANDIDATES_MAX];
	size_t n, n_best; /* n_best > 1: which of these is it? */
	size_t more; /* that fit as well and found no place */
	/* The kind of which it says two things at once; 0: none. */
	unsigned contradiction;
};

void match_find(const struct conf *products, const struct match_item *items,
	size_t n, struct match *ret_match);

#endif
