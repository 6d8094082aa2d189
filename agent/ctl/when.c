/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates and distances in time as text; asks no clock. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/when.h"

static const char *distance(int64_t seconds, char *text, size_t size)
{
	static const struct {
		int64_t below, unit;
		const char *one, *many;
	} steps[] = {
		{90, 1, "s", "s"},
		{90 * 60, 60, "min", "min"},
		{36 * 3600, 3600, "hour", "hours"},
		{60 * 86400, 86400, "day", "days"},
		{730 * 86400LL, 30 * 86400, "month", "months"},
		{INT64_MAX, 365 * 86400, "year", "years"},
	};
	size_t i = 0;
	int64_t n;

	while (i + 1 < ARRAY_SIZE(steps) && seconds >= steps[i].below)
		i++;
	n = seconds / steps[i].unit;
	snprintf(text, size, "%lld %s", (long long)n,
		n == 1 ? steps[i].one : steps[i].many);
	return text;
}

const char *when_relative(
	int64_t moment, int64_t now, char text[static WHEN_TEXT])
{
	char far[40];

	if (moment <= now && now - moment < 2)
		snprintf(text, WHEN_TEXT, "just now");
	else if (moment <= now)
		snprintf(text, WHEN_TEXT, "%s ago",
			distance(now - moment, far, sizeof(far)));
	else
		snprintf(text, WHEN_TEXT, "in %s",
			distance(moment - now, far, sizeof(far)));
	return text;
}

const char *when_local(int64_t moment, int64_t now, char text[static WHEN_TEXT])
{
	char date[32] = "?", relative[WHEN_TEXT];
	time_t seconds = (time_t)moment;
	struct tm tm;

	if (moment == 0) {
		snprintf(text, WHEN_TEXT, "never");
		return text;
	}
	if (localtime_r(&seconds, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
	snprintf(text, WHEN_TEXT, "%s (%.50s)", date,
		when_relative(moment, now, relative));
	return text;
}

const char *when_utc(int64_t moment, char text[static WHEN_TEXT])
{
	time_t seconds = (time_t)moment;
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&seconds, &tm))
		strftime(text, WHEN_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

const char *when_days(int32_t days, char text[static WHEN_TEXT])
{
	long long n = days < 0 ? -(long long)days : days;

	if (days == 0)
		snprintf(text, WHEN_TEXT, "today");
	else
		snprintf(text, WHEN_TEXT,
			days > 0 ? "in %lld %s" : "%lld %s ago", n,
			n == 1 ? "day" : "days");
	return text;
}

const char *when_span(uint32_t seconds, char text[static WHEN_TEXT])
{
	return distance(seconds, text, WHEN_TEXT);
}

int when_parse_span(const char *text, uint32_t *ret_seconds)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	uint32_t value = 0, factor = 1;

	if (digits == 0 || digits > 5)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint32_t)(text[i] - '0');
	if (strcmp(unit, "m") == 0)
		factor = 60;
	else if (strcmp(unit, "h") == 0)
		factor = 3600;
	else if (*unit && strcmp(unit, "s") != 0)
		return -EINVAL;
	if (value == 0 || value > 86400 / factor)
		return -EINVAL;
	*ret_seconds = value * factor;
	return 0;
}
