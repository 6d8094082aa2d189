/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wanted state as the agent sent it: zones, devices and what each may
 * reach. Bounded, sorted and free of contradictions once sealed. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_POLICY_H
#define GATEHOUSE_ISOLATION_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/isolation/isolation_proto.h"

#define POLICY_REASON 240 /* as WORKER_REASON */

struct policy_array {
	void *items;
	size_t n, room;
};

struct policy {
	struct policy_array zones; /* struct isolation_zone, by interface */
	struct policy_array devices; /* struct isolation_device, by MAC */
	struct policy_array by_id; /* the same by id */
	struct policy_array allows; /* struct isolation_allow, by device */
	struct policy_array redirects; /* by device and port */
	struct policy_array name_servers, admins; /* isolation_address */
	struct policy_array gateways; /* isolation_address; when saved */
	struct policy_array fences; /* struct isolation_fence, by user */
	struct policy_array ports; /* struct isolation_port, by interface */
	struct policy_array pins; /* struct isolation_pin, by device */
	struct policy_array by_ip; /* the same by address */
	struct policy_array limits; /* struct isolation_limit, by device */
	struct policy_array logs; /* struct isolation_log: none or one */
	struct policy_array offloads; /* isolation_offload: none or one */
	struct policy_array reflects; /* isolation_reflect, by interface */
	struct policy_array routers; /* struct isolation_router */
	struct policy_array passes; /* struct isolation_pass, by device */
	struct policy_array publishes; /* isolation_pass, by device */
	struct policy_array zone_passes; /* those from a zone */
	struct isolation_marks marks; /* sealed: never zero */
	struct policy_array zone_allows; /* isolation_allow, by zone */
	struct policy_array outsides; /* isolation_outside: none or one */
	/*
	 * Ways to wherever a device is: to_device and no address. What follows
	 * from them (follow.h) is in passes and zone_passes, with both.
	 */
	struct policy_array follows, zone_follows; /* isolation_pass */
};

/*
 * What the arrays hold (but by_id and by_ip, which follow from others).
 * Whatever is a device's names it, so that one device can be taken out of a
 * policy.
 */
struct policy_kind {
	size_t at; /* of the array in struct policy */
	size_t size; /* of an item */
	int (*compare)(const void *a, const void *b);
	int device; /* where in an item its device's number is, or below */
	bool once; /* the same again is a mistake, else it is dropped */
	bool grouped; /* compare() puts a device's items together, by number */
};
#define POLICY_EVERYBODY (-1) /* an item is no device's */
#define POLICY_NOT_WANTED (-2) /* nor is it part of what the owner wants */
#define POLICY_KINDS 22
#define POLICY_KIND_DEVICES 1 /* the place of devices */
extern const struct policy_kind policy_kinds[POLICY_KINDS];
struct policy_array *policy_array(
	const struct policy *policy, const struct policy_kind *kind);

/* An empty array has no items to point behind. */
#define policy_each(type, it, array)                           \
	for (const type *it = (array)->items,                  \
			*it##_end = it ? it + (array)->n : it; \
		it < it##_end; it++)

/*
 * Each adds one item. -EINVAL for one that no agent sends, -ENOSPC past the
 * limits of isolation_proto.h.
 */
_must_check_ int policy_add_zone(
	struct policy *policy, const struct isolation_zone *zone);
_must_check_ int policy_add_device(
	struct policy *policy, const struct isolation_device *device);
_must_check_ int policy_add_allow(
	struct policy *policy, const struct isolation_allow *allow);
_must_check_ int policy_add_redirect(
	struct policy *policy, const struct isolation_redirect *redirect);
_must_check_ int policy_add_name_server(
	struct policy *policy, const struct isolation_address *address);
_must_check_ int policy_add_admin(
	struct policy *policy, const struct isolation_address *address);
/* An address that is the gateway's own. */
_must_check_ int policy_add_gateway(
	struct policy *policy, const struct isolation_address *address);
_must_check_ int policy_add_fence(
	struct policy *policy, const struct isolation_fence *fence);
_must_check_ int policy_add_port(
	struct policy *policy, const struct isolation_port *port);

_must_check_ int policy_add_pin(
	struct policy *policy, const struct isolation_pin *pin);

_must_check_ int policy_add_limit(
	struct policy *policy, const struct isolation_limit *limit);
_must_check_ int policy_add_log(
	struct policy *policy, const struct isolation_log *log);
_must_check_ int policy_add_outside(
	struct policy *policy, const struct isolation_outside *outside);
_must_check_ int policy_add_offload(
	struct policy *policy, const struct isolation_offload *offload);
_must_check_ int policy_add_publish(
	struct policy *policy, const struct isolation_pass *publish);
_must_check_ int policy_add_zone_allow(
	struct policy *policy, const struct isolation_allow *allow);
_must_check_ int policy_add_pass(
	struct policy *policy, const struct isolation_pass *pass);

/*
 * To passes or zone_passes: one that follows from others. policy_sort() is to
 * come after it.
 */
_must_check_ int policy_add_found(
	struct policy_array *passes, const struct isolation_pass *pass);
/* Once. */
_must_check_ int policy_set_marks(
	struct policy *policy, const struct isolation_marks *marks);
_must_check_ int policy_add_router(
	struct policy *policy, const struct isolation_router *router);
_must_check_ int policy_add_reflect(
	struct policy *policy, const struct isolation_reflect *reflect);

/* Sorts, drops repetitions, finds contradictions. -EINVAL with a reason. */
_must_check_ int policy_seal(struct policy *policy, char *ret_reason);
/* Only puts in order, and drops repetitions. */
void policy_sort(struct policy *policy);
/* Makes by_id and by_ip anew. */
void policy_index(struct policy *policy);
/* Both sealed: do they say the same, whatever ports are known? */
bool policy_same(const struct policy *a, const struct policy *b);
void policy_free(struct policy *policy);
/* All of a sealed policy once more. */
void policy_copy(const struct policy *policy, struct policy *ret_policy);

/* Of a sealed policy; NULL when there is none. */
const struct isolation_device *policy_device(
	const struct policy *policy, uint32_t id);
const struct isolation_device *policy_device_by_mac(
	const struct policy *policy, const struct mac *mac);
/* Whose is the address? */
const struct isolation_pin *policy_pin(
	const struct policy *policy, const struct ip *ip);
/*
 * Is it a pinned address of a device that is in another zone than the
 * interface it is behind?
 */
bool policy_is_moved(const struct policy *policy, const struct ip *ip);
/* How much may the device? */
const struct isolation_limit *policy_limit(
	const struct policy *policy, uint32_t device);
const struct isolation_zone *policy_zone(
	const struct policy *policy, const char *interface);

#endif
