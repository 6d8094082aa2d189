/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command shows: safe text, lines, tables, dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/when.h"
#include "agent/ctl/why.h"

static void clean(const char *raw, const char *expected)
{
	char *text = text_clean(raw);

	assert_string_equal(text, expected);
	free(text);
}

static void test_clean(void **state)
{
	(void)state;
	text_force_ascii(false);
	clean("camera-1", "camera-1");
	clean("K\xc3\xbc"
	      "che",
		"K\xc3\xbc"
		"che");
	clean("a\x1b[31mred", "a\\x1b[31mred");
	clean("a\tb\nc\x7f", "a\\x09b\\x0ac\\x7f");
	clean("\xc2\x9b"
	      "31m",
		"\\u009b31m"); /* the one-byte CSI */
	clean("\xe2\x80\xae"
	      "gpj.exe",
		"\\u202egpj.exe");
	clean("\xe2\x81\xa6x", "\\u2066x");
	clean("\xff\xc3", "\\xff\\xc3");
	clean("\xf4\x8f\xbf\xbf", "\\U0010ffff");
	text_force_ascii(true);
	clean("K\xc3\xbc"
	      "che",
		"K\\u00fcche");
	text_force_ascii(false);
}

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("K\xc3\xbc"
				    "che"),
		5);
	assert_int_equal(text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	assert_int_equal(text_width("e\xcc\x81"), 1); /* combining */
}

static void wrap(const char *text, size_t at, size_t indent, size_t width,
	const char *expected)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	assert_non_null(out);
	text_wrap(out, text, at, indent, width);
	fclose(out);
	assert_string_equal(result, expected);
	free(result);
}

static void test_wrap(void **state)
{
	(void)state;
	wrap("one two three", 0, 0, 20, "one two three\n");
	wrap("one two three", 0, 0, 7, "one two\nthree\n");
	wrap("one two three", 0, 2, 8, "one two\n  three\n");
	wrap("one two", 4, 4, 8, "one\n    two\n");
	wrap("abcdefghij", 0, 0, 4, "abcd\nefgh\nij\n");
	wrap("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 0, 0, 5,
		"\xe6\x97\xa5\xe6\x9c\xac\n\xe8\xaa\x9e\n");
	wrap("", 0, 0, 10, "\n");
}

static char *render(const struct table *table, size_t width)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	assert_non_null(out);
	table_print(table, out, width);
	fclose(out);
	return result;
}

static const struct table_column columns[] = {{.heading = "NAME"},
	{.heading = "N", .right = true}, {.heading = "WHAT"}};

static void fill(struct table *table)
{
	const char *a[] = {"camera", "1,234", "tcp/443 to 203.0.113.10"};
	const char *b[] = {"K\xc3\xbc"
			   "che",
		"7", "icmp\x1b"};

	table->columns = columns;
	table->n_columns = ARRAY_SIZE(columns);
	table_add(table, a);
	table_add(table, b);
}

static void test_table_wide(void **state)
{
	struct table table = {0};
	char *text;

	(void)state;
	fill(&table);
	text = render(&table, 40);
	assert_string_equal(text, "NAME        N  WHAT\n"
				  "camera  1,234  tcp/443 to 203.0.113.10\n"
				  "K\xc3\xbc"
				  "che       7  icmp\\x1b\n");
	free(text);
	table_clear(&table);
}

static void test_table_narrow(void **state)
{
	struct table table = {0};
	char *text;

	(void)state;
	fill(&table);
	text = render(&table, 24);
	assert_string_equal(text, "camera\n"
				  "  N     1,234\n"
				  "  WHAT  tcp/443 to\n"
				  "        203.0.113.10\n"
				  "\n"
				  "K\xc3\xbc"
				  "che\n"
				  "  N     7\n"
				  "  WHAT  icmp\\x1b\n");
	free(text);
	table_clear(&table);
}

/* Whatever the width: no line is wider, and no character is lost. */
static void test_table_any_width(void **state)
{
	struct table table = {0};

	(void)state;
	fill(&table);
	for (size_t width = TABLE_WIDTH_LEAST; width < 60; width++) {
		char *text = render(&table, width), *rest = text, *line;
		char squeezed[400];
		size_t n = 0;

		for (const char *p = text; *p; p++)
			if (*p != ' ' && *p != '\n')
				squeezed[n++] = *p;
		squeezed[n] = '\0';
		assert_non_null(strstr(squeezed, "tcp/443to203.0.113.10"));
		assert_non_null(strstr(squeezed, "K\xc3\xbc"
						 "che"));
		while ((line = strsep(&rest, "\n")) != NULL)
			assert_true(text_width(line) <= width);
		free(text);
	}
	table_clear(&table);
}

static void test_numbers(void **state)
{
	char text[TEXT_NUMBER];

	(void)state;
	assert_string_equal(text_number(0, text), "0");
	assert_string_equal(text_number(999, text), "999");
	assert_string_equal(text_number(1000, text), "1,000");
	assert_string_equal(
		text_number(UINT64_MAX, text), "18,446,744,073,709,551,615");
	assert_string_equal(text_bytes(999, text), "999 B");
	assert_string_equal(text_bytes(1500, text), "1.5 kB");
	assert_string_equal(text_bytes(999999, text), "1.0 MB");
	assert_string_equal(text_bytes(UINT64_MAX, text), "18.4 EB");
}

static void test_when(void **state)
{
	char text[WHEN_TEXT];
	const int64_t now = 1795346928;

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_string_equal(when_relative(now, now, text), "just now");
	assert_string_equal(when_relative(now - 5, now, text), "5 s ago");
	assert_string_equal(when_relative(now - 180, now, text), "3 min ago");
	assert_string_equal(
		when_relative(now - 7200, now, text), "2 hours ago");
	assert_string_equal(
		when_relative(now + 3 * 86400, now, text), "in 3 days");
	assert_string_equal(
		when_relative(now - 800 * 86400LL, now, text), "2 years ago");
	assert_string_equal(when_local(0, now, text), "never");
	assert_string_equal(
		when_local(now - 60, now, text), "2026-11-22 11:27 (60 s ago)");
	assert_string_equal(when_utc(now, text), "2026-11-22T11:28:48Z");
	assert_string_equal(when_days(0, text), "today");
	assert_string_equal(when_days(1, text), "in 1 day");
	assert_string_equal(when_days(-2, text), "2 days ago");
	assert_string_equal(when_days(INT32_MIN, text), "2147483648 days ago");
}

static void test_span(void **state)
{
	static const char *const bad[] = {"", "0", "m", "-5", "5x", "5 m",
		"86401", "1441m", "25h", "100000", "5mm", "0h"};
	char text[WHEN_TEXT];
	uint32_t seconds = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(when_parse_span(bad[i], &seconds), -EINVAL);
	assert_int_equal(seconds, 7);
	assert_int_equal(when_parse_span("60", &seconds), 0);
	assert_int_equal(seconds, 60);
	assert_int_equal(when_parse_span("5m", &seconds), 0);
	assert_int_equal(seconds, 300);
	assert_int_equal(when_parse_span("24h", &seconds), 0);
	assert_int_equal(seconds, 86400);
	assert_int_equal(when_parse_span("1s", &seconds), 0);
	assert_int_equal(seconds, 1);
	assert_string_equal(when_span(60, text), "60 s");
	assert_string_equal(when_span(300, text), "5 min");
}

static void test_why_words(void **state)
{
	static const char *const bad[] = {"", "tcp", "tcp/", "tcp/0",
		"tcp/65536", "tcp/1x", "tcp/-1", "gre/1", "icmp/1", "TCP/1",
		"tcp/000001"};
	struct why_answer answer = {0};
	char protocol[8] = "x";
	uint16_t port = 9;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			why_parse_service(bad[i], protocol, &port), -EINVAL);
	assert_string_equal(protocol, "x");
	assert_int_equal(why_parse_service("udp/65535", protocol, &port), 0);
	assert_string_equal(protocol, "udp");
	assert_int_equal(port, 65535);
	assert_int_equal(why_parse_service("icmp", protocol, &port), 0);
	assert_string_equal(protocol, "icmp");
	assert_int_equal(port, 0);
	for (size_t i = 0; i < WHY_PAIRS_MAX + 3; i++)
		why_add(&answer, "key", "text");
	assert_int_equal(answer.n, WHY_PAIRS_MAX);
	assert_string_equal(why_get(&answer, "key"), "text");
	assert_string_equal(why_get(&answer, "other"), "");
	why_clear(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_table_wide),
		cmocka_unit_test(test_table_narrow),
		cmocka_unit_test(test_table_any_width),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_why_words),
	};

	text_set_up();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
