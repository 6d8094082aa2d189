/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines to a device by name: which addresses they lead to, and which not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/follow.h"
#include "modules/isolation/why.h"
#include "tests/unit/isolation_world.h"

#define ME 1
#define HUB 2
#define PINNED 3
#define SHARED 4

#define MAC(n)                           \
	{                                \
		{                        \
			2, 0, 0, 0, 0, n \
		}                        \
	}

static void set_up_policy(struct policy *p)
{
	static const struct isolation_device devices[] = {{ME, MAC(ME)},
		{HUB, MAC(HUB)}, {PINNED, MAC(PINNED)},
		{SHARED, MAC(SHARED), .shared = 1}};
	static const struct isolation_pin pin = {
		{AF_INET, {192, 0, 2, 3}}, 0, PINNED};
	static const struct isolation_zone zone = {
		"br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1};
	char reason[POLICY_REASON] = "";

	*p = (struct policy){.marks = {0}};
	assert_int_equal(policy_add_zone(p, &zone), 0);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		assert_int_equal(policy_add_device(p, &devices[i]), 0);
	assert_int_equal(policy_add_pin(p, &pin), 0);
	for (uint32_t to = HUB; to <= SHARED; to++) {
		struct isolation_pass way = {.device = ME,
			.protocol = 6,
			.first = 80,
			.last = 80,
			.to_device = to};

		assert_int_equal(policy_add_pass(p, &way), 0);
	}
	assert_int_equal(policy_seal(p, reason), 0);
}

/* Found places as one text, and the policy leads there. */
static size_t look(struct policy *p, struct ruleset_bound *bound, size_t n,
	struct follow_places *places)
{
	struct follow_places now;

	n = ruleset_settle_bound(bound, n);
	follow_find(p, &world_topology, bound, n, places, &now);
	follow_places_free(places);
	*places = now;
	assert_int_equal(follow_set(p, places), 0);
	assert_int_equal(p->passes.n, places->n);
	return places->n;
}

#define IP4(a)                       \
	{                            \
		AF_INET,             \
		{                    \
			192, 0, 2, a \
		}                    \
	}
#define IP6(a)                         \
	{                              \
		AF_INET6,              \
		{                      \
			0xfd, [15] = a \
		}                      \
	}

static void test_who(void **state)
{
	static const struct ruleset_bound all[] = {
		{IP4(10), MAC(HUB), 100, false, true},
		{IP6(10), MAC(HUB), 100, false, true},
		{{AF_INET, {169, 254, 1, 1}}, MAC(HUB), 100, false, true},
		{{AF_INET6, {0xfe, 0x80, [15] = 9}}, MAC(HUB), 100, false},
		{{AF_INET, {192, 168, 50, 1}}, MAC(HUB), 100}, /* gateway's */
		{IP4(3), MAC(HUB), 100}, /* pinned to another */
		{IP4(30), MAC(PINNED), 100, true}, /* has its own */
		{IP6(30), MAC(PINNED), 100, false, true},
		{IP4(40), MAC(SHARED), 100, true},
		{IP4(50), MAC(ME), 100, true}, /* no line leads there */
		{IP4(60), MAC(77), 100, true}, /* a stranger */
		/* Both tables know it, and do not agree. */
		{IP4(70), MAC(HUB), 100, false, true},
		{IP4(70), MAC(77), 100, false, false},
		{IP4(71), MAC(HUB), 100, false, false},
		{IP4(71), MAC(77), 100, false, true},
	};
	struct ruleset_bound bound[ARRAY_SIZE(all)];
	struct follow_places places = {0};
	struct policy p;

	(void)state;
	set_up_policy(&p);
	memcpy(bound, all, sizeof(all));
	assert_int_equal(look(&p, bound, ARRAY_SIZE(all), &places), 3);
	assert_int_equal(places.rows[0].device, HUB);
	assert_int_equal(places.rows[0].ip.b[3], 10);
	assert_true(places.rows[0].bridge);
	assert_int_equal(places.rows[1].ip.family, AF_INET6);
	assert_int_equal(places.rows[2].device, PINNED);
	assert_int_equal(places.rows[2].ip.b[15], 30);
	/* What DHCP gave is where it is, whatever else it used. */
	memcpy(bound, all, sizeof(all));
	bound[1] = (struct ruleset_bound){IP4(11), MAC(HUB), 5, true, true};
	assert_int_equal(look(&p, bound, ARRAY_SIZE(all), &places), 2);
	assert_int_equal(places.rows[0].ip.b[3], 11);
	/* It goes. */
	assert_int_equal(look(&p, NULL, 0, &places), 0);
	follow_places_free(&places);
	policy_free(&p);
}

/* A device that uses ever new addresses gets no more, and moves nothing. */
static void test_limit(void **state)
{
	struct ruleset_bound bound[40];
	struct follow_places places = {0};
	struct follow_places before;
	struct policy p;

	(void)state;
	set_up_policy(&p);
	for (int round = 0; round < 2; round++) {
		for (uint8_t i = 0; i < ARRAY_SIZE(bound); i++)
			bound[i] = (struct ruleset_bound){IP6((uint8_t)(i + 1)),
				MAC(HUB), round ? 1000u - i : 100u + i};
		before = places;
		if (!round) {
			assert_int_equal(
				look(&p, bound, ARRAY_SIZE(bound), &places),
				ISOLATION_FOLLOWED_EACH);
			continue;
		}
		follow_find(&p, &world_topology, bound, ARRAY_SIZE(bound),
			&before, &places);
		assert_true(follow_places_same(&before, &places));
		follow_places_free(&before);
	}
	follow_places_free(&places);
	policy_free(&p);
}

static void test_why(void **state)
{
	const struct mac me = MAC(ME);
	const struct why_way way = {
		.place = WHY_PLACE_DEVICES, .zone_mode = RECORD_MODE_ENFORCE};
	struct ruleset_bound bound[] = {{IP4(10), MAC(HUB), 100, true, true}};
	struct flow flow = {.port = 80, .protocol = 6};
	struct isolation_because because = {0};
	struct follow_places places = {0};
	struct policy p;

	(void)state;
	set_up_policy(&p);
	why_decide(&p, &way, &me, &flow, &because);
	assert_int_equal(because.reason, ISOLATION_REASON_NEIGHBOUR);
	why_follow(&p, &way, HUB, &flow, &because);
	assert_int_equal(because.reason, ISOLATION_REASON_NOT_FOUND);
	assert_false(because.allowed);
	flow.port = 81;
	why_decide(&p, &way, &me, &flow, &because);
	why_follow(&p, &way, HUB, &flow, &because);
	assert_int_equal(because.reason, ISOLATION_REASON_NEIGHBOUR);
	/* Found. */
	assert_int_equal(look(&p, bound, 1, &places), 1);
	flow.port = 80;
	flow.to = places.rows[0].ip;
	why_decide(&p, &way, &me, &flow, &because);
	assert_int_equal(because.reason, ISOLATION_REASON_PASS);
	assert_int_equal(because.to_device, HUB);
	assert_true(because.allowed);
	follow_places_free(&places);
	policy_free(&p);
}

static void test_copy(void **state)
{
	struct policy p, q;

	(void)state;
	set_up_policy(&p);
	policy_copy(&p, &q);
	assert_true(policy_same(&p, &q));
	assert_non_null(policy_device(&q, SHARED));
	policy_free(&p);
	assert_int_equal(q.follows.n, 3);
	policy_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
