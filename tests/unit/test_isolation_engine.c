/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine in a real kernel, in a network namespace of this test: single
 * devices change without a new load, and when that is not possible all is
 * loaded. What is remembered of addresses. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/isolation/addresses.h"
#include "modules/isolation/engine.h"
#include "modules/isolation/kernel/nft_dump.h"
#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/rules/image.h"
#include "tests/unit/isolation_world.h"

#define DEVICES 12

static struct loop *loop;
static struct engine engine;

static int set_up(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		print_message("needs root and network namespaces\n");
		return 0;
	}
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(engine_open(&engine), 0);
	assert_int_equal(engine_start(&engine, loop), 0);
	return 0;
}

#define NEED_NAMESPACE()        \
	do {                    \
		if (!loop)      \
			skip(); \
	} while (0)

/* The engine takes over what it is given. */
static struct topology some_topology(void)
{
	struct topology t = world_topology;
	size_t ports = t.n_ports * sizeof(*t.ports);
	size_t addresses = t.n_addresses * sizeof(*t.addresses);

	t.ports = malloc(ports);
	t.addresses = malloc(addresses);
	assert_non_null(t.ports);
	assert_non_null(t.addresses);
	memcpy(t.ports, world_topology.ports, ports);
	memcpy(t.addresses, world_topology.addresses, addresses);
	return t;
}

static int try(struct policy *p, char *reason)
{
	struct topology t = some_topology();
	int r = engine_check(&engine, p, reason);

	if (r == 0)
		r = engine_apply(&engine, p, &t, reason);
	topology_free(&t);
	policy_free(p);
	return r;
}

static void apply(struct policy *p)
{
	char reason[POLICY_REASON] = "";

	if (try(p, reason) < 0)
		fail_msg("%s", reason);
}

/* As many elements in the kernel as the policy in force has. */
static void assert_in_force(void)
{
	struct ruleset_input input = {&engine.policy, &engine.topology, NULL,
		engine.generation, engine.kernel};
	char reason[POLICY_REASON] = "";
	uint8_t generation = 0;
	struct image image;
	uint32_t n;

	assert_int_equal(ruleset_image(&input, &image, reason), 0);
	for (size_t i = 0; i < image.n; i++) {
		if (image.sets[i].changing)
			continue;
		assert_int_equal(
			nft_count_elements(&engine.nft, image.sets[i].family,
				image.sets[i].name, &n),
			0);
		assert_int_equal(n, image.sets[i].n);
	}
	image_free(&image);
	assert_int_equal(nft_read_generation(&engine.nft, &generation), 0);
	assert_int_equal(generation, engine.generation);
}

static void test_one_by_one(void **state)
{
	struct chance chance = {11};
	struct policy p;
	uint8_t generation;
	size_t touched = 0;

	(void)state;
	NEED_NAMESPACE();
	world_policy(&p, &chance, DEVICES);
	apply(&p);
	generation = engine.generation;
	assert_int_equal(engine.n_touched, 0);
	for (int round = 0; round < 40; round++) {
		world_change(&engine.policy, &p, &chance, DEVICES);
		apply(&p);
		assert_in_force();
		assert_int_equal(engine.generation, generation);
		assert_true(engine.n_touched <= 2);
		touched += engine.n_touched;
	}
	assert_true(touched > 40);
}

/* What is everybody's makes everybody be judged again. */
static void test_everybody(void **state)
{
	static const struct isolation_address more = {{AF_INET, {1, 2, 3, 4}}};
	struct chance chance = {12}, again = {12};
	char reason[POLICY_REASON] = "";
	struct policy p;
	uint8_t generation;

	(void)state;
	NEED_NAMESPACE();
	world_policy(&p, &chance, DEVICES);
	apply(&p);
	generation = engine.generation;
	world_policy(&p, &again, DEVICES);
	assert_int_equal(policy_add_admin(&p, &more), 0);
	assert_int_equal(policy_seal(&p, reason), 0);
	apply(&p);
	assert_int_not_equal(engine.generation, generation);
	assert_int_equal(engine.n_touched, 0);
	assert_in_force();
}

/* Somebody has taken away what is to be deleted: all is loaded. */
static void test_foreign_hand(void **state)
{
	struct chance chance = {13};
	struct policy p, nobody = {0};
	struct ruleset_input input = {&nobody, &world_topology, NULL, 99};
	char reason[POLICY_REASON] = "";
	struct ruleset rs;

	(void)state;
	NEED_NAMESPACE();
	world_policy(&p, &chance, DEVICES);
	apply(&p);
	assert_int_equal(policy_seal(&nobody, reason), 0);
	assert_int_equal(
		ruleset_build(&input, nft_seq(&engine.nft), &rs, reason), 0);
	assert_int_equal(nft_commit(&engine.nft, &rs.batch, reason), 0);
	ruleset_free(&rs);
	do {
		world_change(&engine.policy, &p, &chance, DEVICES);
		apply(&p);
	} while (engine.n_touched);
	assert_in_force();
}

/* The kernel has no place for one more who is judged again: all are. */
static void test_many_changed(void **state)
{
	struct image_set again = {.name = RULESET_AGAIN,
		.family = NFPROTO_INET,
		.key = sizeof(struct mac),
		.expires = true};
	/* Of everybody's, so that nobody is judged again yet. */
	static const struct isolation_address more = {{AF_INET, {1, 2, 3, 5}}};
	struct chance chance = {14};
	char reason[POLICY_REASON] = "";
	struct batch batch;
	struct policy p;
	uint8_t generation;
	uint32_t there;

	(void)state;
	NEED_NAMESPACE();
	world_policy(&p, &chance, DEVICES);
	assert_int_equal(policy_add_admin(&p, &more), 0);
	assert_int_equal(policy_seal(&p, reason), 0);
	apply(&p);
	assert_int_equal(engine.n_touched, 0);
	generation = engine.generation;
	assert_int_equal(nft_count_elements(&engine.nft, NFPROTO_INET,
				 RULESET_AGAIN, &there),
		0);
	for (unsigned i = there; i < RULESET_AGAIN_MAX; i++) {
		struct mac mac = {{6, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};

		memcpy(image_add(&again, 0), &mac, sizeof(mac));
	}
	batch_begin(&batch, nft_seq(&engine.nft));
	image_write(&again, true, "", &batch);
	batch_end(&batch);
	assert_int_equal(nft_commit(&engine.nft, &batch, reason), 0);
	batch_free(&batch);
	free(again.rows);
	/* Who is in there already needs no place. */
	for (int i = 0; i < 100 && engine.generation == generation; i++) {
		world_change(&engine.policy, &p, &chance, DEVICES);
		apply(&p);
	}
	assert_int_not_equal(engine.generation, generation);
	assert_int_equal(engine.n_touched, 0);
	assert_in_force();
}

static void add_devices(
	struct policy *p, uint32_t first, uint32_t last, uint16_t lines)
{
	for (uint32_t id = first; id <= last; id++) {
		struct isolation_device d = {.id = id,
			.mac = {{2, 1, 0, 0, (uint8_t)(id >> 8), (uint8_t)id}}};

		assert_int_equal(policy_add_device(p, &d), 0);
		for (uint16_t i = 0; i < lines; i++) {
			struct isolation_allow a = {.device = id,
				.protocol = IPPROTO_UDP,
				.first = (uint16_t)(10 * i + 1),
				.last = (uint16_t)(10 * i + 5)};

			assert_int_equal(policy_add_allow(p, &a), 0);
		}
	}
}

static void wanted(struct policy *p, uint32_t devices, uint16_t lines)
{
	char reason[POLICY_REASON] = "";

	memset(p, 0, sizeof(*p));
	add_devices(p, 1, devices, 0);
	add_devices(p, 5000, 5000, lines);
	assert_int_equal(policy_seal(p, reason), 0);
}

/* A set has room for some more devices only; a new load makes it. */
static void test_growth(void **state)
{
	struct policy p;
	size_t loads = 0;

	(void)state;
	NEED_NAMESPACE();
	wanted(&p, 1, 0);
	apply(&p);
	for (uint32_t n = 40; n <= 280; n += 40) {
		wanted(&p, n, 0);
		apply(&p);
		loads += engine.n_touched == 0;
		assert_in_force();
	}
	assert_true(loads > 0);
	assert_true(loads < 4);
}

static void almost_full(struct policy *p, uint16_t more)
{
	char reason[POLICY_REASON] = "";

	memset(p, 0, sizeof(*p));
	add_devices(p, 5000, 5007, BOXES_MAX / 8 - 1);
	add_devices(p, 6000, 6000, more);
	assert_int_equal(policy_seal(p, reason), 0);
}

/* The limit is that of all devices, and refused before anything changes. */
static void test_limit(void **state)
{
	char reason[POLICY_REASON] = "";
	struct policy p;

	(void)state;
	NEED_NAMESPACE();
	almost_full(&p, 0);
	apply(&p);
	almost_full(&p, 8);
	apply(&p);
	assert_int_equal(engine.n_touched, 1);
	almost_full(&p, 9);
	assert_int_equal(try(&p, reason), -ENOSPC);
	if (!strstr(reason, "device number 6000"))
		fail_msg("'%s' names nobody", reason);
	assert_in_force();
}

/* So are deletions that the kernel would be busy with for long. */
static void test_slow_deletions(void **state)
{
	struct policy p;

	(void)state;
	NEED_NAMESPACE();
	wanted(&p, 1, 1000);
	apply(&p);
	wanted(&p, 1, 999);
	apply(&p);
	assert_int_equal(engine.n_touched, 1);
	wanted(&p, 1, 900);
	apply(&p);
	assert_int_equal(engine.n_touched, 0);
	assert_in_force();
}

/* Many devices at once are loaded as a whole. */
static void test_many(void **state)
{
	struct policy p;

	(void)state;
	NEED_NAMESPACE();
	wanted(&p, 1, 0);
	apply(&p);
	wanted(&p, 2000, 0);
	apply(&p);
	assert_int_equal(engine.n_touched, 0);
	assert_in_force();
}

static bool keep_none(const struct mac *mac, void *arg)
{
	(void)arg;
	return mac->b[5] != 1;
}

static void test_addresses(void **state)
{
	struct mac a = {{2, 0, 0, 0, 0, 1}}, b = {{2, 0, 0, 0, 0, 2}};
	struct ip ip = {.family = AF_INET6};
	struct addresses addresses;

	(void)state;
	addresses_init(&addresses);
	assert_null(addresses_of(&addresses, &a));
	assert_null(addresses_find(&addresses, &ip));
	for (uint8_t i = 0; i <= ADDRESSES_EACH; i++) {
		ip.b[15] = i;
		addresses_add(&addresses, &a, 3, &ip);
		ip.b[15] = 1; /* is seen again and again */
		addresses_add(&addresses, &a, 4, &ip);
	}
	addresses_add(&addresses, &b, 5, &ip);
	assert_int_equal(addresses.n, 2);
	assert_int_equal(addresses_of(&addresses, &a)->n, ADDRESSES_EACH);
	assert_int_equal(addresses_of(&addresses, &a)->index, 4);
	assert_int_equal(addresses_of(&addresses, &a)->ip[0].b[15], 1);
	ip.b[15] = 0; /* the oldest made place */
	assert_null(addresses_find(&addresses, &ip));
	ip.b[15] = 2;
	assert_true(mac_equal(&addresses_find(&addresses, &ip)->mac, &a));
	addresses_sweep(&addresses, keep_none, NULL);
	assert_null(addresses_of(&addresses, &a));
	assert_non_null(addresses_of(&addresses, &b));
	addresses_drop(&addresses, &b);
	addresses_drop(&addresses, &b);
	assert_int_equal(addresses.n, 0);
	addresses_add(&addresses, &b, 5, &ip);
	addresses_free(&addresses);
	assert_null(addresses_of(&addresses, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_everybody),
		cmocka_unit_test(test_foreign_hand),
		cmocka_unit_test(test_many_changed),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_slow_deletions),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
