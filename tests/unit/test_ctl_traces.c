/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device is found in all forms that it is written in, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ctl/traces.h"

static struct traces camera(void)
{
	const struct mac mac = {{0x02, 0xab, 0x00, 0x00, 0xcd, 0x01}};
	struct traces traces;

	traces_begin(&traces, &mac);
	traces_add(&traces, "camera");
	traces_add(&traces, "192.0.2.7");
	traces_add(&traces, "x");
	return traces;
}

static bool in(const char *text)
{
	struct traces traces = camera();

	return traces_in(&traces, text, strlen(text));
}

static void test_forms(void **state)
{
	struct traces traces = camera();

	(void)state;
	assert_true(in("mac = 02:ab:00:00:cd:01\n"));
	assert_true(in("02:AB:00:00:CD:01"));
	assert_true(in("x02-ab-00-00-cd-01x"));
	assert_true(in("02ab.0000.cd01"));
	assert_true(in("client 02AB0000CD01"));
	assert_true(traces_in(&traces, "..\x02\xab\0\0\xcd\x01..", 10));
	assert_true(traces_in(&traces, "\x02\xab\0\0\xcd\x01", 6));
	/* Not if a byte is another, or it is cut. */
	assert_false(in("02:ab:00:00:cd:02"));
	assert_false(in("02:ab:00:00:cd:0"));
	assert_false(traces_in(&traces, "\x02\xab\0\0\xcd\x02", 6));
	assert_false(traces_in(&traces, "\x02\xab\0\0\xcd", 5));
	assert_false(traces_in(&traces, "", 0));
}

static void test_words(void **state)
{
	(void)state;
	assert_true(in("[device camera]"));
	assert_true(in("Camera"));
	assert_true(in("allow = device:camera"));
	assert_true(in("at 192.0.2.7."));
	/* Somebody else whose name begins or ends so. */
	assert_false(in("[device camera-2]"));
	assert_false(in("mycamera"));
	assert_false(in("camera_b"));
	assert_false(in("192.0.2.70"));
	/* Too short to mean anybody. */
	assert_false(in("x"));
}

static void test_bounds(void **state)
{
	struct traces traces = camera();
	char word[TRACES_WORD + 8];

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	traces_add(&traces, word);
	assert_int_equal(traces.n_words, 2);
	for (int i = 0; i < TRACES_WORDS_MAX + 5; i++)
		traces_add(&traces, "word");
	assert_int_equal(traces.n_words, TRACES_WORDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
