/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the wanted state in sorted arrays. Touches memory only; must never
 * accept an item that is not wholly understood, because each one is a hole in
 * a wall.
 */
#include "modules/isolation/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/marks.h"
#include "modules/isolation/rules/batch.h"

static int add(
	struct policy_array *array, const void *item, size_t size, size_t most)
{
	if (array->n >= most)
		return -ENOSPC;
	if (array->n == array->room) {
		array->room = array->room * 2 + 16;
		array->items = must_have(
			realloc(array->items, array->room * size));
	}
	memcpy((char *)array->items + array->n++ * size, item, size);
	return 0;
}

static bool ip_sane(const struct ip *ip)
{
	static const uint8_t zero[12];

	if (ip->family == AF_INET)
		return !memcmp(ip->b + 4, zero, sizeof(zero));
	return ip->family == AF_INET6;
}

static bool ip_is_none(const struct ip *ip)
{
	static const struct ip none;

	return !memcmp(ip, &none, sizeof(none));
}

static bool mac_sane(const struct mac *mac)
{
	static const struct mac zero;

	return !(mac->b[0] & 1) && !mac_equal(mac, &zero);
}

int policy_add_zone(struct policy *policy, const struct isolation_zone *zone)
{
	struct isolation_zone z = *zone;

	if (!z.interface[0] || z.interface[sizeof(z.interface) - 1])
		return -EINVAL;
	if (z.role < ISOLATION_ROLE_DEVICES || z.role > ISOLATION_ROLE_UPLINK)
		return -EINVAL;
	if (z.strangers > ISOLATION_STRANGERS_BLOCK || z.guest > 1)
		return -EINVAL;
	if (z.mode != RECORD_MODE_OBSERVE && z.mode != RECORD_MODE_ENFORCE)
		return -EINVAL;
	if (z.binding > ISOLATION_BINDING_OFF || z.roaming > 1)
		return -EINVAL;
	/* The name is a key: no bytes behind its end. */
	memset(z.interface, 0, sizeof(z.interface));
	memcpy(z.interface, zone->interface, strlen(zone->interface));
	return add(&policy->zones, &z, sizeof(z), ISOLATION_ZONES_MAX);
}

int policy_add_device(
	struct policy *policy, const struct isolation_device *device)
{
	if (!device->id || device->id >= RECORD_STRANGER_BASE)
		return -EINVAL;
	if (!mac_sane(&device->mac) || device->mode > RECORD_MODE_ENFORCE ||
		device->shared > 1)
		return -EINVAL;
	return add(&policy->devices, device, sizeof(*device),
		ISOLATION_DEVICES_MAX);
}

/* Bits behind the prefix must be zero: two writings of one net are one. */
static bool prefix_sane(const struct isolation_allow *a)
{
	if (!a->to.family)
		return a->length == 0;
	if (!ip_sane(&a->to) || a->length > ip_bits(&a->to))
		return false;
	for (unsigned bit = a->length; bit < ip_bits(&a->to); bit++)
		if (a->to.b[bit / 8] & (0x80 >> bit % 8))
			return false;
	return true;
}

int policy_add_allow(struct policy *policy, const struct isolation_allow *allow)
{
	if (!prefix_sane(allow) || allow->first > allow->last)
		return -EINVAL;
	return add(
		&policy->allows, allow, sizeof(*allow), ISOLATION_ALLOWS_MAX);
}

int policy_add_zone_allow(
	struct policy *policy, const struct isolation_allow *allow)
{
	if (!prefix_sane(allow) || allow->first > allow->last ||
		!allow->device || allow->device > ISOLATION_ZONES_MAX)
		return -EINVAL;
	return add(&policy->zone_allows, allow, sizeof(*allow),
		ISOLATION_ALLOWS_MAX);
}

int policy_add_redirect(
	struct policy *policy, const struct isolation_redirect *redirect)
{
	if (!redirect->port || !redirect->to_port)
		return -EINVAL;
	return add(&policy->redirects, redirect, sizeof(*redirect),
		ISOLATION_ALLOWS_MAX);
}

int policy_add_name_server(
	struct policy *policy, const struct isolation_address *address)
{
	if (!ip_sane(&address->ip))
		return -EINVAL;
	return add(&policy->name_servers, address, sizeof(*address),
		ISOLATION_NAME_SERVERS_MAX);
}

int policy_add_admin(
	struct policy *policy, const struct isolation_address *address)
{
	if (!ip_sane(&address->ip))
		return -EINVAL;
	return add(&policy->admins, address, sizeof(*address),
		ISOLATION_ADMINS_MAX);
}

/* Fencing root in would take the gateway off the network. */
int policy_add_fence(struct policy *policy, const struct isolation_fence *fence)
{
	if (!fence->uid || !fence->port || !fence->local)
		return -EINVAL;
	return add(
		&policy->fences, fence, sizeof(*fence), ISOLATION_FENCES_MAX);
}

int policy_add_port(struct policy *policy, const struct isolation_port *port)
{
	struct isolation_port p = {0};

	if (!port->interface[0] || port->interface[sizeof(p.interface) - 1])
		return -EINVAL;
	if (!port->bridge[0] || port->bridge[sizeof(p.bridge) - 1])
		return -EINVAL;
	memcpy(p.interface, port->interface, strlen(port->interface));
	memcpy(p.bridge, port->bridge, strlen(port->bridge));
	return add(&policy->ports, &p, sizeof(p), ISOLATION_PORTS_MAX);
}

int policy_add_pin(struct policy *policy, const struct isolation_pin *pin)
{
	if (!ip_sane(&pin->ip) || pin->zero)
		return -EINVAL;
	return add(&policy->pins, pin, sizeof(*pin), ISOLATION_PINS_MAX);
}

static bool bandwidth_sane(uint64_t bytes)
{
	return !bytes || (bytes >= ISOLATION_BANDWIDTH_MIN &&
				 bytes <= ISOLATION_BANDWIDTH_MAX);
}

int policy_add_limit(struct policy *policy, const struct isolation_limit *limit)
{
	if ((limit->seconds != 1 && limit->seconds != 60) || limit->zero ||
		limit->rate > ISOLATION_RATE_MAX)
		return -EINVAL;
	if (!bandwidth_sane(limit->up) || !bandwidth_sane(limit->down))
		return -EINVAL;
	return add(
		&policy->limits, limit, sizeof(*limit), ISOLATION_DEVICES_MAX);
}

int policy_add_log(struct policy *policy, const struct isolation_log *log)
{
	if (log->zero)
		return -EINVAL;
	return add(&policy->logs, log, sizeof(*log), 1);
}

/* To an address that is the device's own. */
int policy_add_publish(
	struct policy *policy, const struct isolation_pass *publish)
{
	if (!publish->device || publish->from_zone || publish->to_zone ||
		publish->zero || publish->first > publish->last)
		return -EINVAL;
	if (!ip_sane(&publish->to))
		return -EINVAL;
	return add(&policy->publishes, publish, sizeof(*publish),
		ISOLATION_PASSES_MAX);
}

/* From one and to one: a zone, an address, or neither. */
int policy_add_pass(struct policy *policy, const struct isolation_pass *pass)
{
	bool address = pass->to.family != 0;

	if (pass->zero || pass->first > pass->last)
		return -EINVAL;
	if (pass->from_zone > ISOLATION_ZONES_MAX ||
		pass->to_zone > ISOLATION_ZONES_MAX)
		return -EINVAL;
	if (!pass->device == !pass->from_zone)
		return -EINVAL;
	if (address ? pass->to_zone || !ip_sane(&pass->to)
		    : !ip_is_none(&pass->to))
		return -EINVAL;
	return add(pass->from_zone ? &policy->zone_passes : &policy->passes,
		pass, sizeof(*pass), ISOLATION_PASSES_MAX);
}

int policy_set_marks(struct policy *policy, const struct isolation_marks *marks)
{
	if (!marks_sane(marks) || policy->marks.packet)
		return -EINVAL;
	policy->marks = *marks;
	return 0;
}

int policy_add_router(
	struct policy *policy, const struct isolation_router *router)
{
	if (router->zero || !mac_sane(&router->mac))
		return -EINVAL;
	return add(&policy->routers, router, sizeof(*router),
		ISOLATION_DEVICES_MAX);
}

int policy_add_reflect(
	struct policy *policy, const struct isolation_reflect *reflect)
{
	struct isolation_reflect r = *reflect;

	if (!r.uid || r.zero || r.interface[sizeof(r.interface) - 1] ||
		!r.port != !r.own_port || (r.port && !r.interface[0]))
		return -EINVAL;
	memset(r.interface, 0, sizeof(r.interface));
	memcpy(r.interface, reflect->interface, strlen(reflect->interface));
	return add(&policy->reflects, &r, sizeof(r), ISOLATION_REFLECTS_MAX);
}

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

static int by_log(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_log));
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
	{MEMBER(fences), ITEM(fence), by_fence, POLICY_EVERYBODY},
	{MEMBER(ports), ITEM(port), by_port, POLICY_NOT_WANTED},
	{MEMBER(pins), ITEM(pin), by_pin, OWNER(pin), false, true},
	{MEMBER(limits), ITEM(limit), by_limited, OWNER(limit), true, true},
	{MEMBER(logs), ITEM(log), by_log, POLICY_EVERYBODY},
	{MEMBER(routers), ITEM(router), by_router, POLICY_EVERYBODY},
	{MEMBER(reflects), ITEM(reflect), by_reflect, POLICY_EVERYBODY},
	{MEMBER(passes), ITEM(pass), by_pass, OWNER(pass), false, true},
	{MEMBER(zone_allows), ITEM(allow), by_allow, POLICY_EVERYBODY},
	{MEMBER(publishes), ITEM(pass), by_pass, OWNER(pass), false, true},
	{MEMBER(zone_passes), ITEM(pass), by_pass, POLICY_EVERYBODY},
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

static _printf_(2, 3) int refuse(char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, POLICY_REASON, format, args);
	va_end(args);
	return -EINVAL;
}

static int check_zones(const struct policy *policy, char *reason)
{
	const struct isolation_zone *z = policy->zones.items;

	for (size_t i = 1; i < policy->zones.n; i++)
		if (!by_interface(&z[i - 1], &z[i]))
			return refuse(reason,
				"interface %s is in two zones; leave it in one",
				z[i].interface);
	return 0;
}

static int check_devices(const struct policy *policy, char *reason)
{
	const struct isolation_device *d = policy->devices.items;
	const struct isolation_device *e = policy->by_id.items;
	char text[MAC_TEXT];

	for (size_t i = 1; i < policy->devices.n; i++) {
		if (mac_equal(&d[i - 1].mac, &d[i].mac))
			return refuse(reason,
				"two devices have the MAC address %s",
				mac_format(&d[i].mac, text));
		if (e[i - 1].id == e[i].id)
			return refuse(reason, "two devices have the number %u",
				e[i].id);
	}
	return 0;
}

static int check_references(const struct policy *policy, char *reason)
{
	const struct isolation_redirect *last = NULL;

	policy_each(struct isolation_allow, a, &policy->allows)
		if (!policy_device(policy, a->device))
			return refuse(reason,
				"an allow line is for device number %u, "
				"which does not exist",
				a->device);
	policy_each(struct isolation_redirect, r, &policy->redirects) {
		if (!policy_device(policy, r->device))
			return refuse(reason,
				"an upgrade is for device number %u, "
				"which does not exist",
				r->device);
		if (last && !by_redirect(last, r))
			return refuse(reason,
				"two upgrades want port %u of one device",
				r->port);
		last = r;
	}
	return 0;
}

static int check_pins(const struct policy *policy, char *reason)
{
	const struct isolation_pin *p = policy->by_ip.items;
	char text[IP_TEXT];

	for (size_t i = 0; i < policy->by_ip.n; i++) {
		if (!policy_device(policy, p[i].device))
			return refuse(reason,
				"an address is for device number %u, "
				"which does not exist",
				p[i].device);
		if (i && !by_pinned(&p[i - 1], &p[i]))
			return refuse(reason, "two devices have the address %s",
				ip_format(&p[i].ip, text));
	}
	return 0;
}

static int check_limits(const struct policy *policy, char *reason)
{
	const struct isolation_limit *last = NULL;

	policy_each(struct isolation_limit, l, &policy->limits) {
		if (!policy_device(policy, l->device))
			return refuse(reason,
				"a limit is for device number %u, "
				"which does not exist",
				l->device);
		if (last && last->device == l->device)
			return refuse(reason,
				"two limits are for device number %u",
				l->device);
		last = l;
	}
	return 0;
}

static int check_passes(const struct policy *policy, char *reason)
{
	policy_each(struct isolation_pass, p, &policy->passes)
		if (!policy_device(policy, p->device))
			return refuse(reason,
				"a way between devices is of device number "
				"%u, which does not exist",
				p->device);
	policy_each(struct isolation_pass, p, &policy->publishes)
		if (!policy_device(policy, p->device))
			return refuse(reason,
				"a published port is of device number %u, "
				"which does not exist",
				p->device);
	return 0;
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

static void sort_all(struct policy *policy)
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
	int r;

	sort_all(policy);
	if (!policy->marks.packet)
		policy->marks = marks_usual;
	r = check_zones(policy, ret_reason);
	if (r == 0)
		r = check_devices(policy, ret_reason);
	if (r == 0)
		r = check_references(policy, ret_reason);
	if (r == 0)
		r = check_pins(policy, ret_reason);
	if (r == 0)
		r = check_limits(policy, ret_reason);
	if (r == 0)
		r = check_passes(policy, ret_reason);
	return r;
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
