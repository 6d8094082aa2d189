/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wanted state as sorted arrays: their orders, what is found in them, and
 * whether two states say the same. Touches memory only. What may come in:
 * policy_add.c; what contradicts each other: policy_check.c.
 */
#include "modules/isolation/policy.h"

#include <stdlib.h>
#include <string.h>

#include "modules/isolation/marks.h"
#include "modules/isolation/policy_priv.h"
#include "modules/isolation/rules/batch.h"

/* Keys come first in all structs, so bytes are an order like any other. */
static int by_interface(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct isolation_zone *)0)->interface));
}

static int by_mac(const void *a, const void *b)
{
	const struct isolation_device *x = a, *y = b;

	return memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

static int by_id(const void *a, const void *b)
{
	const struct isolation_device *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_allow(const void *a, const void *b)
{
	const struct isolation_allow *x = a, *y = b;

	if (x->device != y->device)
		return x->device > y->device ? 1 : -1;
	return memcmp(x, y, sizeof(*x));
}

static int by_pass(const void *a, const void *b)
{
	const struct isolation_pass *x = a, *y = b;

	if (x->device != y->device)
		return x->device > y->device ? 1 : -1;
	return memcmp(x, y, sizeof(*x));
}

static int by_redirect(const void *a, const void *b)
{
	const struct isolation_redirect *x = a, *y = b;

	if (x->device != y->device)
		return x->device > y->device ? 1 : -1;
	return x->port - y->port;
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_address));
}

static int by_fence(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_fence));
}

static int by_port(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_port));
}

static int by_pin(const void *a, const void *b)
{
	const struct isolation_pin *x = a, *y = b;

	if (x->device != y->device)
		return x->device > y->device ? 1 : -1;
	return memcmp(x, y, sizeof(*x));
}

static int by_router(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_router));
}

static int by_reflect(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_reflect));
}

static int by_offload(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_offload));
}

static int by_log(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_log));
}

static int by_outside(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_outside));
}

static int by_pinned(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

static int by_limited(const void *a, const void *b)
{
	const struct isolation_limit *x = a, *y = b;

	return (x->device > y->device) - (x->device < y->device);
}

#define MEMBER(name) offsetof(struct policy, name)
#define ITEM(name) sizeof(struct isolation_##name)
#define OWNER(name) (int)offsetof(struct isolation_##name, device)

const struct policy_kind policy_kinds[POLICY_KINDS] = {
	{MEMBER(zones), ITEM(zone), by_interface, POLICY_EVERYBODY, true},
	{MEMBER(devices), ITEM(device), by_mac,
		(int)offsetof(struct isolation_device, id), true},
	{MEMBER(allows), ITEM(allow), by_allow, OWNER(allow), false, true},
	{MEMBER(redirects), ITEM(redirect), by_redirect, OWNER(redirect), false,
		true},
	{MEMBER(name_servers), ITEM(address), by_address, POLICY_EVERYBODY},
	{MEMBER(admins), ITEM(address), by_address, POLICY_EVERYBODY},
	{MEMBER(gateways), ITEM(address), by_address, POLICY_NOT_WANTED},
	{MEMBER(fences), ITEM(fence), by_fence, POLICY_EVERYBODY},
	{MEMBER(ports), ITEM(port), by_port, POLICY_NOT_WANTED},
	{MEMBER(pins), ITEM(pin), by_pin, OWNER(pin), false, true},
	{MEMBER(limits), ITEM(limit), by_limited, OWNER(limit), true, true},
	{MEMBER(logs), ITEM(log), by_log, POLICY_EVERYBODY},
	{MEMBER(offloads), ITEM(offload), by_offload, POLICY_EVERYBODY},
	{MEMBER(routers), ITEM(router), by_router, POLICY_EVERYBODY},
	{MEMBER(reflects), ITEM(reflect), by_reflect, POLICY_EVERYBODY},
	{MEMBER(passes), ITEM(pass), by_pass, OWNER(pass), false, true},
	{MEMBER(zone_allows), ITEM(allow), by_allow, POLICY_EVERYBODY},
	{MEMBER(publishes), ITEM(pass), by_pass, OWNER(pass), false, true},
	{MEMBER(zone_passes), ITEM(pass), by_pass, POLICY_EVERYBODY},
	{MEMBER(outsides), ITEM(outside), by_outside, POLICY_EVERYBODY},
	{MEMBER(follows), ITEM(pass), by_pass, OWNER(pass), false, true},
	{MEMBER(zone_follows), ITEM(pass), by_pass, POLICY_EVERYBODY},
};

static void sort(struct policy_array *array, size_t size,
	int (*compare)(const void *, const void *))
{
	if (array->n)
		qsort(array->items, array->n, size, compare);
}

/* Drops items that are the same byte for byte as the one before. */
static void drop_repeated(struct policy_array *array, size_t size)
{
	char *items = array->items;
	size_t kept = 0;

	for (size_t i = 0; i < array->n; i++) {
		if (kept && !memcmp(items + (kept - 1) * size, items + i * size,
				    size))
			continue;
		memmove(items + kept++ * size, items + i * size, size);
	}
	array->n = kept;
}

struct policy_array *policy_array(
	const struct policy *policy, const struct policy_kind *kind)
{
	return (void *)((char *)(uintptr_t)policy + kind->at);
}

/* The same items in another order. */
static void index_array(const struct policy_array *from, size_t size,
	int (*compare)(const void *, const void *), struct policy_array *to)
{
	free(to->items);
	memset(to, 0, sizeof(*to));
	if (!from->n)
		return;
	to->items = must_have(malloc(from->n * size));
	memcpy(to->items, from->items, from->n * size);
	to->n = to->room = from->n;
	sort(to, size, compare);
}

void policy_index(struct policy *policy)
{
	index_array(&policy->devices, sizeof(struct isolation_device), by_id,
		&policy->by_id);
	index_array(&policy->pins, sizeof(struct isolation_pin), by_pinned,
		&policy->by_ip);
}

void policy_sort(struct policy *policy)
{
	for (size_t i = 0; i < POLICY_KINDS; i++) {
		const struct policy_kind *kind = &policy_kinds[i];
		struct policy_array *array = policy_array(policy, kind);

		sort(array, kind->size, kind->compare);
		if (!kind->once)
			drop_repeated(array, kind->size);
	}
	policy_index(policy);
}

int policy_seal(struct policy *policy, char *ret_reason)
{
	policy_sort(policy);
	if (!policy->marks.packet)
		policy->marks = marks_usual;
	return policy_check(policy, ret_reason);
}

static bool same(
	const struct policy_array *a, const struct policy_array *b, size_t size)
{
	return a->n == b->n &&
	       (!a->n || !memcmp(a->items, b->items, a->n * size));
}

bool policy_same(const struct policy *a, const struct policy *b)
{
	for (size_t i = 0; i < POLICY_KINDS; i++) {
		const struct policy_kind *kind = &policy_kinds[i];

		if (kind->device != POLICY_NOT_WANTED &&
			!same(policy_array(a, kind), policy_array(b, kind),
				kind->size))
			return false;
	}
	return !memcmp(&a->marks, &b->marks, sizeof(a->marks));
}

void policy_free(struct policy *policy)
{
	for (size_t i = 0; i < POLICY_KINDS; i++)
		free(policy_array(policy, &policy_kinds[i])->items);
	free(policy->by_id.items);
	free(policy->by_ip.items);
	memset(policy, 0, sizeof(*policy));
}

void policy_copy(const struct policy *policy, struct policy *ret_policy)
{
	*ret_policy = (struct policy){.marks = policy->marks};
	for (size_t i = 0; i < POLICY_KINDS; i++) {
		const struct policy_array *from = policy_array(
			policy, &policy_kinds[i]);
		size_t size = from->n * policy_kinds[i].size;

		if (from->n)
			*policy_array(ret_policy,
				&policy_kinds[i]) = (struct policy_array){
				memcpy(must_have(malloc(size)), from->items,
					size),
				from->n, from->n};
	}
	policy_index(ret_policy);
}

static const void *find(const struct policy_array *array, const void *key,
	size_t size, int (*compare)(const void *, const void *))
{
	if (!array->n)
		return NULL;
	return bsearch(key, array->items, array->n, size, compare);
}

const struct isolation_device *policy_device(
	const struct policy *policy, uint32_t id)
{
	struct isolation_device key = {.id = id};

	return find(&policy->by_id, &key, sizeof(key), by_id);
}

const struct isolation_device *policy_device_by_mac(
	const struct policy *policy, const struct mac *mac)
{
	struct isolation_device key = {.mac = *mac};

	return find(&policy->devices, &key, sizeof(key), by_mac);
}

const struct isolation_pin *policy_pin(
	const struct policy *policy, const struct ip *ip)
{
	return find(
		&policy->by_ip, ip, sizeof(struct isolation_pin), by_pinned);
}

bool policy_is_moved(const struct policy *policy, const struct ip *ip)
{
	const struct isolation_pin *pin = policy_pin(policy, ip);
	const struct isolation_device *d = pin ? policy_device(
							 policy, pin->device)
					       : NULL;

	return d && d->moved;
}

const struct isolation_limit *policy_limit(
	const struct policy *policy, uint32_t device)
{
	struct isolation_limit key = {.device = device};

	return find(&policy->limits, &key, sizeof(key), by_limited);
}

const struct isolation_zone *policy_zone(
	const struct policy *policy, const char *interface)
{
	struct isolation_zone key = {0};
	size_t n = strlen(interface);

	if (n >= sizeof(key.interface))
		return NULL;
	memcpy(key.interface, interface, n);
	return find(&policy->zones, &key, sizeof(key), by_interface);
}
