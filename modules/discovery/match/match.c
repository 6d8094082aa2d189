/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weighs evidence. Pure. Evidence that contradicts itself, as when a phone
 * talks through a device that it sets up, makes an answer less sure; it must
 * never add up.
 */
#include "modules/discovery/match/match.h"

#include <stdlib.h>
#include <string.h>

#include "modules/discovery/match/evidence.h"

/* An answer against which something speaks keeps two thirds of its worth. */
#define AGAINST(confidence) ((confidence)*2 / 3)

struct search {
	const struct conf *products;
	const struct match_item *items;
	size_t n;
};

static bool find_item(const struct search *search,
	const struct products_condition *condition, size_t *ret_place)
{
	for (size_t i = 0; i < search->n; i++)
		if (search->items[i].kind == condition->kind &&
			products_fits(
				condition->pattern, search->items[i].value)) {
			*ret_place = i;
			return true;
		}
	return false;
}

static bool try_line(const struct search *search, const char *line,
	struct match_candidate *candidate)
{
	struct products_condition condition;

	candidate->n_because = 0;
	candidate->specific = 0;
	while (products_next_condition(&line, &condition) > 0) {
		size_t *place = &candidate->because[candidate->n_because];

		if (candidate->n_because == PRODUCTS_CONDITIONS_MAX ||
			!find_item(search, &condition, place))
			return false;
		candidate->n_because++;
		candidate->specific += strchr(condition.pattern, '*') ? 2 : 3;
	}
	return candidate->n_because;
}

/* Of one source only the best counts; sources make each other surer. */
static void weigh(
	const struct search *search, struct match_candidate *candidate)
{
	unsigned doubt = 10000;

	candidate->hint = true;
	for (size_t i = 0; i < candidate->n_because; i++) {
		unsigned kind = search->items[candidate->because[i]].kind;
		uint8_t worth = evidence_worth(kind);
		bool best = true;

		candidate->hint &= evidence_is_hint(kind);
		for (size_t j = 0; j < candidate->n_because; j++) {
			unsigned other =
				search->items[candidate->because[j]].kind;

			if (j != i && evidence_same_source(kind, other) &&
				(evidence_worth(other) > worth ||
					(evidence_worth(other) == worth &&
						j < i)))
				best = false;
		}
		if (best)
			doubt = doubt * (100u - worth) / 100;
	}
	candidate->confidence = (uint8_t)(100 - doubt / 100);
	if (candidate->confidence > MATCH_MOST)
		candidate->confidence = MATCH_MOST;
	if (candidate->hint && candidate->confidence > EVIDENCE_HINT_MOST)
		candidate->confidence = EVIDENCE_HINT_MOST;
}

static bool is_better(
	const struct match_candidate *a, const struct match_candidate *b)
{
	if (a->specific != b->specific)
		return a->specific > b->specific;
	return a->confidence > b->confidence;
}

/* The best line of a product. */
static bool try_product(const struct search *search,
	const struct conf_section *product, struct match_candidate *ret_best)
{
	bool found = false;

	for (const struct conf_value *line = conf_get(product, "all-of"); line;
		line = conf_get_next(line)) {
		struct match_candidate candidate = {.product = product};

		if (!try_line(search, line->text, &candidate))
			continue;
		weigh(search, &candidate);
		if (!found || is_better(&candidate, ret_best))
			*ret_best = candidate;
		found = true;
	}
	return found;
}

/* Into its place by how good it is; the worst may fall out. */
static void insert(struct match *match, const struct match_candidate *candidate)
{
	size_t at = match->n;

	while (at && is_better(candidate, &match->candidates[at - 1]))
		at--;
	if (match->n == MATCH_CANDIDATES_MAX)
		match->more++;
	else
		match->n++;
	if (at == MATCH_CANDIDATES_MAX)
		return;
	memmove(&match->candidates[at + 1], &match->candidates[at],
		(match->n - at - 1) * sizeof(*candidate));
	match->candidates[at] = *candidate;
}

static void drop(struct match *match, size_t at)
{
	match->n--;
	memmove(&match->candidates[at], &match->candidates[at + 1],
		(match->n - at) * sizeof(match->candidates[0]));
}

/* The general product has nothing to say beside a kind of it. */
static void drop_general(const struct conf *products, struct match *match)
{
	for (size_t i = 0; i < match->n; i++)
		for (size_t j = match->n; j-- > 0;)
			if (j != i && products_is_kind_of(products,
					      match->candidates[i].product,
					      match->candidates[j].product)) {
				drop(match, j);
				i -= j < i;
			}
}

static unsigned find_contradiction(const struct search *search)
{
	for (size_t i = 0; i < search->n; i++)
		for (size_t j = i + 1; j < search->n; j++)
			if (search->items[i].kind == search->items[j].kind &&
				evidence_is_single(search->items[i].kind) &&
				strcmp(search->items[i].value,
					search->items[j].value) != 0)
				return search->items[i].kind;
	return 0;
}

/* How many are as specific as the first. */
static size_t count_best(const struct match *match)
{
	size_t n = 0;

	while (n < match->n &&
		match->candidates[n].specific == match->candidates[0].specific)
		n++;
	return n;
}

void match_find(const struct conf *products, const struct match_item *items,
	size_t n, struct match *ret_match)
{
	const struct search search = {products, items, n};
	const struct conf_section *product = NULL;
	struct match match = {0};

	while ((product = conf_next(products, "product", product))) {
		struct match_candidate candidate;

		if (try_product(&search, product, &candidate))
			insert(&match, &candidate);
	}
	drop_general(products, &match);
	match.n_best = count_best(&match);
	match.contradiction = find_contradiction(&search);
	for (size_t i = 0; i < match.n; i++) {
		unsigned confidence = match.candidates[i].confidence;

		if (i < match.n_best)
			confidence /= (unsigned)match.n_best;
		if (match.n > match.n_best)
			confidence = AGAINST(confidence);
		if (match.contradiction)
			confidence = AGAINST(confidence);
		match.candidates[i].confidence = (uint8_t)confidence;
	}
	*ret_match = match;
}
