/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frames of the self-test, and how answers are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/ctl/selftest.h"

static struct selftest_probe make(enum selftest_kind kind, bool six)
{
	struct selftest_probe p = {.kind = kind,
		.want = SELFTEST_NO_ANSWER,
		.from_mac = {{2, 0, 0, 0, 0, 1}},
		.to_mac = {{2, 0, 0, 0, 0, 2}},
		.source_port = 47001,
		.port = 22,
		.number = 7};

	if (ip_parse(six ? "fe80::1" : "192.0.2.1", &p.from) < 0 ||
		ip_parse(six ? "fe80::2" : "192.0.2.2", &p.to) < 0)
		abort();
	return p;
}

static uint32_t add_up(const uint8_t *bytes, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void test_frames(void **state)
{
	uint8_t frame[SELFTEST_FRAME];

	(void)state;
	for (int kind = SELFTEST_ETHERTYPE; kind <= SELFTEST_ROUTER; kind++)
		for (int six = 0; six < 2; six++) {
			struct selftest_probe p = make(kind, six);
			size_t n = selftest_build(&p, frame);

			assert_true(n >= 60 && n <= SELFTEST_FRAME);
			assert_memory_equal(frame, p.to_mac.b, 6);
			assert_memory_equal(frame + 6, p.from_mac.b, 6);
			assert_int_equal(selftest_find(frame, n),
				kind == SELFTEST_TCP ? -ENOENT : 7);
			if (frame[12] == 8 && frame[13] == 0)
				assert_int_equal(
					add_up(frame + 14, 20), 0xffff);
		}
}

static void test_find_malformed(void **state)
{
	static const uint8_t cut[] = "gatehouse self-test ";

	(void)state;
	assert_int_equal(selftest_find(cut, 0), -ENOENT);
	assert_int_equal(selftest_find(cut, sizeof(cut) - 1), -ENOENT);
	assert_int_equal(selftest_find(cut, sizeof(cut)), 0);
	assert_int_equal(selftest_find(cut, 5), -ENOENT);
}

/* A SYN-ACK to our port, and what only looks like one. */
static void test_answers_tcp(void **state)
{
	struct selftest_probe p = make(SELFTEST_TCP, false), back;
	uint8_t frame[SELFTEST_FRAME];
	size_t n;

	(void)state;
	back = p;
	back.to_mac = p.from_mac;
	back.from_mac = p.to_mac;
	back.source_port = 22;
	back.port = p.source_port;
	n = selftest_build(&back, frame);
	assert_false(selftest_answers(&p, frame, n));
	frame[14 + 20 + 13] = 0x12;
	assert_true(selftest_answers(&p, frame, n));
	frame[14 + 20 + 13] = 0x14; /* a reset */
	assert_false(selftest_answers(&p, frame, n));
	frame[14 + 20 + 13] = 0x12;
	for (size_t cut = 0; cut < 14 + 20 + 14; cut++)
		assert_false(selftest_answers(&p, frame, cut));
	frame[14] = 0x4f; /* a header longer than the frame */
	assert_false(selftest_answers(&p, frame, 50));
	frame[14] = 0x45;
	frame[14 + 20 + 3]++;
	assert_false(selftest_answers(&p, frame, n));
}

static void test_answers_echo(void **state)
{
	for (int six = 0; six < 2; six++) {
		struct selftest_probe p = make(SELFTEST_ECHO, six), back = p;
		uint8_t frame[SELFTEST_FRAME];
		size_t n;

		(void)state;
		back.to_mac = p.from_mac;
		back.from_mac = p.to_mac;
		n = selftest_build(&back, frame);
		assert_false(selftest_answers(&p, frame, n));
		frame[six ? 54 : 34] = six ? 129 : 0;
		assert_true(selftest_answers(&p, frame, n));
		p.number++;
		assert_false(selftest_answers(&p, frame, n));
	}
}

static void test_held(void **state)
{
	struct selftest_probe p[2] = {{.want = SELFTEST_ANSWER, .passed = true},
		{.want = SELFTEST_STAYS}};

	(void)state;
	assert_true(selftest_held(p, 2));
	p[1].passed = true;
	assert_false(selftest_held(p, 2));
	p[1].passed = false;
	p[0].passed = false;
	assert_false(selftest_held(p, 2));
	/* Without a control nothing is proven. */
	assert_false(selftest_held(p + 1, 1));
	assert_false(selftest_held(p, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_find_malformed),
		cmocka_unit_test(test_answers_tcp),
		cmocka_unit_test(test_answers_echo),
		cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
