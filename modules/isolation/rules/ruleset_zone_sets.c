/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may open what towards others inside, as elements of sets. Who is a MAC
 * address or an interface of a zone; towards whom is an address, an interface
 * of a zone, or the gateway, which needs none. Touches memory only; must
 * never allow more than a line says.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/rules/ruleset_parts.h"

enum target {
	TARGET_IP,
	TARGET_IP6,
	TARGET_ZONE,
	TARGET_GATEWAY,
};

/* A set of passes: hash sets for one port, interval sets for the rest. */
static const struct pass_set {
	const char *name;
	bool zone; /* from whoever is behind an interface */
	enum target target;
	bool exact;
} pass_sets[] = {
	{"peers4", false, TARGET_IP, true},
	{"peers6", false, TARGET_IP6, true},
	{"peer_gate", false, TARGET_GATEWAY, true},
	{"wide_peers4", false, TARGET_IP, false},
	{"wide_peers6", false, TARGET_IP6, false},
	{"wide_peer_gate", false, TARGET_GATEWAY, false},
	{"peer_zones", false, TARGET_ZONE, false},
	{"zone_peers4", true, TARGET_IP, false},
	{"zone_peers6", true, TARGET_IP6, false},
	{"zone_zones", true, TARGET_ZONE, false},
	{"zone_gate", true, TARGET_GATEWAY, false},
};

static const struct {
	uint32_t type;
	size_t length; /* as in a key before padding */
} targets[] = {
	[TARGET_IP] = {NFT_TYPE_IP, 4},
	[TARGET_IP6] = {NFT_TYPE_IP6, 16},
	[TARGET_ZONE] = {NFT_TYPE_IFNAME, 16},
	[TARGET_GATEWAY] = {0, 0},
};

static bool one_port(const struct isolation_pass *p)
{
	return p->first == p->last &&
	       (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP);
}

static enum target target_of(const struct isolation_pass *p)
{
	if (p->to_zone)
		return TARGET_ZONE;
	if (p->to.family == AF_INET)
		return TARGET_IP;
	return p->to.family ? TARGET_IP6 : TARGET_GATEWAY;
}

static bool belongs(const struct pass_set *set, const struct isolation_pass *p)
{
	if (set->target != target_of(p))
		return false;
	/* Only those of devices have hash sets. */
	if (set->zone || p->to_zone)
		return true;
	return one_port(p) == set->exact;
}

static void side(struct box *box, enum boxes_side s, const void *first,
	const void *last, size_t length)
{
	memcpy(box->side[s].first + 16 - length, first, length);
	memcpy(box->side[s].last + 16 - length, last, length);
}

static int add_box(struct boxes *boxes, const struct isolation_pass *p,
	const void *target, size_t length, uint8_t protocol)
{
	const uint16_t ports[2] = {htons(p->first), htons(p->last)};
	const uint8_t last = protocol ? protocol : 255;
	struct box box = {0};

	side(&box, BOXES_ADDRESS, target, target, length);
	side(&box, BOXES_PROTOCOL, &protocol, &last, 1);
	side(&box, BOXES_PORT, &ports[0], &ports[1], 2);
	return boxes_add(boxes, &box, BOXES_MAX);
}

/* ICMP means the family's own; without an address both. */
static int add_service(struct boxes *boxes, const struct pass_set *set,
	const struct isolation_pass *p, const void *target)
{
	size_t length = targets[set->target].length;
	bool icmp = p->protocol == IPPROTO_ICMP;
	int r = 0;

	if (!icmp || set->target != TARGET_IP6)
		r = add_box(boxes, p, target, length, p->protocol);
	if (r == 0 && icmp && set->target != TARGET_IP)
		r = add_box(boxes, p, target, length, IPPROTO_ICMPV6);
	return r;
}

static int add_boxes(struct boxes *boxes, const struct policy *policy,
	const struct pass_set *set, const struct isolation_pass *p)
{
	int r = 0;

	if (set->target != TARGET_ZONE)
		return add_service(boxes, set, p, p->to.b);
	policy_each(struct isolation_zone, z, &policy->zones)
		if (r == 0 && z->zone == p->to_zone)
			r = add_service(boxes, set, p, z->interface);
	return r;
}

static void add_bounds(struct set_key *first, struct set_key *last,
	const struct box *box, enum boxes_side s, size_t length)
{
	if (!length)
		return;
	set_key_add(first, box->side[s].first + 16 - length, length);
	set_key_add(last, box->side[s].last + 16 - length, length);
}

/* -ENOSPC when they are too many for one set. */
static int put_boxes(struct set_filler *filler, const struct set_key *who,
	const struct boxes *boxes, size_t target)
{
	if (boxes->n > BOXES_MAX - filler->elements)
		return -ENOSPC;
	for (size_t i = 0; i < boxes->n; i++) {
		struct set_key first = *who, last = *who;

		add_bounds(
			&first, &last, &boxes->box[i], BOXES_ADDRESS, target);
		add_bounds(&first, &last, &boxes->box[i], BOXES_PROTOCOL, 1);
		add_bounds(&first, &last, &boxes->box[i], BOXES_PORT, 2);
		set_put_range(filler, first.bytes, last.bytes);
	}
	return 0;
}

/* For the device, or for each interface of the zone. */
static int put_who(struct set_filler *filler, const struct policy *policy,
	const struct pass_set *set, const struct isolation_pass *p,
	const struct boxes *boxes)
{
	size_t target = targets[set->target].length;
	struct set_key who = {0};
	int r = 0;

	if (!set->zone) {
		set_key_add(&who, &policy_device(policy, p->device)->mac, 6);
		return put_boxes(filler, &who, boxes, target);
	}
	policy_each(struct isolation_zone, z, &policy->zones) {
		if (r < 0 || z->zone != p->from_zone)
			continue;
		who.length = 0;
		set_key_add(&who, z->interface, sizeof(z->interface));
		r = put_boxes(filler, &who, boxes, target);
	}
	return r;
}

/* All that one device, or one zone, may. */
static int add_one(struct set_filler *filler, const struct policy *policy,
	const struct pass_set *set, const struct isolation_pass *p,
	const struct isolation_pass *end)
{
	struct boxes boxes = {0};
	int r = 0;

	for (const struct isolation_pass *q = p; q < end && r == 0; q++)
		if (belongs(set, q) && (set->zone ? q->from_zone == p->from_zone
						  : q->device == p->device))
			r = add_boxes(&boxes, policy, set, q);
	if (r == 0)
		r = put_who(filler, policy, set, p, &boxes);
	boxes_free(&boxes);
	return r;
}

/* By device they lie side by side; by zone they do not. */
static int add_wide(struct set_filler *filler, const struct policy *policy,
	const struct pass_set *set)
{
	const struct policy_array *passes = set->zone ? &policy->zone_passes
						      : &policy->passes;
	const struct isolation_pass *p = passes->items;
	const struct isolation_pass *end = p ? p + passes->n : p, *next;
	bool done[ISOLATION_ZONES_MAX + 1] = {false};
	int r = 0;

	for (; p < end && r == 0; p = next) {
		next = p + 1;
		if (!belongs(set, p) || (set->zone && done[p->from_zone]))
			continue;
		done[p->from_zone] = true;
		while (!set->zone && next < end && next->device == p->device)
			next++;
		r = add_one(filler, policy, set, p, set->zone ? end : next);
	}
	return r;
}

static void add_exact(struct set_filler *filler, const struct policy *policy,
	const struct pass_set *set)
{
	policy_each(struct isolation_pass, p, &policy->passes) {
		struct set_key key = {0};

		if (!belongs(set, p))
			continue;
		set_key_add(&key, &policy_device(policy, p->device)->mac, 6);
		if (set->target != TARGET_GATEWAY)
			set_key_add(&key, p->to.b, targets[set->target].length);
		set_key_add_service(&key, p->protocol, p->first);
		set_put(filler, key.bytes);
	}
}

/* Fields of the key in order: who, towards whom, protocol, port. */
static void shape_of(const struct pass_set *set, struct set_shape *ret_shape)
{
	size_t target = targets[set->target].length, n = 0;
	uint32_t type = set->zone ? NFT_TYPE_IFNAME : NFT_TYPE_ETHER;
	struct set_shape shape = {.name = set->name};
	uint8_t fields[4] = {set->zone ? 16 : 6};

	if (target) {
		type = CONCAT2(type, targets[set->target].type);
		fields[++n] = (uint8_t)target;
	}
	fields[++n] = 1;
	fields[++n] = 2;
	shape.key_type = CONCAT3(type, NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE);
	shape.key_length = (set->zone ? 16 : 8) + (uint32_t)target + 8;
	if (!set->exact) {
		shape.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT;
		memcpy(shape.fields, fields, sizeof(fields));
	}
	*ret_shape = shape;
}

static int add_passes(struct ruleset *rs, const struct policy *policy,
	const struct pass_set *set, char *reason)
{
	struct set_filler filler;
	struct set_shape shape;
	int r = 0;

	shape_of(set, &shape);
	set_begin(&filler, rs, &shape, set->exact ? policy->passes.n : 0);
	if (set->exact)
		add_exact(&filler, policy, set);
	else
		r = add_wide(&filler, policy, set);
	set_end(&filler);
	if (r < 0)
		snprintf(reason, POLICY_REASON,
			"too many lines between devices and zones: more than "
			"%d",
			BOXES_MAX);
	return r;
}

int ruleset_add_zone_sets(
	struct ruleset *rs, const struct policy *policy, char *ret_reason)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pass_sets) && r == 0; i++)
		r = add_passes(rs, policy, &pass_sets[i], ret_reason);
	return r;
}
