/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps what devices learned. Touches memory only; must never let one device
 * take the place of the others, nor keep what has ended.
 */
#include "modules/isolation/learned.h"

#include <errno.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/batch.h"

struct device {
	struct mac mac;
	size_t n;
};

static int by_mac(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

static int by_key(const void *a, const void *b)
{
	const struct learned_entry *x = a, *y = b;
	int order = memcmp(&x->mac, &y->mac, sizeof(x->mac));

	if (!order)
		order = memcmp(&x->ip, &y->ip, sizeof(x->ip));
	if (!order)
		order = x->protocol - y->protocol;
	return order ? order : x->port - y->port;
}

void learned_init(struct learned *learned)
{
	*learned = (struct learned){0};
	list_init(&learned->all);
	list_init(&learned->pending);
}

static struct device *find_device(
	const struct learned *learned, const struct mac *mac)
{
	const struct device key = {.mac = *mac};
	struct device **found = tfind(
		&key, (void *const *)&learned->devices, by_mac);

	return found ? *found : NULL;
}

static struct learned_entry *find_entry(
	const struct learned *learned, const struct learned_entry *key)
{
	struct learned_entry **found = tfind(
		key, (void *const *)&learned->tree, by_key);

	return found ? *found : NULL;
}

static void count_up(struct learned *learned, const struct mac *mac)
{
	struct device *device = find_device(learned, mac);

	if (!device) {
		device = must_have(calloc(1, sizeof(*device)));
		device->mac = *mac;
		must_have(tsearch(device, &learned->devices, by_mac));
	}
	device->n++;
	learned->n++;
}

static void drop(struct learned *learned, struct learned_entry *entry)
{
	struct device *device = find_device(learned, &entry->mac);

	learned->n--;
	if (--device->n == 0) {
		tdelete(device, &learned->devices, by_mac);
		free(device);
	}
	tdelete(entry, &learned->tree, by_key);
	list_remove(&entry->link);
	list_remove(&entry->pending);
	free(entry);
}

static void put(struct learned *learned, const struct learned_entry *key)
{
	struct learned_entry *entry = find_entry(learned, key);

	if (!entry) {
		entry = must_have(malloc(sizeof(*entry)));
		*entry = *key;
		entry->fresh = true;
		list_init(&entry->pending);
		list_append(&learned->all, &entry->link);
		must_have(tsearch(entry, &learned->tree, by_key));
		count_up(learned, &key->mac);
	}
	entry->until_ms = key->until_ms;
	list_remove(&entry->pending);
	list_append(&learned->pending, &entry->pending);
}

static bool is_sane(const struct isolation_learned *what)
{
	static const uint8_t zero[12];

	if (what->ip.family != AF_INET6 &&
		(what->ip.family != AF_INET ||
			memcmp(what->ip.b + 4, zero, sizeof(zero)) != 0))
		return false;
	if (what->protocol != IPPROTO_TCP && what->protocol != IPPROTO_UDP)
		return false;
	return !what->zero && what->first <= what->last &&
	       what->last - what->first < ISOLATION_LEARNED_PORTS;
}

/* Room for as many more; those that have ended make it. */
static bool has_room(struct learned *learned, const struct mac *mac,
	size_t more, int64_t now_ms)
{
	for (int swept = 0; swept < 2; swept++) {
		const struct device *device = find_device(learned, mac);

		if (learned->n + more <= ISOLATION_LEARNED_MAX &&
			(!device || device->n + more <= ISOLATION_LEARNED_EACH))
			return true;
		list_for_each_safe(it, &learned->all) {
			struct learned_entry *e = container_of(
				it, struct learned_entry, link);

			if (list_empty(&e->pending) && e->until_ms <= now_ms)
				drop(learned, e);
		}
	}
	return false;
}

int learned_add(struct learned *learned, const struct mac *mac,
	const struct isolation_learned *what, int64_t now_ms)
{
	struct learned_entry key = {.mac = *mac,
		.ip = what->ip,
		.protocol = what->protocol,
		.until_ms = now_ms + what->ttl_ms};
	size_t more = 0;

	if (!is_sane(what) || !what->ttl_ms ||
		what->ttl_ms > ISOLATION_LEARNED_MS)
		return -EINVAL;
	for (uint32_t port = what->first; port <= what->last; port++) {
		key.port = (uint16_t)port;
		more += find_entry(learned, &key) == NULL;
	}
	if (more && !has_room(learned, mac, more, now_ms))
		return -ENOSPC;
	for (uint32_t port = what->first; port <= what->last; port++) {
		key.port = (uint16_t)port;
		put(learned, &key);
	}
	return 0;
}

static bool matches(
	const struct learned_entry *e, const struct isolation_learned *what)
{
	return !what->ip.family ||
	       (ip_equal(&e->ip, &what->ip) && e->protocol == what->protocol &&
		       e->port >= what->first && e->port <= what->last);
}

size_t learned_forget(struct learned *learned, const struct mac *mac,
	const struct isolation_learned *what)
{
	size_t n = 0;

	if (!find_device(learned, mac))
		return 0;
	list_for_each(it, &learned->all) {
		struct learned_entry *e = container_of(
			it, struct learned_entry, link);

		if (!mac_equal(&e->mac, mac) || !matches(e, what))
			continue;
		e->until_ms = 0;
		list_remove(&e->pending);
		list_append(&learned->pending, &e->pending);
		n++;
	}
	return n;
}

bool learned_allows(const struct learned *learned, const struct mac *mac,
	const struct ip *ip, uint8_t protocol, uint16_t port, int64_t now_ms)
{
	const struct learned_entry key = {
		.mac = *mac, .ip = *ip, .protocol = protocol, .port = port};
	const struct learned_entry *found = find_entry(learned, &key);

	return found && found->until_ms > now_ms;
}

void learned_settle(struct learned *learned, int64_t now_ms)
{
	list_for_each_safe(it, &learned->pending) {
		struct learned_entry *e = container_of(
			it, struct learned_entry, pending);

		list_remove(&e->pending);
		e->fresh = false;
		if (e->until_ms <= now_ms)
			drop(learned, e);
	}
}

void learned_sweep(struct learned *learned,
	bool (*keep)(const struct mac *mac, void *arg), void *arg)
{
	list_for_each_safe(it, &learned->all) {
		struct learned_entry *e = container_of(
			it, struct learned_entry, link);

		if (!keep(&e->mac, arg))
			drop(learned, e);
	}
}

const struct learned_entry *learned_next(
	const struct learned *learned, const struct learned_entry *after)
{
	const struct list *next;

	if (!learned)
		return NULL;
	next = after ? after->link.next : learned->all.next;
	return next == &learned->all
		       ? NULL
		       : container_of(next, struct learned_entry, link);
}

void learned_free(struct learned *learned)
{
	list_for_each_safe(it, &learned->all)
		drop(learned, container_of(it, struct learned_entry, link));
}

const char *learned_set(uint16_t family)
{
	return family == AF_INET6 ? "learned6" : "learned4";
}
