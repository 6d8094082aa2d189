/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose addresses are, for the next boot: the file, what of it is put in
 * force, and the table that the agent makes it of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>

#include "modules/isolation/agent/bound_table.h"
#include "modules/isolation/agent/keep_bound.h"
#include "modules/isolation/restore.h"
#include "modules/isolation/saved_bound.h"

#define NOW 1800000000

static struct isolation_bound row(const char *ip, uint8_t mac, uint32_t rest_s)
{
	struct isolation_bound b = {
		.mac = {{2, 0, 0, 0, 0, mac}}, .rest_s = rest_s, .bridge = 1};

	assert_int_equal(ip_parse(ip, &b.ip), 0);
	return b;
}

/* What the agent would offer to a worker; nothing is sent in this test. */
int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	(void)agent, (void)module, (void)type, (void)message;
	(void)size, (void)fd;
	return 0;
}

struct loop *agent_loop(struct agent *agent)
{
	(void)agent;
	return NULL;
}

const char *agent_state_dir(struct agent *agent)
{
	(void)agent;
	return "/nowhere";
}

/* How many rows come back; the rest of the first one. */
static int read_at(const struct saved *saved, int64_t now_s, uint32_t *ret_rest)
{
	struct isolation_bound *rows = NULL;
	size_t n = 0;
	int r = saved_bound_read(saved->bytes, saved->length, now_s, &rows, &n);

	*ret_rest = r == 0 && n ? rows[0].rest_s : 0;
	free(rows);
	return r < 0 ? r : (int)n;
}

static void test_time_passes(void **state)
{
	struct isolation_bound rows[] = {
		row("192.168.50.7", 7, 7200), row("fd00::7", 7, 100)};
	struct saved saved;
	uint32_t rest;

	(void)state;
	assert_int_equal(saved_bound_make(rows, 2, NOW, &saved), 0);
	assert_int_equal(read_at(&saved, NOW, &rest), 2);
	assert_int_equal(rest, 7200);
	assert_int_equal(read_at(&saved, NOW + 200, &rest), 1);
	assert_int_equal(rest, 7000);
	assert_int_equal(read_at(&saved, NOW + 7200, &rest), 0);
	/* A clock that is not set yet. */
	assert_int_equal(read_at(&saved, 5, &rest), 2);
	assert_int_equal(rest, 7200);
	saved_free(&saved);
	/* One that was not set then. */
	assert_int_equal(saved_bound_make(rows, 2, 5, &saved), 0);
	assert_int_equal(read_at(&saved, NOW, &rest), 2);
	assert_int_equal(rest, 7200);
	saved_free(&saved);
}

static void test_hostile_file(void **state)
{
	struct isolation_bound good = row("192.168.50.7", 7, 60), bad[11];
	struct isolation_bound *rows;
	struct saved saved;
	uint32_t rest;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].mac.b[0] = 1;
	memset(&bad[1].mac, 0, sizeof(bad[1].mac));
	bad[2].rest_s = ISOLATION_BOUND_S + 1;
	bad[3].rest_s = 0;
	bad[4].leased = 2;
	bad[5].bridge = 2;
	bad[6].ip.b[0] = 224;
	bad[7].ip.b[9] = 1;
	bad[8].ip.family = 0;
	bad[9] = row("ff02::1", 7, 60);
	bad[10] = row("::1", 7, 60);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(saved_bound_make(&bad[i], 1, NOW, &saved), 0);
		assert_int_equal(read_at(&saved, NOW, &rest), -EBADMSG);
		saved_free(&saved);
	}
	assert_int_equal(saved_bound_make(&good, 1, NOW, &saved), 0);
	for (size_t i = 0; i < saved.length; i++) {
		saved.bytes[i] ^= 4;
		assert_true(read_at(&saved, NOW, &rest) < 0);
		saved.bytes[i] ^= 4;
		assert_true(saved_bound_read(saved.bytes, i, NOW, &rows,
				    &(size_t){0}) < 0);
	}
	assert_int_equal(read_at(&saved, NOW, &rest), 1);
	/* More than there is place for. */
	for (size_t i = 0; i < ISOLATION_BOUND_MAX; i++)
		assert_int_equal(saved_add(&saved, 2, &good, sizeof(good)), 0);
	assert_int_equal(saved_seal(&saved), 0);
	assert_int_equal(read_at(&saved, NOW, &rest), -EBADMSG);
	saved_free(&saved);
	assert_int_equal(
		saved_bound_make(&good, ISOLATION_BOUND_MAX + 1, NOW, &saved),
		-ENOSPC);
}

static void make_policy(struct policy *p)
{
	struct isolation_zone zone = {
		"br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1, 0};
	struct isolation_pin pin = {.device = 8};
	char reason[POLICY_REASON];

	assert_int_equal(policy_add_zone(p, &zone), 0);
	for (uint8_t i = 7; i <= 9; i++) {
		struct isolation_device d = {
			.id = i, .mac = {{2, 0, 0, 0, 0, i}}, .shared = i == 9};

		assert_int_equal(policy_add_device(p, &d), 0);
	}
	assert_int_equal(ip_parse("192.168.50.8", &pin.ip), 0);
	assert_int_equal(policy_add_pin(p, &pin), 0);
	assert_int_equal(policy_seal(p, reason), 0);
}

static void test_what_is_restored(void **state)
{
	struct isolation_bound rows[] = {
		row("192.168.50.7", 7, 60), /* its own */
		row("192.168.50.8", 7, 60), /* pinned to another */
		row("192.168.50.1", 7, 60), /* the gateway's */
		row("192.168.50.20", 8, 60), /* it has pinned ones */
		row("fd00::8", 8, 60), /* but of IPv4 only */
		row("192.168.50.9", 9, 60), /* others are behind it */
		row("192.168.50.10", 10, 60), /* no device any more */
		row("192.168.50.7", 8, 90), /* whose pins forbid it */
	};
	struct ruleset_carry carry = {0};
	struct topology topology = {0};
	struct policy policy = {0};

	(void)state;
	make_policy(&policy);
	topology.addresses = &rows[2].ip;
	topology.n_addresses = 1;
	restore_bound(rows, ARRAY_SIZE(rows), &policy, &topology, &carry);
	assert_int_equal(carry.n_bound, 2);
	assert_true(ip_equal(&carry.bound[0].ip, &rows[0].ip));
	assert_true(mac_equal(&carry.bound[0].mac, &rows[0].mac));
	assert_int_equal(carry.bound[0].rest_ms, 60000);
	assert_true(carry.bound[0].bridge && !carry.bound[0].leased);
	assert_true(ip_equal(&carry.bound[1].ip, &rows[4].ip));
	ruleset_carry_free(&carry);
	policy_free(&policy);
}

/* Ends the list; how many rows there are, and how many were too many. */
static size_t ended(struct bound_table *table, bool all, size_t over)
{
	size_t left_out = 0;

	assert_int_equal(bound_table_end(table, all, &left_out), 0);
	assert_int_equal(left_out, over);
	return table->n;
}

static void test_table(void **state)
{
	struct isolation_bound a = row("192.168.50.7", 7, 60), out[4];
	struct isolation_bound b = row("192.168.50.8", 8, 60), gone = a;
	struct bound_table t = {0};
	uint64_t digest;

	(void)state;
	bound_table_tell(&t, &b, 0);
	bound_table_tell(&t, &a, 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(ended(&t, true, 0), 2);
	digest = bound_table_digest(&t);
	a.rest_s = 7200;
	bound_table_tell(&t, &a, 0);
	assert_int_equal(ended(&t, false, 0), 2);
	assert_true(bound_table_digest(&t) == digest);
	assert_int_equal(bound_table_list(&t, 61000, out), 1);
	assert_int_equal(out[0].rest_s, 7139);
	/* It went over to another one, whatever is told first. */
	gone.rest_s = 0;
	a.mac = b.mac;
	bound_table_tell(&t, &a, 0);
	bound_table_tell(&t, &gone, 0);
	assert_int_equal(ended(&t, false, 0), 2);
	assert_true(bound_table_digest(&t) != digest);
	assert_true(mac_equal(&t.rows[0].bound.mac, &b.mac));
	b.pinned = 1;
	bound_table_tell(&t, &b, 0);
	assert_int_equal(ended(&t, true, 0), 1);
	assert_int_equal(bound_table_list(&t, 0, out), 0);
	bound_table_tell(&t, &a, 0);
	bound_table_drop_told(&t);
	assert_int_equal(ended(&t, false, 0), 1);
	bound_table_free(&t);
}

/* One device that invents addresses does not take the place of others. */
static void test_limits(void **state)
{
	struct isolation_bound b = row("fd00::", 7, 60);
	struct bound_table t = {0};

	(void)state;
	for (unsigned i = 1; i <= ISOLATION_BOUND_EACH + 5; i++) {
		b.ip.b[15] = (uint8_t)i;
		b.leased = i == 1;
		b.rest_s = 60 + i;
		bound_table_tell(&t, &b, 0);
	}
	b.mac.b[5]++;
	bound_table_tell(&t, &b, 0);
	assert_int_equal(ended(&t, true, 5), ISOLATION_BOUND_EACH + 1);
	assert_int_equal(t.rows[0].bound.ip.b[15], 1); /* leased */
	assert_int_equal(t.rows[1].bound.ip.b[15], 7); /* used last */
	for (unsigned i = 0; i < BOUND_TABLE_LIST_MAX + 9; i++) {
		memcpy(&b.mac.b[2], &i, sizeof(i));
		bound_table_tell(&t, &b, 0);
	}
	assert_int_equal(
		ended(&t, true, ISOLATION_BOUND_MAX), ISOLATION_BOUND_MAX);
	bound_table_free(&t);
}

static void test_seldom(void **state)
{
	struct isolation_bound b = row("192.168.50.7", 7, 60);

	(void)state;
	assert_int_equal(keep_bound_pause_ms(0, false), 60000);
	assert_int_equal(keep_bound_pause_ms(30000, false), 8 * 60000);
	assert_int_equal(keep_bound_pause_ms(30000, true), 3600000);
	/* Nobody's worker says such things; it is not believed. */
	b.mac.b[0] = 1;
	assert_int_equal(keep_bound(NULL, &b), -EINVAL);
	b.mac.b[0] = 2;
	assert_int_equal(keep_bound(NULL, &b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_passes),
		cmocka_unit_test(test_hostile_file),
		cmocka_unit_test(test_what_is_restored),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
