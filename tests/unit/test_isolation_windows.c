/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hours of devices: their words, the local time, and when something changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lib/loop.h"
#include "agent/lib/worker.h"
#include "modules/isolation/agent/windows.h"

/* Rules of central Europe, without asking for a database. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define HOUR 3600

/* The agent, as simple as it can be. */
struct agent {
	struct state *state;
	struct conf *conf;
	struct loop *loop;
	unsigned refreshed;
};

struct state *agent_state(struct agent *agent)
{
	return agent->state;
}

const struct conf *agent_conf(struct agent *agent)
{
	return agent->conf;
}

struct loop *agent_loop(struct agent *agent)
{
	return agent->loop;
}

void agent_refresh(struct agent *agent)
{
	agent->refreshed++;
}

static void test_words(void **state)
{
	static const struct {
		const char *text;
		uint8_t days;
		uint16_t from, to;
	} good[] = {
		{"mon-fri 07:00-22:00", 0x3e, 420, 1320},
		{"daily 00:00-24:00", 0x7f, 0, 1440},
		{"sat,sun 22:00-06:00", 0x41, 1320, 360},
		{"fri-mon 00:01-00:02", 0x63, 1, 2},
		{"wed 23:59-24:00", 0x08, 1439, 1440},
		{"mon,mon-tue 10:00-09:59", 0x06, 600, 599},
		{"sun-sat 10:00-11:00", 0x7f, 600, 660},
		{"mon, tue wed-thu 10:00-11:00", 0x1e, 600, 660},
	};
	static const char *const bad[] = {"", "daily", "07:00-22:00",
		"mon 7:00-22:00", "mon 07:00-22:60", "mon 24:01-22:00",
		"mon 24:00-22:00", "mon 07:00 - 22:00", "mon 07:00-07:00",
		"mon-  07:00-22:00", "mo 07:00-22:00", "monday 07:00-22:00",
		"MON 07:00-22:00", "mon- 07:00-22:00", "-mon 07:00-22:00",
		", 07:00-22:00", "mon-tue-wed 07:00-22:00",
		"daily,mon 07:00-22:00", "mon,daily 07:00-22:00",
		"mon 07:00-22:00 x", "mon 07:00-22:00 tue",
		"mon 07:00-08:00 09:00-10:00", "mon 0700-2200",
		"mon 07:00-22:00:00", "mon +7:00-22:00", "mon 07:00/22:00"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct window w = {0};

		if (windows_parse(good[i].text, &w) < 0)
			fail_msg("'%s' was refused", good[i].text);
		assert_int_equal(w.days, good[i].days);
		assert_int_equal(w.from, good[i].from);
		assert_int_equal(w.to, good[i].to);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct window w = {.days = 9};

		if (windows_parse(bad[i], &w) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(w.days, 9);
		assert_true(windows_check_text(bad[i]) < 0);
	}
}

static struct window window(const char *text)
{
	struct window w;

	assert_int_equal(windows_parse(text, &w), 0);
	return w;
}

/* Each minute of a week, against the plainest reading of the words. */
static void test_open(void **state)
{
	const struct window day = window("mon-fri 07:00-22:00");
	const struct window night = window("sat 22:00-06:00");

	(void)state;
	for (int wday = 0; wday < 7; wday++) {
		for (int m = 0; m < 1440; m++) {
			bool work = wday >= 1 && wday <= 5;
			bool late = (wday == 6 && m >= 1320) ||
				    (wday == 0 && m < 360);
			const struct window both[] = {day, night};

			assert_int_equal(windows_open_at(&day, 1, wday, m),
				work && m >= 420 && m < 1320);
			assert_int_equal(
				windows_open_at(&night, 1, wday, m), late);
			assert_int_equal(windows_open_at(both, 2, wday, m),
				late || (work && m >= 420 && m < 1320));
			assert_false(windows_open_at(both, 0, wday, m));
		}
	}
}

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static int64_t at(int month, int day, int hour, int minute, int second)
{
	struct tm tm = {.tm_year = 2026 - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second,
		.tm_isdst = -1};

	return mktime(&tm);
}

static void assert_next(const char *text, int64_t now, int64_t then)
{
	struct window w = window(text);

	assert_int_equal(windows_next(&w, 1, now), then);
}

/* 2026-11-22 is a Sunday. */
static void test_next(void **state)
{
	(void)state;
	set_zone(BERLIN);
	assert_next("mon-fri 07:00-22:00", at(11, 22, 12, 0, 0),
		at(11, 23, 7, 0, 0));
	assert_next("mon-fri 07:00-22:00", at(11, 23, 6, 59, 59),
		at(11, 23, 7, 0, 0));
	assert_next("mon-fri 07:00-22:00", at(11, 23, 7, 0, 0),
		at(11, 23, 22, 0, 0));
	assert_next("mon-fri 07:00-22:00", at(11, 27, 22, 0, 0),
		at(11, 30, 7, 0, 0));
	assert_next(
		"sat 22:00-06:00", at(11, 22, 5, 30, 30), at(11, 22, 6, 0, 0));
	assert_next(
		"sun 12:00-12:01", at(11, 22, 12, 1, 0), at(11, 29, 12, 0, 0));
	assert_next("daily 00:00-24:00", at(11, 22, 12, 0, 0), -1);
}

/* The night in which 02:00 to 03:00 does not exist. */
static void test_summer_begins(void **state)
{
	int64_t midnight;

	(void)state;
	set_zone(BERLIN);
	midnight = at(3, 29, 0, 0, 0);
	assert_next("sun 02:30-03:30", midnight, midnight + 2 * HOUR);
	assert_next("sun 02:30-03:30", midnight + 2 * HOUR,
		midnight + 2 * HOUR + HOUR / 2);
	/* All of it is in the hour that is not: not at all. */
	assert_next("sun 02:10-02:50", midnight, at(4, 5, 2, 10, 0));
}

/* The night in which it exists twice. */
static void test_summer_ends(void **state)
{
	int64_t midnight;

	(void)state;
	set_zone(BERLIN);
	midnight = at(10, 25, 0, 0, 0);
	assert_next("sun 02:30-02:45", midnight, midnight + 5 * HOUR / 2);
	assert_next("sun 02:30-02:45", midnight + 11 * HOUR / 4,
		midnight + 7 * HOUR / 2);
	assert_next("sun 02:30-03:30", midnight + 5 * HOUR / 2,
		midnight + 3 * HOUR);
}

/* Zones that are no whole hours, or minutes, away. */
static void test_odd_zones(void **state)
{
	(void)state;
	set_zone("NPT-5:45");
	assert_next(
		"daily 07:00-22:00", at(11, 22, 6, 0, 1), at(11, 22, 7, 0, 0));
	set_zone("ODD+1:23:45");
	assert_next("daily 07:00-22:00", at(11, 22, 6, 59, 58),
		at(11, 22, 7, 0, 0));
	assert_int_equal(at(11, 22, 7, 0, 0) % 60, 45);
}

static const struct conf_key keys[] = {
	{"when", windows_check_text, WINDOWS_EXPECTED, true, ""},
};
static const struct conf_schema schema = {
	"device", true, keys, ARRAY_SIZE(keys)};

static struct conf *parse(const char *text)
{
	const struct conf_schema *list[] = {&schema};
	struct conf *conf;
	uint32_t id = 0;

	assert_int_equal(conf_new(list, 1, &conf), 0);
	assert_int_equal(conf_parse(conf, "test", text, strlen(text)), 0);
	assert_int_equal(conf_problem_count(conf), 0);
	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d))
		conf_set_id(conf, d, ++id);
	return conf;
}

/* One for all tests: what was tested keeps its timer in it. */
static struct loop *the_loop(void)
{
	static struct loop *loop;

	if (!loop)
		assert_int_equal(loop_new(&loop), 0);
	return loop;
}

static int begin(void **state)
{
	static struct agent agent;

	memset(&agent, 0, sizeof(agent));
	set_zone(BERLIN);
	agent.conf = parse("[device always]\n"
			   "[device work]\nwhen = mon-fri 07:00-22:00\n"
			   "when = sun 10:00-11:00\n"
			   "[device night]\nwhen = daily 22:00-06:00\n");
	agent.loop = the_loop();
	assert_int_equal(state_new(&agent.state), 0);
	*state = &agent;
	return 0;
}

static int end(void **state)
{
	struct agent *agent = *state;

	agent->conf = conf_free(agent->conf);
	agent->state = state_free(agent->state);
	clock_set_wall(-1);
	return 0;
}

static bool is_open(const struct agent *agent, const char *name)
{
	return windows_open(conf_find(agent->conf, "device", name));
}

/* Years ahead of the build, on the same days of the week. */
static int64_t later(int day, int hour, int minute)
{
	return at(11, day, hour, minute, 0) + 364ll * 10 * 24 * HOUR;
}

static void test_devices(void **state)
{
	struct agent *agent = *state;

	set_zone("UTC0"); /* no summer time on the way */
	clock_set_wall(later(23, 8, 0));
	assert_true(is_open(agent, "always"));
	assert_true(is_open(agent, "work"));
	assert_false(is_open(agent, "night"));
	clock_set_wall(later(22, 10, 30));
	assert_true(is_open(agent, "work"));
	clock_set_wall(later(22, 11, 0));
	assert_false(is_open(agent, "work"));
	clock_set_wall(later(22, 23, 0));
	assert_true(is_open(agent, "night"));
}

/* What configure() of the module does. */
static void configure(struct agent *agent)
{
	windows_heard(WORKER_BEGIN);
	for (const struct conf_section *d =
			conf_next(agent->conf, "device", NULL);
		d; d = conf_next(agent->conf, "device", d))
		if (windows_has(d))
			windows_sent(d->id, windows_open(d));
	windows_heard(WORKER_COMMIT);
}

static bool warned(const struct agent *agent)
{
	return state_warning_after(agent->state, 0) != NULL;
}

/* A clock that nobody has set opens nothing; once set, it does. */
static void test_no_clock(void **state)
{
	struct agent *agent = *state;

	set_zone("UTC0");
	/* 1970-01-05 08:00 is a Monday. */
	clock_set_wall(4 * 24 * HOUR + 8 * HOUR);
	assert_true(is_open(agent, "always"));
	assert_false(is_open(agent, "work"));
	configure(agent);
	windows_applied(agent);
	assert_true(warned(agent));
	windows_look(agent);
	assert_int_equal(agent->refreshed, 0);
	clock_set_wall(later(23, 8, 0));
	windows_look(agent);
	assert_int_equal(agent->refreshed, 1);
	assert_false(warned(agent));
}

/* It goes on until it is in force, and then there is peace. */
static void test_look(void **state)
{
	struct agent *agent = *state;

	set_zone("UTC0");
	clock_set_wall(later(23, 21, 59));
	configure(agent);
	windows_applied(agent);
	windows_look(agent);
	assert_int_equal(agent->refreshed, 0);
	clock_set_wall(later(23, 22, 0));
	windows_look(agent);
	windows_look(agent);
	assert_int_equal(agent->refreshed, 2);
	configure(agent);
	windows_look(agent);
	assert_int_equal(agent->refreshed, 3);
	windows_applied(agent);
	windows_look(agent);
	assert_int_equal(agent->refreshed, 3);
	/* Somebody sets the clock back. */
	clock_set_wall(later(23, 12, 0));
	windows_look(agent);
	assert_int_equal(agent->refreshed, 4);
}

/* What was refused, or sent to somebody else, is not in force. */
static void test_not_taken(void **state)
{
	struct agent *agent = *state;

	set_zone("UTC0");
	clock_set_wall(later(23, 12, 0));
	configure(agent);
	windows_applied(agent);
	clock_set_wall(later(23, 23, 0));
	configure(agent);
	windows_heard(WORKER_ABORT);
	windows_applied(agent);
	windows_look(agent);
	assert_int_equal(agent->refreshed, 1);
	windows_sent(2, false);
	windows_sent(3, true);
	windows_applied(agent);
	windows_look(agent);
	assert_int_equal(agent->refreshed, 2);
}

static void test_limit(void **state)
{
	char text[1024] = "[device a]\n";
	struct conf *conf;

	(void)state;
	for (int i = 0; i <= WINDOWS_EACH; i++) {
		strncat(text, "when = daily 07:00-08:00\n",
			sizeof(text) - strlen(text) - 1);
		conf = parse(text);
		windows_check(conf);
		assert_int_equal(
			conf_problem_count(conf), i == WINDOWS_EACH ? 1 : 0);
		conf_free(conf);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_summer_begins),
		cmocka_unit_test(test_summer_ends),
		cmocka_unit_test(test_odd_zones),
		cmocka_unit_test(test_limit),
		TEST(test_devices),
		TEST(test_no_clock),
		TEST(test_look),
		TEST(test_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
