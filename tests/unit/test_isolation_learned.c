/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices learned: its limits and its end, and, in a network namespace
 * of this test, that the kernel has it, also after a new load. The second
 * needs root.
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

#include "modules/isolation/engine_learn.h"
#include "modules/isolation/kernel/nft_dump.h"
#include "tests/unit/isolation_world.h"

static const struct mac one = {{2, 0, 0, 0, 0, 1}}, two = {{2, 0, 0, 0, 0, 2}};
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

static struct isolation_learned some(uint32_t n, uint16_t first, uint16_t last)
{
	return (struct isolation_learned){
		.ip = {AF_INET, {203, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
					(uint8_t)n}},
		.protocol = IPPROTO_TCP,
		.device = 1,
		.first = first,
		.last = last,
		.ttl_ms = 1000};
}

static bool may(const struct learned *l, const struct mac *mac,
	const struct isolation_learned *what, uint16_t port, int64_t now_ms)
{
	return learned_allows(l, mac, &what->ip, what->protocol, port, now_ms);
}

static void test_end(void **state)
{
	struct isolation_learned w = some(1, 443, 445);
	struct learned l;

	(void)state;
	learned_init(&l);
	assert_int_equal(learned_add(&l, &one, &w, 100), 0);
	assert_int_equal(l.n, 3);
	assert_true(may(&l, &one, &w, 443, 100));
	assert_true(may(&l, &one, &w, 445, 1099));
	assert_false(may(&l, &one, &w, 446, 100));
	assert_false(may(&l, &two, &w, 443, 100));
	assert_false(may(&l, &one, &w, 443, 1100));
	w.protocol = IPPROTO_UDP;
	assert_false(may(&l, &one, &w, 443, 100));
	w.protocol = IPPROTO_TCP;
	w.last = 443;
	assert_int_equal(learned_add(&l, &one, &w, 600), 0);
	assert_int_equal(l.n, 3);
	assert_true(may(&l, &one, &w, 443, 1500));
	assert_false(may(&l, &one, &w, 444, 1500));
	learned_settle(&l, 1500);
	assert_int_equal(l.n, 1);
	assert_true(list_empty(&l.pending));
	learned_free(&l);
	assert_int_equal(l.n, 0);
}

static void test_forget(void **state)
{
	struct isolation_learned a = some(1, 443, 444), b = some(2, 443, 443);
	struct isolation_learned all = {.device = 1};
	struct learned l;

	(void)state;
	learned_init(&l);
	assert_int_equal(learned_add(&l, &one, &a, 0), 0);
	assert_int_equal(learned_add(&l, &one, &b, 0), 0);
	assert_int_equal(learned_add(&l, &two, &a, 0), 0);
	a.last = 443;
	assert_int_equal(learned_forget(&l, &one, &a), 1);
	assert_false(may(&l, &one, &a, 443, 1));
	assert_true(may(&l, &one, &a, 444, 1));
	assert_true(may(&l, &two, &a, 443, 1));
	learned_settle(&l, 1);
	assert_int_equal(l.n, 4);
	assert_int_equal(learned_forget(&l, &one, &all), 2);
	learned_settle(&l, 1);
	assert_int_equal(l.n, 2);
	assert_int_equal(learned_forget(&l, &one, &all), 0);
	learned_free(&l);
}

/* What no agent sends. */
static void test_sane(void **state)
{
	struct isolation_learned good = some(1, 443, 443), w;
	struct learned l;

	(void)state;
	learned_init(&l);
	w = good;
	w.ip.family = 0;
	assert_int_equal(learned_add(&l, &one, &w, 0), -EINVAL);
	w = good;
	w.ip.b[15] = 1; /* two writings of one address */
	assert_int_equal(learned_add(&l, &one, &w, 0), -EINVAL);
	w = good;
	w.protocol = IPPROTO_ICMP;
	assert_int_equal(learned_add(&l, &one, &w, 0), -EINVAL);
	w = good;
	w.first = 444;
	assert_int_equal(learned_add(&l, &one, &w, 0), -EINVAL);
	w = good;
	w.last = 443 + ISOLATION_LEARNED_PORTS;
	assert_int_equal(learned_add(&l, &one, &w, 0), -EINVAL);
	w = good;
	w.ttl_ms = 0;
	assert_int_equal(learned_add(&l, &one, &w, 0), -EINVAL);
	w.ttl_ms = ISOLATION_LEARNED_MS + 1;
	assert_int_equal(learned_add(&l, &one, &w, 0), -EINVAL);
	assert_int_equal(l.n, 0);
	w = some(1, 65535, 65535);
	assert_int_equal(learned_add(&l, &one, &w, 0), 0);
	learned_free(&l);
}

static void test_limits(void **state)
{
	struct isolation_learned w;
	struct learned l;
	struct mac mac = one;

	(void)state;
	learned_init(&l);
	for (uint32_t i = 0; i < ISOLATION_LEARNED_EACH / 2; i++) {
		w = some(i, 443, 444);
		assert_int_equal(learned_add(&l, &one, &w, 0), 0);
	}
	w = some(ISOLATION_LEARNED_EACH, 443, 443);
	assert_int_equal(learned_add(&l, &one, &w, 0), -ENOSPC);
	assert_int_equal(learned_add(&l, &two, &w, 0), 0);
	w = some(1, 444, 445); /* one known, one more */
	assert_int_equal(learned_add(&l, &one, &w, 0), -ENOSPC);
	w = some(1, 443, 444); /* known */
	assert_int_equal(learned_add(&l, &one, &w, 0), 0);
	learned_settle(&l, 1);
	/* What has ended makes room. */
	w = some(ISOLATION_LEARNED_EACH, 443, 443);
	assert_int_equal(learned_add(&l, &one, &w, 2000), 0);
	assert_int_equal(l.n, 1);
	for (uint32_t i = 0; l.n < ISOLATION_LEARNED_MAX; i++) {
		mac.b[2] = (uint8_t)(1 + i / ISOLATION_LEARNED_EACH);
		w = some(i, 443, 443);
		assert_int_equal(learned_add(&l, &mac, &w, 2000), 0);
	}
	w = some(1, 80, 80);
	assert_int_equal(learned_add(&l, &two, &w, 2000), -ENOSPC);
	learned_free(&l);
	assert_null(l.devices);
}

static void apply(struct policy *p)
{
	struct topology none = {0};
	char reason[POLICY_REASON] = "";

	if (engine_apply(&engine, p, &none, reason) < 0)
		fail_msg("%s", reason);
}

static void wanted(struct policy *p, uint32_t devices, bool admin)
{
	static const struct isolation_address address = {
		{AF_INET, {10, 0, 0, 1}}};
	char reason[POLICY_REASON] = "";

	memset(p, 0, sizeof(*p));
	for (uint32_t id = 1; id <= devices; id++) {
		struct isolation_device d = {
			.id = id, .mac = {{2, 0, 0, 0, 0, (uint8_t)id}}};

		assert_int_equal(policy_add_device(p, &d), 0);
	}
	if (admin)
		assert_int_equal(policy_add_admin(p, &address), 0);
	assert_int_equal(policy_seal(p, reason), 0);
}

static uint32_t in_kernel(const char *set)
{
	uint32_t n = 99;

	assert_int_equal(
		nft_count_elements(&engine.nft, NFPROTO_INET, set, &n), 0);
	return n;
}

static void learn(const struct mac *mac, struct isolation_learned w)
{
	assert_int_equal(learned_add(&engine.learned, mac, &w, clock_ms()), 0);
}

static void test_in_kernel(void **state)
{
	struct isolation_learned six = {.ip = {AF_INET6, {0x20, 1, [15] = 7}},
		.protocol = IPPROTO_UDP,
		.first = 443,
		.last = 450,
		.ttl_ms = 60000};
	struct isolation_learned four = some(1, 443, 443), all = {0};
	struct policy p;

	(void)state;
	if (!loop)
		skip();
	/* Before the first load: it brings it along. */
	four.ttl_ms = 60000;
	learn(&one, four);
	engine_flush_learned(&engine);
	wanted(&p, 2, false);
	apply(&p);
	assert_int_equal(in_kernel("learned4"), 1);
	learn(&one, six);
	learn(&two, four);
	learn(&one, four); /* again */
	engine_flush_learned(&engine);
	assert_int_equal(in_kernel("learned4"), 2);
	assert_int_equal(in_kernel("learned6"), 8);
	/* A new load of everything keeps it. */
	wanted(&p, 2, true);
	apply(&p);
	assert_int_equal(engine.n_touched, 0);
	assert_int_equal(in_kernel("learned4"), 2);
	assert_int_equal(in_kernel("learned6"), 8);
	/* Who is no device any more loses it, and gets none of it back. */
	wanted(&p, 1, true);
	apply(&p);
	assert_int_equal(engine.n_touched, 1);
	assert_int_equal(in_kernel("learned4"), 1);
	wanted(&p, 2, true);
	apply(&p);
	assert_int_equal(in_kernel("learned4"), 1);
	learn(&two, six); /* and forgotten before anybody wrote it */
	assert_int_equal(learned_forget(&engine.learned, &two, &all), 8);
	engine_flush_learned(&engine);
	assert_int_equal(in_kernel("learned6"), 8);
	assert_int_equal(learned_forget(&engine.learned, &one, &all), 9);
	engine_flush_learned(&engine);
	assert_int_equal(in_kernel("learned4"), 0);
	assert_int_equal(in_kernel("learned6"), 0);
	assert_int_equal(engine.learned.n, 0);
}

/* It ends by itself, also while it waits; a new load does not revive it. */
static void test_ends_in_kernel(void **state)
{
	struct isolation_learned w = some(1, 443, 443);
	struct policy p;

	(void)state;
	if (!loop)
		skip();
	wanted(&p, 2, false);
	apply(&p);
	w.ttl_ms = 50;
	learn(&one, w);
	engine_flush_learned(&engine);
	w.ttl_ms = 60000;
	learn(&two, w);
	engine_flush_learned(&engine);
	usleep(200000);
	assert_int_equal(in_kernel("learned4"), 1);
	w.ttl_ms = 1;
	w.first = w.last = 80;
	learn(&one, w);
	usleep(50000);
	engine_flush_learned(&engine);
	assert_int_equal(in_kernel("learned4"), 1);
	wanted(&p, 2, true);
	apply(&p);
	assert_int_equal(in_kernel("learned4"), 1);
	/* Longer than before, whatever the kernel thinks of it. */
	w = some(9, 443, 443);
	w.ttl_ms = 300;
	learn(&one, w);
	engine_flush_learned(&engine);
	w.ttl_ms = 60000;
	learn(&one, w);
	engine_flush_learned(&engine);
	usleep(600000);
	assert_int_equal(in_kernel("learned4"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_sane),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_in_kernel),
		cmocka_unit_test(test_ends_in_kernel),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
