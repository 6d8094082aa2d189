/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies by chance. Devices draw from few addresses and ports, so that
 * lines overlap, meet and wander from one device to another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/isolation_world.h"

static struct topology_port ports[] = {
	{"p1", "br0", 1, 1, RECORD_MODE_ENFORCE, false},
	{"p2", "br1", 2, 2, RECORD_MODE_OBSERVE, false},
	{"br0", "br0", 3, 1, RECORD_MODE_ENFORCE, true, true},
	{"wlan1", "wlan1", 4, 2, RECORD_MODE_OBSERVE, true, false},
};
static struct ip own[] = {
	{AF_INET, {192, 168, 50, 1}}, {AF_INET6, {0xfe, 0x80, [15] = 1}}};
const struct topology world_topology = {.ports = ports,
	.n_ports = ARRAY_SIZE(ports),
	.addresses = own,
	.n_addresses = ARRAY_SIZE(own)};

uint32_t chance_below(struct chance *chance, uint32_t n)
{
	chance->state = chance->state * 6364136223846793005ull +
			1442695040888963407ull;
	return (uint32_t)(chance->state >> 33) % n;
}

static void add_globals(struct policy *p)
{
	static const struct isolation_zone zones[] = {
		{"br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1},
		{"br1", ISOLATION_ROLE_DEVICES, RECORD_MODE_OBSERVE, 2},
		{"lan0", ISOLATION_ROLE_OWNER, RECORD_MODE_ENFORCE, 3},
	};
	static const struct isolation_fence fences[] = {
		{990, 8883, 18100}, {990, 443, 18101}};
	static const struct isolation_address dns = {
		{AF_INET, {192, 168, 50, 1}}};

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		assert_int_equal(policy_add_zone(p, &zones[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fences); i++)
		assert_int_equal(policy_add_fence(p, &fences[i]), 0);
	assert_int_equal(policy_add_name_server(p, &dns), 0);
	assert_int_equal(policy_add_admin(p, &dns), 0);
}

static struct ip some_address(struct chance *c)
{
	struct ip ip = {.family = AF_INET};

	if (chance_below(c, 2)) {
		ip.b[0] = 203;
		ip.b[3] = (uint8_t)chance_below(c, 3);
	} else {
		ip.family = AF_INET6;
		ip.b[0] = 0x20;
		ip.b[15] = (uint8_t)chance_below(c, 3);
	}
	return ip;
}

static void add_allow(struct policy *p, uint32_t id, struct chance *c)
{
	static const uint8_t protocols[] = {6, 17, 1, 0};
	struct isolation_allow a = {.device = id,
		.protocol = protocols[chance_below(c, 4)],
		.last = 65535};
	uint32_t kind = chance_below(c, 4);

	if (a.protocol == 6 || a.protocol == 17) {
		a.first = (uint16_t)(440 + chance_below(c, 4));
		a.last = (uint16_t)(a.first +
				    (kind == 3 ? chance_below(c, 5) : 0));
	}
	if (kind) {
		a.to = some_address(c);
		a.length = (uint8_t)ip_bits(&a.to);
	}
	if (kind == 2) {
		a.length = 8;
		memset(a.to.b + 1, 0, 15);
	}
	assert_int_equal(policy_add_allow(p, &a), 0);
}

/* One of 200 addresses; each goes to one device at most. */
static void add_pins(
	struct policy *p, uint32_t id, struct chance *c, uint8_t *taken)
{
	for (uint32_t n = chance_below(c, 3); n; n--) {
		uint32_t at = chance_below(c, 200);
		struct isolation_pin pin = {.device = id};

		if (taken[at])
			continue;
		taken[at] = 1;
		pin.ip.family = at % 2 ? AF_INET : AF_INET6;
		pin.ip.b[3] = (uint8_t)(at + 1);
		assert_int_equal(policy_add_pin(p, &pin), 0);
	}
}

/* The default, one of its own, or no line at all. */
static void add_limit(struct policy *p, uint32_t id, struct chance *c)
{
	struct isolation_limit l = {.device = id,
		.rate = chance_below(c, 3) * 100,
		.seconds = chance_below(c, 2) ? 60 : 1};

	if (chance_below(c, 3))
		l.up = ISOLATION_BANDWIDTH_MIN * (1 + chance_below(c, 2));
	if (chance_below(c, 3))
		l.down = ISOLATION_BANDWIDTH_MIN * (1 + chance_below(c, 2));
	if (chance_below(c, 4))
		assert_int_equal(policy_add_limit(p, &l), 0);
}

/* Ways to where somebody is, and one that was found for it. */
static void add_follows(struct policy *p, uint32_t id, struct chance *c)
{
	for (uint32_t n = chance_below(c, 3); n; n--) {
		struct isolation_pass pass = {.device = id,
			.to_device = id,
			.protocol = 6,
			.first = (uint16_t)(80 + chance_below(c, 2))};

		pass.last = (uint16_t)(pass.first + chance_below(c, 2) * 9);
		assert_int_equal(policy_add_pass(p, &pass), 0);
		pass.to = some_address(c);
		assert_int_equal(policy_add_found(&p->passes, &pass), 0);
	}
}

static void add_device(
	struct policy *p, uint32_t id, struct chance *c, uint8_t *taken)
{
	struct isolation_device d = {.id = id,
		.mac = {{2, 0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id}},
		.mode = (uint8_t)chance_below(c, 3)};
	struct isolation_redirect r = {.device = id, .port = 1883};

	d.moved = chance_below(c, 3) == 0;
	assert_int_equal(policy_add_device(p, &d), 0);
	for (uint32_t n = chance_below(c, 6); n; n--)
		add_allow(p, id, c);
	add_pins(p, id, c, taken);
	add_limit(p, id, c);
	add_follows(p, id, c);
	r.to_port = (uint16_t)(18100 + chance_below(c, 3));
	if (chance_below(c, 2))
		assert_int_equal(policy_add_redirect(p, &r), 0);
}

void world_policy(
	struct policy *ret_policy, struct chance *chance, uint32_t most)
{
	char reason[POLICY_REASON] = "";
	uint8_t taken[200] = {0};

	memset(ret_policy, 0, sizeof(*ret_policy));
	add_globals(ret_policy);
	for (uint32_t id = 1; id <= most; id++)
		if (chance_below(chance, 3))
			add_device(ret_policy, id, chance, taken);
	assert_int_equal(policy_seal(ret_policy, reason), 0);
}

static void copy_others(
	const struct policy *from, struct policy *to, const uint32_t changed[2])
{
	policy_each(struct isolation_device, d, &from->devices)
		if (d->id != changed[0] && d->id != changed[1])
			assert_int_equal(policy_add_device(to, d), 0);
	policy_each(struct isolation_allow, a, &from->allows)
		if (a->device != changed[0] && a->device != changed[1])
			assert_int_equal(policy_add_allow(to, a), 0);
	policy_each(struct isolation_redirect, r, &from->redirects)
		if (r->device != changed[0] && r->device != changed[1])
			assert_int_equal(policy_add_redirect(to, r), 0);
	policy_each(struct isolation_limit, l, &from->limits)
		if (l->device != changed[0] && l->device != changed[1])
			assert_int_equal(policy_add_limit(to, l), 0);
	policy_each(struct isolation_pass, f, &from->follows)
		if (f->device != changed[0] && f->device != changed[1])
			assert_int_equal(policy_add_pass(to, f), 0);
	policy_each(struct isolation_pass, f, &from->passes)
		if (f->device != changed[0] && f->device != changed[1])
			assert_int_equal(policy_add_found(&to->passes, f), 0);
	policy_each(struct isolation_pin, p, &from->pins)
		if (p->device != changed[0] && p->device != changed[1])
			assert_int_equal(policy_add_pin(to, p), 0);
}

void world_change(const struct policy *policy, struct policy *ret_policy,
	struct chance *chance, uint32_t most)
{
	const uint32_t changed[2] = {
		1 + chance_below(chance, most), 1 + chance_below(chance, most)};
	char reason[POLICY_REASON] = "";
	uint8_t taken[200] = {0};

	memset(ret_policy, 0, sizeof(*ret_policy));
	add_globals(ret_policy);
	copy_others(policy, ret_policy, changed);
	policy_each(struct isolation_pin, p, &ret_policy->pins)
		taken[p->ip.b[3] - 1] = 1;
	for (int i = 0; i < 1 + (changed[0] != changed[1]); i++)
		if (chance_below(chance, 4))
			add_device(ret_policy, changed[i], chance, taken);
	assert_int_equal(policy_seal(ret_policy, reason), 0);
}
