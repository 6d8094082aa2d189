/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates to days and back, without a time zone and without libc's. Pure. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "modules/support/dates.h"

#define SECONDS_A_DAY 86400

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Leap years from the year 1 up to and with this one. */
static int leaps_until(int year)
{
	return year / 4 - year / 100 + year / 400;
}

static int32_t first_of_year(int year)
{
	return (year - 1970) * 365 + leaps_until(year - 1) - leaps_until(1969);
}

/* Reads exactly n digits; -1 when there are fewer. */
static int read_digits(const char *text, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

int dates_parse(const char *text, int32_t *ret_last_day)
{
	size_t n = strlen(text);
	int year, month = 12, day;
	int32_t last;

	if (n != 4 && n != 7 && n != 10)
		return -EINVAL;
	year = read_digits(text, 4);
	if (year < DATES_YEAR_LEAST || year > DATES_YEAR_MOST)
		return -EINVAL;
	if (n > 4)
		month = text[4] == '-' ? read_digits(text + 5, 2) : -1;
	if (month < 1 || month > 12)
		return -EINVAL;
	day = days_in_month(year, month);
	if (n > 7) {
		int given = text[7] == '-' ? read_digits(text + 8, 2) : -1;

		if (given < 1 || given > day)
			return -EINVAL;
		day = given;
	}
	last = first_of_year(year) + day - 1;
	for (int m = 1; m < month; m++)
		last += days_in_month(year, m);
	*ret_last_day = last;
	return 0;
}

const char *dates_format(int32_t day, char text[static DATES_TEXT])
{
	int year = 1970 + day / 366, month = 1;

	while (first_of_year(year + 1) <= day)
		year++;
	day -= first_of_year(year);
	while (day >= days_in_month(year, month))
		day -= days_in_month(year, month++);
	memset(text, 0, DATES_TEXT);
	/* The remainders change nothing; they show that the text fits. */
	snprintf(text, DATES_TEXT, "%04d-%02d-%02d", year % 10000, month,
		(int)day % 31 + 1);
	return text;
}

int32_t dates_day_of(int64_t wall)
{
	int64_t day = wall / SECONDS_A_DAY;

	if (wall % SECONDS_A_DAY < 0)
		day--;
	return (int32_t)day;
}
