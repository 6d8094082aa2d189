/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From names to addresses. Touches memory only; must never lead to an address
 * that anybody else holds, nor to one that is the gateway's or is pinned.
 */
#include "modules/isolation/follow.h"

#include <stdlib.h>
#include <string.h>

#include "modules/isolation/policy_delta.h"
#include "modules/isolation/rules/batch.h"

struct candidate {
	struct follow_place place;
	bool leased, before;
	uint64_t rest_ms;
};

void follow_places_free(struct follow_places *places)
{
	free(places->rows);
	memset(places, 0, sizeof(*places));
}

static int by_place(const void *a, const void *b)
{
	const struct follow_place *x = a, *y = b;

	if (x->device != y->device)
		return x->device > y->device ? 1 : -1;
	return memcmp(&x->ip, &y->ip, sizeof(x->ip));
}

bool follow_places_same(
	const struct follow_places *a, const struct follow_places *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (by_place(&a->rows[i], &b->rows[i]) != 0)
			return false;
	return true;
}

/* Of one family and device those first that are to be kept. */
static int by_worth(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->place.device != y->place.device)
		return x->place.device > y->place.device ? 1 : -1;
	if (x->place.ip.family != y->place.ip.family)
		return x->place.ip.family - y->place.ip.family;
	if (x->leased != y->leased)
		return y->leased - x->leased;
	if (x->before != y->before)
		return y->before - x->before;
	if (x->rest_ms != y->rest_ms)
		return x->rest_ms < y->rest_ms ? 1 : -1;
	return by_place(&x->place, &y->place);
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static size_t add_targets(
	const struct policy_array *follows, uint32_t *ids, size_t n)
{
	policy_each(struct isolation_pass, p, follows)
		ids[n++] = p->to_device;
	return n;
}

/* Devices that lines lead to, in order. */
static uint32_t *find_targets(const struct policy *policy, size_t *ret_n)
{
	size_t n = policy->follows.n + policy->zone_follows.n;
	uint32_t *ids = must_have(calloc(n + 1, sizeof(*ids)));

	n = add_targets(&policy->follows, ids, 0);
	n = add_targets(&policy->zone_follows, ids, n);
	qsort(ids, n, sizeof(*ids), by_number);
	*ret_n = n;
	return ids;
}

bool follow_counts(const struct policy *policy, const struct topology *topology,
	const struct ip *ip)
{
	return !ip_is_link_local(ip) && !topology_is_gateway(topology, ip) &&
	       !policy_pin(policy, ip);
}

static bool has_pins(
	const struct policy *policy, uint32_t device, uint16_t family)
{
	struct policy_array pins = policy_group(&policy->pins,
		sizeof(struct isolation_pin),
		offsetof(struct isolation_pin, device), device);

	policy_each(struct isolation_pin, p, &pins)
		if (p->ip.family == family)
			return true;
	return false;
}

/* In the other table somebody else may have it. */
static bool is_disputed(const struct ruleset_bound *bound, size_t n, size_t i)
{
	return (i && ip_equal(&bound[i - 1].ip, &bound[i].ip) &&
		       !mac_equal(&bound[i - 1].mac, &bound[i].mac)) ||
	       (i + 1 < n && ip_equal(&bound[i + 1].ip, &bound[i].ip) &&
		       !mac_equal(&bound[i + 1].mac, &bound[i].mac));
}

static bool is_repeated(const struct ruleset_bound *bound, size_t i)
{
	return i && ip_equal(&bound[i - 1].ip, &bound[i].ip);
}

static bool was_there(
	const struct follow_places *before, const struct follow_place *place)
{
	return before->n && bsearch(place, before->rows, before->n,
				    sizeof(*place), by_place);
}

/* Keeps so many of each device and family, leased ones only if there are. */
static size_t choose(
	const struct candidate *c, size_t n, struct follow_place *rows)
{
	size_t kept = 0, of_one = 0, first = 0;

	for (size_t i = 0; i < n; i++) {
		const struct candidate *f = &c[first];

		if (i == 0 || c[i].place.device != f->place.device ||
			c[i].place.ip.family != f->place.ip.family) {
			first = i;
			of_one = 0;
		}
		if (of_one == ISOLATION_FOLLOWED_EACH ||
			c[i].leased != c[first].leased)
			continue;
		of_one++;
		rows[kept++] = c[i].place;
	}
	return kept;
}

void follow_find(const struct policy *policy, const struct topology *topology,
	const struct ruleset_bound *bound, size_t n,
	const struct follow_places *before, struct follow_places *ret_places)
{
	size_t n_targets = 0, found = 0;
	uint32_t *targets = find_targets(policy, &n_targets);
	struct candidate *c = must_have(
		calloc(n_targets ? n + 1 : 1, sizeof(*c)));

	for (size_t i = 0; n_targets && i < n; i++) {
		const struct isolation_device *d = policy_device_by_mac(
			policy, &bound[i].mac);
		struct candidate *new = &c[found];

		if (!d || d->shared ||
			!bsearch(&d->id, targets, n_targets, sizeof(*targets),
				by_number) ||
			is_disputed(bound, n, i) || is_repeated(bound, i) ||
			!follow_counts(policy, topology, &bound[i].ip) ||
			has_pins(policy, d->id, bound[i].ip.family))
			continue;
		new->place = (struct follow_place){
			d->id, bound[i].ip, bound[i].bridge};
		new->leased = bound[i].leased;
		new->before = was_there(before, &new->place);
		new->rest_ms = bound[i].rest_ms;
		found++;
	}
	qsort(c, found, sizeof(*c), by_worth);
	ret_places->rows = must_have(
		calloc(found + 1, sizeof(*ret_places->rows)));
	ret_places->n = choose(c, found, ret_places->rows);
	qsort(ret_places->rows, ret_places->n, sizeof(*ret_places->rows),
		by_place);
	free(c);
	free(targets);
}

/* Only what the owner wrote. */
static void drop_found(struct policy_array *passes)
{
	struct isolation_pass *p = passes->items;
	size_t kept = 0;

	for (size_t i = 0; i < passes->n; i++)
		if (!p[i].to_device)
			p[kept++] = p[i];
	passes->n = kept;
}

static size_t add_found(struct policy_array *passes,
	const struct policy_array *follows, const struct follow_places *places)
{
	const struct policy_array all = {places->rows, places->n, 0};
	size_t left_out = 0;

	policy_each(struct isolation_pass, f, follows) {
		struct policy_array here = policy_group(&all,
			sizeof(struct follow_place),
			offsetof(struct follow_place, device), f->to_device);

		policy_each(struct follow_place, place, &here) {
			struct isolation_pass pass = *f;

			pass.to = place->ip;
			left_out += policy_add_found(passes, &pass) < 0;
		}
	}
	return left_out;
}

size_t follow_set(struct policy *policy, const struct follow_places *places)
{
	size_t left_out;

	drop_found(&policy->passes);
	drop_found(&policy->zone_passes);
	left_out = add_found(&policy->passes, &policy->follows, places) +
		   add_found(
			   &policy->zone_passes, &policy->zone_follows, places);
	policy_sort(policy);
	return left_out;
}
