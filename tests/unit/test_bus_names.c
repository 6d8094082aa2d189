/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the bus: enumerations, object paths, errors, UTF-8. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/lib/record.h"
#include "modules/bus/names.h"

static void test_words(void **state)
{
	char text[NAMES_PROTOCOL];

	(void)state;
	assert_string_equal(names_mode(RECORD_MODE_ENFORCE), "enforce");
	assert_string_equal(names_mode(99), "unknown");
	assert_string_equal(
		names_decision(RECORD_DECISION_QUARANTINE), "quarantine");
	assert_string_equal(
		names_isolation(RECORD_ISOLATION_ENFORCED), "enforced");
	assert_string_equal(
		names_isolation(RECORD_ISOLATION_PARTIAL), "partial");
	assert_string_equal(
		names_isolation(RECORD_ISOLATION_IMPOSSIBLE), "impossible");
	assert_string_equal(
		names_isolation(RECORD_ISOLATION_UNVERIFIED), "unverified");
	assert_string_equal(names_support(RECORD_SUPPORT_ENDING), "ending");
	assert_string_equal(names_support(RECORD_SUPPORT_NO_CLOCK), "no-clock");
	assert_string_equal(
		names_severity(RECORD_SEVERITY_CRITICAL), "critical");
	assert_string_equal(names_state(RECORD_STATE_DEGRADED), "degraded");
	assert_string_equal(names_protocol(6, text), "tcp");
	assert_string_equal(names_protocol(58, text), "icmpv6");
	assert_string_equal(names_protocol(255, text), "255");
}

static void test_paths(void **state)
{
	static const char *const bad[] = {
		"/org/gatehouse1/device/",
		"/org/gatehouse1/device/01",
		"/org/gatehouse1/device/+1",
		"/org/gatehouse1/device/4294967296",
		"/org/gatehouse1/device/99999999999999999999999999",
		"/org/gatehouse1/device/1/x",
		"/org/gatehouse1/device",
		"/org/gatehouse2/device/1",
	};
	char path[NAMES_PATH];
	uint32_t id = 0;

	(void)state;
	assert_string_equal(
		names_device_path(7, path), "/org/gatehouse1/device/7");
	assert_int_equal(
		names_device_id(names_device_path(UINT32_MAX, path), &id), 0);
	assert_int_equal(id, UINT32_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		id = 5;
		assert_int_equal(names_device_id(bad[i], &id), -EINVAL);
		assert_int_equal(id, 5);
	}
}

static void test_errors(void **state)
{
	(void)state;
	assert_string_equal(names_error(-EPERM), BUS_ERROR_NOT_ALLOWED);
	assert_string_equal(names_error(-EBUSY), BUS_ERROR_BUSY);
	assert_string_equal(names_error(-ENOENT), BUS_ERROR_FAILED);
	assert_string_equal(names_error(-EBADMSG), BUS_ERROR_REFUSED);
	assert_string_equal(names_error(-EINVAL), BUS_ERROR_REFUSED);
}

static void clean(const char *raw, const char *expected)
{
	char text[64];

	snprintf(text, sizeof(text), "%s", raw);
	assert_int_equal(names_clean(text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

static void test_clean(void **state)
{
	char endless[4] = {'a', 'b', 'c', 'd'};

	(void)state;
	clean("", "");
	clean("plain", "plain");
	clean("K\xc3\xbc"
	      "che \xe2\x82\xac \xf0\x9f\x93\xb7",
		"K\xc3\xbc"
		"che \xe2\x82\xac \xf0\x9f\x93\xb7");
	clean("cut \xe2\x82", "cut ??");
	clean("\xc0\xaf", "??"); /* overlong */
	clean("\xe0\x80\xaf", "???");
	clean("\xed\xa0\x80", "???"); /* surrogate */
	clean("\xf4\x90\x80\x80", "????"); /* past the last */
	clean("\xff\xfe", "??");
	clean("\x80"
	      "a",
		"?a");
	assert_int_equal(names_clean(endless, sizeof(endless)), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
