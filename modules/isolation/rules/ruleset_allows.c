/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices may reach, as elements of sets: one address and one port into
 * hash sets, all the rest, cut until nothing overlaps, into interval sets.
 * Touches memory only; must never allow more than a line says.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/rules/ruleset_parts.h"

/* A line that hash sets can hold: one port of TCP or UDP. */
static bool one_port(const struct isolation_allow *a)
{
	return a->first == a->last &&
	       (a->protocol == IPPROTO_TCP || a->protocol == IPPROTO_UDP);
}

static bool one_address(const struct isolation_allow *a, uint16_t family)
{
	return a->to.family == family && a->length == ip_bits(&a->to);
}

static void add_exact(
	struct ruleset *rs, const struct policy *policy, uint16_t family)
{
	bool six = family == AF_INET6;
	const struct set_shape shape = set_shape_ways(
		six ? "allow6" : "allow4", family);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->allows.n);
	policy_each(struct isolation_allow, a, &policy->allows) {
		struct set_key key = {0};

		if (!one_port(a) || !one_address(a, family))
			continue;
		set_key_add(&key, &policy_device(policy, a->device)->mac, 6);
		set_key_add_ip(&key, &a->to);
		set_key_add_service(&key, a->protocol, a->first);
		set_put(&filler, key.bytes);
	}
	set_end(&filler);
}

static void add_anywhere(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "allow_anywhere",
		.key_type = MAC_PORT,
		.key_length = 16};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->allows.n);
	policy_each(struct isolation_allow, a, &policy->allows) {
		struct set_key key = {0};

		if (!one_port(a) || a->to.family)
			continue;
		set_key_add(&key, &policy_device(policy, a->device)->mac, 6);
		set_key_add_service(&key, a->protocol, a->first);
		set_put(&filler, key.bytes);
	}
	set_end(&filler);
}

/* The rest: prefixes, port ranges, other protocols. */
static bool is_wide(const struct isolation_allow *a, uint16_t family)
{
	return a->to.family == family &&
	       !(one_port(a) && (!family || one_address(a, family)));
}

static void side(struct box *box, enum boxes_side s, const void *first,
	const void *last, size_t length)
{
	memcpy(box->side[s].first + 16 - length, first, length);
	memcpy(box->side[s].last + 16 - length, last, length);
}

static struct box allow_to_box(
	const struct isolation_allow *a, uint8_t protocol)
{
	uint8_t last[16] = {0}, from = protocol, to = protocol;
	uint16_t ports[2] = {htons(a->first), htons(a->last)};
	size_t length = a->to.family == AF_INET6 ? 16 : 4;
	struct box box = {0};

	memcpy(last, a->to.b, sizeof(last));
	for (unsigned bit = a->length; a->to.family && bit < length * 8; bit++)
		last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	if (!protocol)
		to = 255;
	side(&box, BOXES_ADDRESS, a->to.b, last, length);
	side(&box, BOXES_PROTOCOL, &from, &to, 1);
	side(&box, BOXES_PORT, &ports[0], &ports[1], 2);
	return box;
}

/* ICMP means the family's own; without an address both. */
int rules_add_allow_boxes(
	struct boxes *boxes, const struct isolation_allow *a, size_t most)
{
	bool icmp = a->protocol == IPPROTO_ICMP;
	struct box box;
	int r = 0;

	if (!icmp || a->to.family != AF_INET6) {
		box = allow_to_box(a, a->protocol);
		r = boxes_add(boxes, &box, most);
	}
	if (r == 0 && icmp && a->to.family != AF_INET) {
		box = allow_to_box(a, IPPROTO_ICMPV6);
		r = boxes_add(boxes, &box, most);
	}
	return r;
}

static void put_box(struct set_filler *filler, const struct mac *mac,
	const struct box *box, size_t address)
{
	struct set_key first = {0}, last = {0};

	set_key_add(&first, mac, sizeof(*mac));
	set_key_add(&last, mac, sizeof(*mac));
	for (int s = 0; s < BOXES_SIDES; s++) {
		size_t n = s == BOXES_ADDRESS    ? address
			   : s == BOXES_PROTOCOL ? 1
						 : 2;

		set_key_add(&first, box->side[s].first + 16 - n, n);
		set_key_add(&last, box->side[s].last + 16 - n, n);
	}
	set_put_range(filler, first.bytes, last.bytes);
}

/* All lines of one device; *a is moved behind them. */
static int add_wide_device(struct set_filler *filler,
	const struct isolation_allow **a, const struct isolation_allow *end,
	const struct isolation_device *device, uint16_t family)
{
	size_t address = family == AF_INET6 ? 16 : family == AF_INET ? 4 : 0;
	struct boxes boxes = {0};
	int r = 0;

	for (; *a < end && (*a)->device == device->id; (*a)++)
		if (r == 0 && is_wide(*a, family))
			r = rules_add_allow_boxes(
				&boxes, *a, BOXES_MAX - filler->elements);
	for (size_t i = 0; i < boxes.n && r == 0; i++)
		put_box(filler, &device->mac, &boxes.box[i], address);
	boxes_free(&boxes);
	return r;
}

static int add_wide(struct ruleset *rs, const struct policy *policy,
	const struct set_shape *shape, uint16_t family, char *reason)
{
	const struct isolation_allow *a = policy->allows.items;
	const struct isolation_allow *end = a ? a + policy->allows.n : a;
	struct set_filler filler;
	int r = 0;

	set_begin(&filler, rs, shape, 0);
	while (a < end && r == 0) {
		const struct isolation_device *d = policy_device(
			policy, a->device);

		r = add_wide_device(&filler, &a, end, d, family);
		if (r < 0)
			snprintf(reason, POLICY_REASON,
				"too many allow lines with prefixes or port "
				"ranges: at device number %u the limit of %d "
				"is passed",
				d->id, BOXES_MAX);
	}
	set_end(&filler);
	return r;
}

static int add_all_wide(
	struct ruleset *rs, const struct policy *policy, char *reason)
{
	static const struct set_shape four = {.name = "wide4",
		.key_type = MAC_IP_PORT,
		.key_length = 20,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {6, 4, 1, 2}};
	static const struct set_shape six = {.name = "wide6",
		.key_type = MAC_IP6_PORT,
		.key_length = 32,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {6, 16, 1, 2}};
	static const struct set_shape any = {.name = "wide_anywhere",
		.key_type = MAC_PORT,
		.key_length = 16,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {6, 1, 2}};
	int r = add_wide(rs, policy, &four, AF_INET, reason);

	if (r == 0)
		r = add_wide(rs, policy, &six, AF_INET6, reason);
	if (r == 0)
		r = add_wide(rs, policy, &any, 0, reason);
	return r;
}

/*
 * Devices that only observe are not redirected. Those without a mode of
 * their own follow their zone, which a rule checks.
 */
static void add_redirects(struct ruleset *rs, const struct policy *policy,
	const char *name, uint8_t mode)
{
	struct set_shape shape = {.name = name,
		.key_type = CONCAT2(NFT_TYPE_ETHER, NFT_TYPE_SERVICE),
		.key_length = 12,
		.flags = NFT_SET_MAP,
		.data_length = 2};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->redirects.n);
	policy_each(struct isolation_redirect, r, &policy->redirects) {
		const struct isolation_device *d = policy_device(
			policy, r->device);
		uint16_t wire = htons(r->port);
		struct set_key key = {0};

		if (d->mode != mode)
			continue;
		set_key_add(&key, &d->mac, sizeof(d->mac));
		set_key_add(&key, &wire, sizeof(wire));
		set_put_port(&filler, key.bytes, r->to_port);
	}
	set_end(&filler);
}

/* Where workers listen: not by who is sent there, which comes and goes. */
static void add_proxy_ports(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "proxy_ports",
		.key_type = NFT_TYPE_SERVICE,
		.key_length = 2};
	uint8_t seen[65536 / 8] = {0};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->fences.n);
	policy_each(struct isolation_fence, f, &policy->fences) {
		uint16_t wire = htons(f->local);

		if (seen[f->local / 8] & 1 << f->local % 8)
			continue;
		seen[f->local / 8] |= (uint8_t)(1 << f->local % 8);
		set_put(&filler, &wire);
	}
	set_end(&filler);
}

int ruleset_add_allow_sets(
	struct ruleset *rs, const struct policy *policy, char *ret_reason)
{
	add_exact(rs, policy, AF_INET);
	add_exact(rs, policy, AF_INET6);
	add_anywhere(rs, policy);
	add_redirects(rs, policy, "redirect_own", RECORD_MODE_ENFORCE);
	add_redirects(rs, policy, "redirect_zone", 0);
	add_proxy_ports(rs, policy);
	return add_all_wide(rs, policy, ret_reason);
}
