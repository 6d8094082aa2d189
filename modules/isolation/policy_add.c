/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the items of the wanted state, one at a time. Touches memory only;
 * must never accept an item that is not wholly understood, because each one is
 * a hole in a wall.
 */
#include "modules/isolation/policy.h"

#include <errno.h>
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
	return !(mac->b[0] & 1) && !mac_is_zero(mac);
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
		device->shared > 1 || device->moved > 1 || device->zero[0] ||
		device->zero[1] || device->zero[2])
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

int policy_add_gateway(
	struct policy *policy, const struct isolation_address *address)
{
	if (!ip_sane(&address->ip))
		return -EINVAL;
	return add(&policy->gateways, address, sizeof(*address),
		ISOLATION_GATEWAYS_MAX);
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

int policy_add_outside(
	struct policy *policy, const struct isolation_outside *outside)
{
	static const uint8_t zero[sizeof(outside->zero)];

	if (memcmp(outside->zero, zero, sizeof(zero)) != 0 ||
		(outside->mode != RECORD_MODE_OBSERVE &&
			outside->mode != RECORD_MODE_ENFORCE))
		return -EINVAL;
	return add(&policy->outsides, outside, sizeof(*outside), 1);
}

int policy_add_offload(
	struct policy *policy, const struct isolation_offload *offload)
{
	if (offload->uplinks != 1)
		return -EINVAL;
	return add(&policy->offloads, offload, sizeof(*offload), 1);
}

/* To an address that is the device's own. */
int policy_add_publish(
	struct policy *policy, const struct isolation_pass *publish)
{
	if (!publish->device || publish->from_zone || publish->to_zone ||
		publish->zero || publish->to_device ||
		publish->first > publish->last)
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
	/* Where it is, the worker finds out. */
	if (pass->to_device && (address || pass->to_zone))
		return -EINVAL;
	if (pass->to_device)
		return add(pass->from_zone ? &policy->zone_follows
					   : &policy->follows,
			pass, sizeof(*pass), ISOLATION_PASSES_MAX);
	return add(pass->from_zone ? &policy->zone_passes : &policy->passes,
		pass, sizeof(*pass), ISOLATION_PASSES_MAX);
}

int policy_add_found(
	struct policy_array *passes, const struct isolation_pass *pass)
{
	return add(passes, pass, sizeof(*pass), ISOLATION_PASSES_MAX);
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
