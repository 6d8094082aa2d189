/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates, stages and verdicts of the end of support, at every edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "modules/support/dates.h"
#include "modules/support/judge.h"
#include "modules/support/table.h"

#define DAY 86400
#define BUILT (20000LL * DAY + 5000) /* some moment of some day */
#define TODAY 20100

static void expect_day(const char *text, const char *day)
{
	char found[DATES_TEXT];
	int32_t last = -1;

	assert_int_equal(dates_parse(text, &last), 0);
	assert_string_equal(dates_format(last, found), day);
}

static void test_last_days(void **state)
{
	(void)state;
	expect_day("2027", "2027-12-31");
	expect_day("2028", "2028-12-31");
	expect_day("2027-01", "2027-01-31");
	expect_day("2027-02", "2027-02-28");
	expect_day("2028-02", "2028-02-29");
	expect_day("2100-02", "2100-02-28");
	expect_day("2000-02", "2000-02-29");
	expect_day("2027-04", "2027-04-30");
	expect_day("2027-12", "2027-12-31");
	expect_day("2028-02-29", "2028-02-29");
	expect_day("2027-06-30", "2027-06-30");
	expect_day("2000-01-01", "2000-01-01");
	expect_day("2199-12-31", "2199-12-31");
}

static void test_no_dates(void **state)
{
	static const char *const wrong[] = {"", "20", "202", "20270", "2027-",
		"2027-1", "2027-00", "2027-13", "2027-1a", "2027/01",
		"2027-01-", "2027-01-1", "2027-01-00", "2027-01-32",
		"2027-02-29", "2100-02-29", "2027-04-31", "2027-06/30",
		"2027-06-3O", "27-06-30", "30.06.2027", " 2027", "2027 ",
		"+027", "-027", "1999", "2200", "2027-06-301", "never"};
	int32_t day = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (dates_parse(wrong[i], &day) != -EINVAL)
			fail_msg("\"%s\" is taken for a date", wrong[i]);
	}
	assert_int_equal(day, 77);
}

/* Every day of two centuries against libc. */
static void test_all_days(void **state)
{
	int32_t first = 0, last = 0;

	(void)state;
	assert_int_equal(dates_parse("2000-01-01", &first), 0);
	assert_int_equal(dates_parse("2199-12-31", &last), 0);
	assert_int_equal(first, 10957);
	for (int32_t day = first; day <= last; day++) {
		time_t wall = (time_t)day * DAY;
		char expected[32], text[DATES_TEXT];
		struct tm tm;
		int32_t back;

		strftime(expected, sizeof(expected), "%Y-%m-%d",
			gmtime_r(&wall, &tm));
		assert_string_equal(dates_format(day, text), expected);
		assert_int_equal(dates_parse(text, &back), 0);
		assert_int_equal(back, day);
	}
}

static void test_day_of_moment(void **state)
{
	(void)state;
	assert_int_equal(dates_day_of(0), 0);
	assert_int_equal(dates_day_of(DAY - 1), 0);
	assert_int_equal(dates_day_of(DAY), 1);
	assert_int_equal(dates_day_of(-1), -1);
	assert_int_equal(dates_day_of(-DAY), -1);
	assert_int_equal(dates_day_of(-DAY - 1), -2);
}

static void expect_judgement(
	int32_t days, enum record_support support, unsigned stage)
{
	/* From the first second of the day to its last. */
	for (int i = 0; i < 2; i++) {
		int64_t wall = (int64_t)TODAY * DAY + (i ? DAY - 1 : 0);
		struct judgement judgement = judge_support(
			TODAY + days, wall, BUILT);

		assert_int_equal(judgement.support, support);
		assert_int_equal(judgement.stage, stage);
		assert_int_equal(judgement.days, days);
	}
}

static void test_stages(void **state)
{
	(void)state;
	expect_judgement(10000, RECORD_SUPPORT_SUPPORTED, 0);
	expect_judgement(181, RECORD_SUPPORT_SUPPORTED, 0);
	expect_judgement(180, RECORD_SUPPORT_ENDING, 180);
	expect_judgement(179, RECORD_SUPPORT_ENDING, 180);
	expect_judgement(91, RECORD_SUPPORT_ENDING, 180);
	expect_judgement(90, RECORD_SUPPORT_ENDING, 90);
	expect_judgement(89, RECORD_SUPPORT_ENDING, 90);
	expect_judgement(31, RECORD_SUPPORT_ENDING, 90);
	expect_judgement(30, RECORD_SUPPORT_ENDING, 30);
	expect_judgement(29, RECORD_SUPPORT_ENDING, 30);
	expect_judgement(8, RECORD_SUPPORT_ENDING, 30);
	expect_judgement(7, RECORD_SUPPORT_ENDING, 7);
	expect_judgement(6, RECORD_SUPPORT_ENDING, 7);
	expect_judgement(1, RECORD_SUPPORT_ENDING, 7);
	expect_judgement(0, RECORD_SUPPORT_ENDING, 7);
	expect_judgement(-1, RECORD_SUPPORT_ENDED, 0);
	expect_judgement(-2, RECORD_SUPPORT_ENDED, 0);
	expect_judgement(-9000, RECORD_SUPPORT_ENDED, 0);
}

static void test_clock_not_believed(void **state)
{
	struct judgement judgement;

	(void)state;
	judgement = judge_support(TODAY, BUILT - 1, BUILT);
	assert_int_equal(judgement.support, RECORD_SUPPORT_NO_CLOCK);
	assert_int_equal(judgement.stage, 0);
	assert_int_equal(judgement.days, 0);
	/* Also for what would have ended long ago. */
	judgement = judge_support(0, 0, BUILT);
	assert_int_equal(judgement.support, RECORD_SUPPORT_NO_CLOCK);
	judgement = judge_support(20000, BUILT, BUILT);
	assert_int_equal(judgement.support, RECORD_SUPPORT_ENDING);
}

static void test_next(void **state)
{
	int64_t midnight = (int64_t)TODAY * DAY;

	(void)state;
	assert_int_equal(judge_next_ms(midnight, BUILT), 3600 * 1000);
	assert_int_equal(judge_next_ms(midnight - 3601, BUILT), 3600 * 1000);
	assert_int_equal(judge_next_ms(midnight - 3599, BUILT), 3599 * 1000);
	assert_int_equal(judge_next_ms(midnight - 1, BUILT), 1000);
	assert_int_equal(judge_next_ms(BUILT - 1, BUILT), 60 * 1000);
	assert_int_equal(judge_next_ms(-5, BUILT), 60 * 1000);
}

struct heard {
	struct support_verdict verdicts[8];
	size_t n;
};

static void hear(void *arg, const struct support_verdict *verdict)
{
	struct heard *heard = arg;

	assert_true(heard->n < ARRAY_SIZE(heard->verdicts));
	heard->verdicts[heard->n++] = *verdict;
}

static int add(struct table *table, uint32_t id, const char *ends)
{
	struct support_device device = {.id = id};

	/* Without a NUL when there is no room for one. */
	memcpy(device.ends, ends, strnlen(ends, sizeof(device.ends)));
	return table_add(table, &device);
}

static void judge(struct table *table, int64_t wall, struct heard *heard)
{
	heard->n = 0;
	table_judge(table, wall, BUILT, hear, heard);
}

/* 2025-01-12 is day TODAY. */
static void test_table(void **state)
{
	int64_t wall = (int64_t)TODAY * DAY;
	struct table table = {};
	struct heard heard;

	(void)state;
	table_begin(&table);
	assert_int_equal(add(&table, 3, "2025-01-11"), 0);
	assert_int_equal(add(&table, 9, "2030"), 0);
	judge(&table, wall, &heard);
	assert_int_equal(heard.n, 0); /* not in force yet */
	table_apply(&table);
	judge(&table, wall, &heard);
	assert_int_equal(heard.n, 2);
	assert_int_equal(heard.verdicts[0].id, 3);
	assert_int_equal(heard.verdicts[0].support, RECORD_SUPPORT_ENDED);
	assert_int_equal(heard.verdicts[0].days, -1);
	assert_string_equal(heard.verdicts[0].last_day, "2025-01-11");
	assert_int_equal(heard.verdicts[1].id, 9);
	assert_int_equal(heard.verdicts[1].support, RECORD_SUPPORT_SUPPORTED);
	assert_string_equal(heard.verdicts[1].last_day, "2030-12-31");

	judge(&table, wall + DAY - 1, &heard);
	assert_int_equal(heard.n, 0); /* the same day */
	judge(&table, wall + DAY, &heard);
	assert_int_equal(heard.n, 2);
	judge(&table, BUILT - 1, &heard);
	assert_int_equal(heard.n, 2); /* the clock was set back */
	assert_int_equal(heard.verdicts[0].support, RECORD_SUPPORT_NO_CLOCK);
	judge(&table, BUILT - DAY, &heard);
	assert_int_equal(heard.n, 0);
	table_clear(&table);
}

static void test_table_transaction(void **state)
{
	int64_t wall = (int64_t)TODAY * DAY;
	struct table table = {};
	struct heard heard;

	(void)state;
	table_begin(&table);
	assert_int_equal(add(&table, 1, "2030"), 0);
	table_apply(&table);
	judge(&table, wall, &heard);
	table_begin(&table);
	assert_int_equal(add(&table, 2, "2031"), 0);
	table_begin(&table); /* given up */
	judge(&table, wall, &heard);
	assert_int_equal(heard.n, 0);
	/* A new configuration is told in full, though nothing changed. */
	assert_int_equal(add(&table, 1, "2030"), 0);
	table_apply(&table);
	judge(&table, wall, &heard);
	assert_int_equal(heard.n, 1);
	table_begin(&table);
	table_apply(&table);
	judge(&table, wall + DAY, &heard);
	assert_int_equal(heard.n, 0);
	table_clear(&table);
}

static void test_table_refuses(void **state)
{
	struct table table = {};

	(void)state;
	assert_int_equal(add(&table, 0, "2030"), -EINVAL);
	assert_int_equal(add(&table, 1, ""), -EINVAL);
	assert_int_equal(add(&table, 1, "2030-02-30"), -EINVAL);
	assert_int_equal(add(&table, 1, "2030-02-28xxxxxx"), -EINVAL);
	assert_int_equal(table.wanted.n, 0);
	for (uint32_t id = 1; id <= 1000; id++)
		assert_int_equal(add(&table, id, "2030"), 0);
	assert_int_equal(table.wanted.n, 1000);
	assert_int_equal(table.wanted.rows[999].id, 1000);
	table_clear(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_days),
		cmocka_unit_test(test_no_dates),
		cmocka_unit_test(test_all_days),
		cmocka_unit_test(test_day_of_moment),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_clock_not_believed),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_transaction),
		cmocka_unit_test(test_table_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
