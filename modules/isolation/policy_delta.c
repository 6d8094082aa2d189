/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares sealed policies device by device. Touches memory only; must never
 * overlook a difference: what is taken for the same is not loaded. Works on
 * policy_kinds, so that an array that is added there is not forgotten here.
 */
#include "modules/isolation/policy_delta.h"

#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/batch.h"

#define BLOCK 4096

void policy_ids_free(struct policy_ids *ids)
{
	free(ids->ids);
	memset(ids, 0, sizeof(*ids));
}

static void add_id(struct policy_ids *ids, uint32_t id)
{
	if (ids->n && ids->ids[ids->n - 1] == id)
		return;
	if (ids->n == ids->room) {
		ids->room = ids->room * 2 + 16;
		ids->ids = must_have(
			realloc(ids->ids, ids->room * sizeof(*ids->ids)));
	}
	ids->ids[ids->n++] = id;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort_ids(struct policy_ids *ids)
{
	size_t kept = 0;

	if (ids->n)
		qsort(ids->ids, ids->n, sizeof(*ids->ids), by_number);
	for (size_t i = 0; i < ids->n; i++)
		if (!kept || ids->ids[kept - 1] != ids->ids[i])
			ids->ids[kept++] = ids->ids[i];
	ids->n = kept;
}

static bool has_id(const struct policy_ids *ids, uint32_t id)
{
	if (ids->n == 1) /* as it mostly is: asked of all items */
		return ids->ids[0] == id;
	return ids->n && bsearch(&id, ids->ids, ids->n, sizeof(id), by_number);
}

static uint32_t number_at(const char *item, size_t at)
{
	uint32_t id;

	memcpy(&id, item + at, sizeof(id));
	return id;
}

static uint32_t owner(const struct policy_kind *kind, const char *item)
{
	return number_at(item, (size_t)kind->device);
}

/* Most of two big arrays is the same: how many items at their beginning. */
static size_t same_items(
	const struct policy_array *a, const struct policy_array *b, size_t size)
{
	size_t n = a->n < b->n ? a->n : b->n, i = 0, step = BLOCK / size;
	const char *x = a->items, *y = b->items;

	while (i + step <= n &&
		!memcmp(x + i * size, y + i * size, step * size))
		i += step;
	while (i < n && !memcmp(x + i * size, y + i * size, size))
		i++;
	return i;
}

/* The owners of all items that only one of them has. */
static void compare_arrays(const struct policy_kind *kind,
	const struct policy_array *a, const struct policy_array *b,
	struct policy_ids *ids)
{
	size_t i = same_items(a, b, kind->size), j = i;

	while (i < a->n || j < b->n) {
		const char *x = (char *)a->items + i * kind->size;
		const char *y = (char *)b->items + j * kind->size;
		int order = i == a->n   ? 1
			    : j == b->n ? -1
					: kind->compare(x, y);

		if (order == 0 && !memcmp(x, y, kind->size)) {
			i++;
			j++;
			continue;
		}
		if (order <= 0) {
			add_id(ids, owner(kind, x));
			i++;
		}
		if (order >= 0) {
			add_id(ids, owner(kind, y));
			j++;
		}
	}
}

bool policy_differs(const struct policy *a, const struct policy *b,
	struct policy_ids *ret_ids)
{
	memset(ret_ids, 0, sizeof(*ret_ids));
	if (memcmp(&a->marks, &b->marks, sizeof(a->marks)) != 0)
		return false;
	for (size_t i = 0; i < POLICY_KINDS; i++) {
		const struct policy_kind *kind = &policy_kinds[i];
		const struct policy_array *x = policy_array(a, kind);
		const struct policy_array *y = policy_array(b, kind);

		if (kind->device >= 0) {
			compare_arrays(kind, x, y, ret_ids);
		} else if (kind->device == POLICY_EVERYBODY &&
			   (x->n != y->n ||
				   same_items(x, y, kind->size) != x->n)) {
			policy_ids_free(ret_ids);
			return false;
		}
	}
	sort_ids(ret_ids);
	return true;
}

static void pick_item(struct policy_array *part, const void *item, size_t size)
{
	if (part->n == part->room) {
		part->room = part->room * 2 + 16;
		part->items = must_have(
			realloc(part->items, part->room * size));
	}
	memcpy((char *)part->items + part->n++ * size, item, size);
}

struct policy_array policy_group(
	const struct policy_array *all, size_t size, size_t at, uint32_t device)
{
	struct policy_array group = {0};
	size_t low = 0, high = all->n;
	char *items = all->items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (number_at(items + middle * size, at) < device)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + group.n < all->n &&
		number_at(items + (low + group.n) * size, at) == device)
		group.n++;
	if (group.n)
		group.items = items + low * size;
	return group;
}

static void pick_group(const struct policy_kind *kind,
	const struct policy_array *all, uint32_t id, struct policy_array *part)
{
	struct policy_array group = policy_group(
		all, kind->size, (size_t)kind->device, id);

	for (size_t i = 0; i < group.n; i++)
		pick_item(
			part, (char *)group.items + i * kind->size, kind->size);
}

/* by_id is what devices are grouped by. */
static void pick_devices(const struct policy *policy,
	const struct policy_ids *ids, struct policy *part)
{
	struct policy_array *devices = &part->devices;

	memset(devices, 0, sizeof(*devices));
	for (size_t i = 0; i < ids->n; i++) {
		const struct isolation_device *d = policy_device(
			policy, ids->ids[i]);

		if (d)
			pick_item(devices, d, sizeof(*d));
	}
	if (devices->n)
		qsort(devices->items, devices->n,
			sizeof(struct isolation_device),
			policy_kinds[POLICY_KIND_DEVICES].compare);
}

static void pick_items(const struct policy_kind *kind,
	const struct policy_array *all, const struct policy_ids *ids,
	struct policy_array *ret_part)
{
	memset(ret_part, 0, sizeof(*ret_part));
	for (size_t i = 0; kind->grouped && i < ids->n; i++)
		pick_group(kind, all, ids->ids[i], ret_part);
	for (size_t i = 0; !kind->grouped && i < all->n; i++) {
		const char *item = (char *)all->items + i * kind->size;

		if (has_id(ids, owner(kind, item)))
			pick_item(ret_part, item, kind->size);
	}
}

void policy_pick(const struct policy *policy, const struct policy_ids *ids,
	struct policy *ret_part)
{
	*ret_part = *policy;
	pick_devices(policy, ids, ret_part);
	for (size_t i = 0; i < POLICY_KINDS; i++)
		if (policy_kinds[i].device >= 0 && i != POLICY_KIND_DEVICES)
			pick_items(&policy_kinds[i],
				policy_array(policy, &policy_kinds[i]), ids,
				policy_array(ret_part, &policy_kinds[i]));
	memset(&ret_part->by_id, 0, sizeof(ret_part->by_id));
	memset(&ret_part->by_ip, 0, sizeof(ret_part->by_ip));
	policy_index(ret_part);
}

void policy_pick_free(struct policy *part)
{
	for (size_t i = 0; i < POLICY_KINDS; i++)
		if (policy_kinds[i].device >= 0)
			free(policy_array(part, &policy_kinds[i])->items);
	free(part->by_id.items);
	free(part->by_ip.items);
	memset(part, 0, sizeof(*part));
}
