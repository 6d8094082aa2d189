/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a device may, as the configuration says it, and who hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/agent/limits.h"

/* The agent, as simple as it can be. */
struct agent {
	struct state *state;
	struct conf *conf;
	struct loop *loop;
	struct isolation_limit sent;
	unsigned n_sent;
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

int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	assert_string_equal(module, "isolation");
	assert_int_equal(type, ISOLATION_LIMIT);
	assert_int_equal(size, sizeof(agent->sent));
	assert_true(fd < 0);
	memcpy(&agent->sent, message, size);
	agent->n_sent++;
	return 0;
}

static int any(const char *text)
{
	(void)text;
	return 0;
}

static const struct conf_key keys[] = {
	{"rate", limits_check_rate, LIMITS_RATE_EXPECTED, false, ""},
	{"role", any, "", false, ""},
	{"zone", any, "", false, ""},
	{"bandwidth", limits_check_bandwidth, LIMITS_BANDWIDTH_EXPECTED, false,
		""},
};
static const struct conf_schema schemas[] = {
	{"gateway", false, keys, ARRAY_SIZE(keys)},
	{"zone", true, keys, ARRAY_SIZE(keys)},
	{"device", true, keys, ARRAY_SIZE(keys)},
};

static struct conf *parse(const char *text, size_t problems)
{
	const struct conf_schema *list[] = {
		&schemas[0], &schemas[1], &schemas[2]};
	struct conf *conf;

	assert_int_equal(conf_new(list, ARRAY_SIZE(list), &conf), 0);
	assert_int_equal(conf_parse(conf, "test", text, strlen(text)), 0);
	assert_int_equal(conf_problem_count(conf), problems);
	return conf;
}

static void test_rates(void **state)
{
	static const struct {
		const char *text;
		uint32_t rate, seconds;
	} good[] = {
		{"200/s", 200, 1},
		{"1/m", 1, 60},
		{"1000000/s", ISOLATION_RATE_MAX, 1},
		{"unlimited", 0, 1},
	};
	static const char *const bad[] = {"", "200", "0/s", "1000001/s", "-1/s",
		"200/h", "200/s ", "200 /s", "/s", "2e2/s", "200/s/m", "none",
		"11111111111111111111111111111111111111111/s"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint32_t rate = 7, seconds = 7;

		assert_int_equal(
			limits_parse_rate(good[i].text, &rate, &seconds), 0);
		assert_int_equal(rate, good[i].rate);
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint32_t rate = 7, seconds = 7;

		if (limits_parse_rate(bad[i], &rate, &seconds) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_true(rate == 7 && seconds == 7);
		assert_true(limits_check_rate(bad[i]) < 0);
	}
}

static void test_bandwidths(void **state)
{
	static const struct {
		const char *text;
		uint64_t up, down;
	} good[] = {
		{"2mbit", 250000, 250000},
		{"64kbit", ISOLATION_BANDWIDTH_MIN, ISOLATION_BANDWIDTH_MIN},
		{"10gbit", ISOLATION_BANDWIDTH_MAX, ISOLATION_BANDWIDTH_MAX},
		{"up 500kbit down 2mbit", 62500, 250000},
		{"down 2mbit up 500kbit", 62500, 250000},
		{"up 500kbit", 62500, 0},
		{"down 1gbit", 0, 125000000},
	};
	static const char *const bad[] = {"", "2", "2mb", "2 mbit", "mbit",
		"63kbit", "11gbit", "0mbit", "-2mbit", "2.5mbit", "up",
		"up 2mbit up 2mbit", "2mbit 2mbit", "2mbit down 2mbit",
		"up 2mbit 2mbit", "up down 2mbit", "sideways 2mbit",
		"18446744073709551616kbit", "147573952589676412929kbit",
		"up 2mbit down 2mbit up 2mbit"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint64_t up = 7, down = 7;

		if (limits_parse_bandwidth(good[i].text, &up, &down) < 0)
			fail_msg("'%s' was refused", good[i].text);
		assert_int_equal(up, good[i].up);
		assert_int_equal(down, good[i].down);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t up = 7, down = 7;

		if (limits_parse_bandwidth(bad[i], &up, &down) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_true(up == 7 && down == 7);
		assert_true(limits_check_bandwidth(bad[i]) < 0);
	}
}

static void assert_rate(const char *text, uint32_t rate, uint32_t seconds)
{
	struct conf *conf = parse(text, 0);
	struct isolation_limit limit;

	limits_of(conf, conf_find(conf, "device", "a"), &limit);
	assert_int_equal(limit.rate, rate);
	assert_int_equal(limit.seconds, seconds);
	conf_free(conf);
}

/* The device's own line, its zone's, the gateway's, ours. */
static void test_nearest(void **state)
{
	(void)state;
	assert_rate("[device a]\n", ISOLATION_RATE_DEFAULT, 1);
	assert_rate("[gateway]\nrate = 5/m\n[device a]\n", 5, 60);
	assert_rate("[gateway]\nrate = 5/m\n[zone z]\nrate = 6/s\n"
		    "[device a]\n",
		6, 1);
	assert_rate("[zone z]\nrate = 6/s\n[device a]\nrate = 9/m\n", 9, 60);
	assert_rate(
		"[zone z]\nrate = 6/s\n[device a]\nrate = unlimited\n", 0, 1);
	/* Not what the owner's own network has. */
	assert_rate("[zone o]\nrole = owner\nrate = 900/s\n"
		    "[zone z]\nrate = 6/s\n[device a]\n",
		6, 1);
}

static void test_several_zones(void **state)
{
	(void)state;
	assert_rate("[zone y]\nrate = 6/s\n[zone z]\nrate = 300/m\n"
		    "[device a]\n",
		6, 1);
	assert_rate("[zone y]\nrate = 6/s\n[zone z]\nrate = 361/m\n"
		    "[device a]\n",
		361, 60);
	assert_rate("[zone y]\nrate = unlimited\n[zone z]\nrate = 6/s\n"
		    "[device a]\n",
		0, 1);
	/* One that says nothing has the gateway's. */
	assert_rate("[zone y]\nrate = 6/s\n[zone z]\n[device a]\n",
		ISOLATION_RATE_DEFAULT, 1);
	/* The one that the device names, be it the least. */
	assert_rate("[zone y]\nrate = unlimited\n[zone z]\nrate = 6/s\n"
		    "[device a]\nzone = z\n",
		6, 1);
	assert_rate("[gateway]\nrate = 7/s\n[zone y]\nrate = 9/s\n[zone z]\n"
		    "[device a]\nzone = z\n",
		7, 1);
}

static void test_sent(void **state)
{
	struct agent agent = {
		.conf = parse(
			"[device a]\nrate = 3/m\nbandwidth = up 64kbit\n", 0)};

	(void)state;
	assert_int_equal(limits_send(&agent, agent.conf,
				 conf_find(agent.conf, "device", "a"), 12),
		0);
	assert_int_equal(agent.n_sent, 1);
	assert_int_equal(agent.sent.device, 12);
	assert_int_equal(agent.sent.rate, 3);
	assert_int_equal(agent.sent.up, 8000);
	assert_int_equal(agent.sent.down, 0);
	conf_free(agent.conf);
}

static void add_device(struct agent *agent, uint32_t id, uint8_t mode)
{
	struct record_device record = {.id = id, .mode = mode};

	record.mac.b[5] = (uint8_t)id;
	record.mac.b[4] = (uint8_t)(id >> 8);
	snprintf(record.name, sizeof(record.name), "thing%u", id);
	assert_int_equal(state_put_device(agent->state, &record), 0);
}

static unsigned count_warnings(const struct agent *agent, const char **ret_text)
{
	const struct record_warning *w;
	unsigned n = 0;

	for (uint32_t id = 0;
		(w = state_warning_after(agent->state, id)) != NULL;
		id = w->id, n++)
		*ret_text = w->text;
	return n;
}

/* One for all tests: what was tested keeps its timer in it. */
static struct loop *the_loop(void)
{
	static struct loop *loop;

	if (!loop)
		assert_int_equal(loop_new(&loop), 0);
	return loop;
}

static int begin(void **unused)
{
	static struct agent agent;

	memset(&agent, 0, sizeof(agent));
	agent.conf = parse("[device a]\nrate = 30/m\n", 0);
	conf_set_id(agent.conf, conf_find(agent.conf, "device", "a"), 1);
	agent.loop = the_loop();
	assert_int_equal(state_new(&agent.state), 0);
	*unused = &agent;
	return 0;
}

static int end(void **unused)
{
	struct agent *agent = *unused;

	limits_sweep(agent->state, INT64_MAX);
	agent->conf = conf_free(agent->conf);
	agent->state = state_free(agent->state);
	return 0;
}

/* One warning for all of an episode; after it the next is news. */
static void test_episode(void **state)
{
	struct agent *agent = *state;
	struct isolation_over over = {.device = 1, .packets = 10};
	const char *text = NULL;

	add_device(agent, 1, RECORD_MODE_ENFORCE);
	limits_over(agent, &over);
	assert_int_equal(count_warnings(agent, &text), 1);
	assert_non_null(strstr(text, "thing1"));
	assert_non_null(strstr(text, "30 connections a minute"));
	assert_non_null(strstr(text, "refused"));
	over.packets = 20;
	limits_over(agent, &over);
	assert_int_equal(count_warnings(agent, &text), 1);
	assert_int_equal(limits_sweep(agent->state, clock_ms()), 1);
	assert_int_equal(count_warnings(agent, &text), 1);
	assert_int_equal(
		limits_sweep(agent->state, clock_ms() + LIMITS_QUIET_MS + 1),
		0);
	assert_int_equal(count_warnings(agent, &text), 0);
	limits_over(agent, &over);
	assert_int_equal(count_warnings(agent, &text), 1);
}

static void test_observed_says_so(void **state)
{
	struct agent *agent = *state;
	struct isolation_over over = {.device = 2, .packets = 1};
	const char *text = NULL;

	add_device(agent, 2, RECORD_MODE_OBSERVE);
	limits_over(agent, &over);
	assert_int_equal(count_warnings(agent, &text), 1);
	assert_non_null(strstr(text, "all of it passed"));
}

static const char *explained(const struct conf *conf, bool observed)
{
	static char text[512];

	limits_explain(conf, conf_find(conf, "device", "a"), 1, observed, text,
		sizeof(text));
	return text;
}

/* With the line it comes from, and what is reached. */
static void test_explained(void **state)
{
	struct agent *agent = *state;
	struct isolation_over over = {.device = 1, .packets = 10};
	struct conf *conf = parse("[zone z]\nrate = 6/s\n[device a]\n"
				  "bandwidth = up 64kbit\n",
		0);

	assert_string_equal(explained(agent->conf, false),
		"30 new connections a minute (test:2: rate = 30/m), 1024 at "
		"once");
	assert_string_equal(explained(conf, false),
		"6 new connections a second (test:2: rate = 6/s), 1024 at "
		"once; its bandwidth (test:4: bandwidth = up 64kbit)");
	conf_free(conf);
	conf = parse("[device a]\n", 0);
	assert_string_equal(explained(conf, false),
		"200 new connections a second (nobody says otherwise), 1024 "
		"at once");
	conf_free(conf);
	add_device(agent, 1, RECORD_MODE_ENFORCE);
	limits_over(agent, &over);
	assert_non_null(strstr(explained(agent->conf, false),
		". It is over its connections now: what is more is refused"));
	assert_non_null(strstr(explained(agent->conf, true),
		". It is over its connections now: what is more passes"));
	assert_null(strstr(explained(agent->conf, true), "over its bandwidth"));
	over.bandwidth = 1;
	limits_over(agent, &over);
	assert_non_null(
		strstr(explained(agent->conf, false), "over its bandwidth"));
	assert_true(limits_is_over(1, true, clock_ms()));
	assert_false(limits_is_over(1, true, clock_ms() + LIMITS_NOW_MS));
	assert_false(limits_is_over(2, true, clock_ms()));
}

/* Somebody who is not there is nobody's warning. */
static void test_unknown(void **state)
{
	struct agent *agent = *state;
	struct isolation_over over = {.device = 77, .packets = 1};
	const char *text = NULL;

	limits_over(agent, &over);
	assert_int_equal(count_warnings(agent, &text), 0);
}

/* Many at once do not fill the list of warnings. */
static void test_episodes_limit(void **state)
{
	struct agent *agent = *state;
	const char *text = NULL;

	for (uint32_t id = 1; id <= LIMITS_EPISODES_MAX + 3; id++) {
		struct isolation_over over = {.device = id, .packets = 1};

		add_device(agent, id, RECORD_MODE_ENFORCE);
		limits_over(agent, &over);
	}
	assert_int_equal(count_warnings(agent, &text), LIMITS_EPISODES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_bandwidths),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_several_zones),
		cmocka_unit_test(test_sent),
		TEST(test_episode),
		TEST(test_observed_says_so),
		TEST(test_explained),
		TEST(test_unknown),
		TEST(test_episodes_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
