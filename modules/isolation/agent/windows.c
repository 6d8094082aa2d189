/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hours of devices: their words, and what they mean at a moment. Reads
 * checked configuration and the local time only; must never hold a window
 * open when it cannot tell the time.
 */
#include "modules/isolation/agent/windows.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/lib/loop.h"

#define MINUTES_A_DAY (24 * 60)
#define DAYS 7
#define WORD_MAX 64

static int parse_day(const char *text, size_t n, int *ret_day)
{
	static const char *const names[DAYS] = {
		"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	for (int day = 0; day < DAYS; day++)
		if (n == 3 && !strncmp(text, names[day], n)) {
			*ret_day = day;
			return 0;
		}
	return -EINVAL;
}

/* One day or day-day, which may run over the end of the week. */
static int parse_days_part(const char *text, size_t n, uint8_t *days)
{
	const char *dash = memchr(text, '-', n);
	size_t first = dash ? (size_t)(dash - text) : n;
	int from, to;

	if (parse_day(text, first, &from) < 0)
		return -EINVAL;
	to = from;
	if (dash && parse_day(dash + 1, n - first - 1, &to) < 0)
		return -EINVAL;
	for (int day = from;; day = (day + 1) % DAYS) {
		*days |= (uint8_t)(1 << day);
		if (day == to)
			return 0;
	}
}

static int parse_days(const char *text, uint8_t *days)
{
	const uint8_t all = (1 << DAYS) - 1;

	if (*days == all)
		return -EINVAL; /* what could be meant by more? */
	if (!strcmp(text, "daily") && !*days) {
		*days = all;
		return 0;
	}
	return parse_days_part(text, strlen(text), days);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* HH:MM, exactly; 24:00 is the end of the day. */
static int parse_time(const char *text, uint16_t *ret_minute)
{
	int hour, minute;

	if (!is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' ||
		!is_digit(text[3]) || !is_digit(text[4]))
		return -EINVAL;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	if (minute > 59 || hour * 60 + minute > MINUTES_A_DAY)
		return -EINVAL;
	*ret_minute = (uint16_t)(hour * 60 + minute);
	return 0;
}

/* Equal ends would be nothing to one reader and all day to another. */
static int parse_hours(const char *text, struct window *window)
{
	if (strlen(text) != 11 || text[5] != '-' ||
		parse_time(text, &window->from) < 0 ||
		parse_time(text + 6, &window->to) < 0)
		return -EINVAL;
	return window->from == window->to || window->from == MINUTES_A_DAY
		       ? -EINVAL
		       : 0;
}

/* Days, behind each other or with commas, and last the hours. */
int windows_parse(const char *text, struct window *ret_window)
{
	struct window window = {0};
	char word[WORD_MAX];

	while (conf_next_word(&text, word, sizeof(word)) == 1) {
		char more[WORD_MAX];
		const char *rest = text;

		if (is_digit(word[0])) {
			if (!window.days || parse_hours(word, &window) < 0 ||
				conf_next_word(&rest, more, sizeof(more)) != 0)
				return -EINVAL;
			*ret_window = window;
			return 0;
		}
		if (parse_days(word, &window.days) < 0)
			return -EINVAL;
	}
	return -EINVAL;
}

int windows_check_text(const char *text)
{
	struct window window;

	return windows_parse(text, &window);
}

static bool is_open(const struct window *w, int weekday, int minute)
{
	bool today = w->days & 1 << weekday;
	bool yesterday = w->days & 1 << (weekday + DAYS - 1) % DAYS;

	if (w->from < w->to)
		return today && minute >= w->from && minute < w->to;
	return (today && minute >= w->from) || (yesterday && minute < w->to);
}

bool windows_open_at(
	const struct window *windows, size_t n, int weekday, int minute)
{
	for (size_t i = 0; i < n; i++)
		if (is_open(&windows[i], weekday, minute))
			return true;
	return false;
}

/* False: no such time. */
static bool local(int64_t moment, struct tm *ret_tm)
{
	time_t t = (time_t)moment;

	return localtime_r(&t, ret_tm) != NULL;
}

static bool open_at(const struct window *windows, size_t n, int64_t moment)
{
	struct tm tm;

	return local(moment, &tm) && windows_open_at(windows, n, tm.tm_wday,
					     tm.tm_hour * 60 + tm.tm_min);
}

int64_t windows_next(const struct window *windows, size_t n, int64_t now)
{
	bool open = open_at(windows, n, now);
	struct tm tm;
	int64_t t;

	if (!local(now, &tm))
		return -1;
	for (t = now + 60 - tm.tm_sec; t <= now + WINDOWS_AHEAD_S; t += 60)
		if (open_at(windows, n, t) != open)
			return t;
	return -1;
}

static size_t read_all(
	const struct conf_section *device, struct window windows[WINDOWS_EACH])
{
	size_t n = 0;

	for (const struct conf_value *v = conf_get(device, "when");
		v && n < WINDOWS_EACH; v = conf_get_next(v))
		if (windows_parse(v->text, &windows[n]) == 0)
			n++;
	return n;
}

void windows_check(struct conf *conf)
{
	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d)) {
		const struct conf_value *v = conf_get(d, "when");
		size_t n = 0;

		for (; v && n < WINDOWS_EACH; n++)
			v = conf_get_next(v);
		if (v)
			conf_complain(conf, v->file, v->line,
				"when: more than %d of one device",
				WINDOWS_EACH);
	}
}

bool windows_has(const struct conf_section *device)
{
	return conf_get(device, "when") != NULL;
}

bool windows_open(const struct conf_section *device)
{
	struct window windows[WINDOWS_EACH];
	int64_t now = clock_wall();
	size_t n;

	if (!windows_has(device))
		return true;
	n = read_all(device, windows);
	return now >= BUILD_TIME && open_at(windows, n, now);
}
