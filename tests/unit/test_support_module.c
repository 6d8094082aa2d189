/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of the end of support: configuration and verdicts in,
 * records and warnings out, with an agent that is made up here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/lib/module.h"
#include "modules/support/support_proto.h"

extern const struct module support_module;

struct agent {
	struct state *state;
	struct conf *conf;
	struct support_device sent[8];
	size_t n_sent;
	int send_result;
	size_t told; /* warnings, new or changed */
};

struct state *agent_state(struct agent *agent)
{
	return agent->state;
}

uint32_t agent_device_id(
	const struct conf *conf, const struct conf_section *device)
{
	(void)conf;
	return device->id;
}

int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	assert_string_equal(module, "support");
	assert_int_equal(type, SUPPORT_DEVICE);
	assert_int_equal(size, sizeof(struct support_device));
	assert_int_equal(fd, -1);
	assert_true(agent->n_sent < ARRAY_SIZE(agent->sent));
	agent->sent[agent->n_sent++] = *(const struct support_device *)message;
	return agent->send_result;
}

static void count_warning(void *arg, const struct record_warning *warning)
{
	struct agent *agent = arg;

	(void)warning;
	agent->told++;
}

static int setup(void **state)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct state_observer observer = {
		.warning = count_warning, .arg = agent};

	if (state_new(&agent->state) < 0)
		return -1;
	state_observe(agent->state, &observer);
	*state = agent;
	return 0;
}

/* An empty configuration makes the module forget everything. */
static void load(struct agent *agent, const char *text)
{
	static const struct conf_schema *schemas[1];
	const struct conf_section *device = NULL;
	uint32_t id = 0;

	conf_free(agent->conf);
	schemas[0] = &support_module.schemas[0];
	assert_int_equal(conf_new(schemas, 1, &agent->conf), 0);
	assert_int_equal(conf_parse(agent->conf, "t", text, strlen(text)), 0);
	assert_int_equal(conf_problem_count(agent->conf), 0);
	while ((device = conf_next(agent->conf, "device", device))) {
		struct record_device record = {.id = ++id};

		conf_set_id(agent->conf, device, id);
		if (state_device(agent->state, id))
			continue;
		snprintf(record.name, sizeof(record.name), "%s", device->name);
		assert_int_equal(state_put_device(agent->state, &record), 0);
	}
	agent->n_sent = 0;
	assert_int_equal(support_module.configure(agent, agent->conf), 0);
	support_module.applied(agent, agent->conf);
}

static int teardown(void **state)
{
	struct agent *agent = *state;

	load(agent, "");
	conf_free(agent->conf);
	state_free(agent->state);
	free(agent);
	return 0;
}

static int hear(struct agent *agent, const struct support_verdict *verdict)
{
	return support_module.routes[0].handle(agent, verdict, -1);
}

static void say(struct agent *agent, uint32_t id, enum record_support support,
	unsigned stage, int32_t days, const char *last_day)
{
	struct support_verdict verdict = {.id = id,
		.support = (uint8_t)support,
		.stage = (uint16_t)stage,
		.days = days};

	strncpy(verdict.last_day, last_day, sizeof(verdict.last_day) - 1);
	assert_int_equal(hear(agent, &verdict), 0);
}

static const struct record_warning *only_warning(struct agent *agent)
{
	const struct record_warning *w = state_warning_after(agent->state, 0);

	assert_true(!w || !state_warning_after(agent->state, w->id));
	return w;
}

static void test_key(void **state)
{
	const struct conf_key *key = &support_module.schemas[0].keys[0];

	(void)state;
	assert_string_equal(key->name, "support-ends");
	assert_int_equal(key->check("2027-06"), 0);
	assert_int_equal(key->check("06/2027"), -EINVAL);
}

static void test_configure(void **state)
{
	struct agent *agent = *state;

	load(agent, "[device a]\nsupport-ends = 2027-06\n"
		    "[device b]\n"
		    "[device c]\nsupport-ends = 2030\n");
	assert_int_equal(agent->n_sent, 2);
	assert_int_equal(agent->sent[0].id, 1);
	assert_string_equal(agent->sent[0].ends, "2027-06");
	assert_int_equal(agent->sent[1].id, 3);
	agent->n_sent = 0;
	agent->send_result = -ENOENT;
	assert_int_equal(support_module.configure(agent, agent->conf), 0);
	agent->n_sent = 0;
	agent->send_result = -ENOBUFS;
	assert_int_equal(
		support_module.configure(agent, agent->conf), -ENOBUFS);
	agent->n_sent = 0;
}

static void test_no_date_no_warning(void **state)
{
	struct agent *agent = *state;
	const struct record_device *record;

	load(agent, "[device a]\n");
	record = state_device(agent->state, 1);
	assert_int_equal(record->support, RECORD_SUPPORT_UNKNOWN);
	assert_string_equal(record->support_ends, "");
	assert_null(only_warning(agent));
}

static void test_verdict_after_applied(void **state)
{
	struct agent *agent = *state;
	const struct record_device *record;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	record = state_device(agent->state, 1);
	assert_string_equal(record->support_ends, "2027-06");
	assert_int_equal(record->support, RECORD_SUPPORT_UNKNOWN);
	say(agent, 1, RECORD_SUPPORT_SUPPORTED, 0, 500, "2027-06-30");
	assert_int_equal(record->support, RECORD_SUPPORT_SUPPORTED);
	assert_int_equal(record->support_days, 500);
	assert_null(only_warning(agent));
}

/* A reload may give a device a date and its verdict before its record. */
static void test_verdict_before_applied(void **state)
{
	struct agent *agent = *state;
	const struct record_device *record;

	load(agent, "[device cam]\n");
	say(agent, 1, RECORD_SUPPORT_ENDED, 0, -5, "2027-12-31");
	record = state_device(agent->state, 1);
	assert_int_equal(record->support, RECORD_SUPPORT_UNKNOWN);
	assert_null(only_warning(agent));
	load(agent, "[device cam]\nsupport-ends = 2027\n");
	assert_int_equal(record->support, RECORD_SUPPORT_ENDED);
	assert_int_equal(record->support_days, -5);
	assert_string_equal(only_warning(agent)->code, "support.ended");
}

static void test_stages_warn_anew(void **state)
{
	static const unsigned stages[] = {180, 90, 30, 7};
	struct agent *agent = *state;
	uint32_t last = 0;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		const struct record_warning *w;

		for (int32_t less = 0; less < 3; less++)
			say(agent, 1, RECORD_SUPPORT_ENDING, stages[i],
				(int32_t)stages[i] - less, "2027-06-30");
		w = only_warning(agent);
		assert_string_equal(w->code, "support.ending");
		assert_int_equal(w->device, 1);
		assert_int_equal(
			w->severity, stages[i] > 30 ? RECORD_SEVERITY_INFO
						    : RECORD_SEVERITY_WARNING);
		assert_true(w->id > last);
		last = w->id;
		assert_int_equal(agent->told, i + 1); /* not every day */
	}
	say(agent, 1, RECORD_SUPPORT_ENDED, 0, -1, "2027-06-30");
	say(agent, 1, RECORD_SUPPORT_ENDED, 0, -2, "2027-06-30");
	assert_string_equal(only_warning(agent)->code, "support.ended");
	assert_int_equal(agent->told, 5);
}

static void test_texts(void **state)
{
	struct agent *agent = *state;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	say(agent, 1, RECORD_SUPPORT_ENDING, 30, 29, "2027-06-30");
	assert_string_equal(only_warning(agent)->text,
		"the maker's support for cam ends on 2027-06-30, in 30 days "
		"or fewer; ask the maker for a later date, or plan to replace "
		"it");
	say(agent, 1, RECORD_SUPPORT_ENDED, 0, -1, "2027-06-30");
	assert_string_equal(only_warning(agent)->text,
		"the maker's support for cam ended on 2027-06-30, it gets no "
		"more security updates; replace it, or ask the maker for a "
		"later date and set support-ends");
}

static void test_warning_goes(void **state)
{
	struct agent *agent = *state;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	say(agent, 1, RECORD_SUPPORT_ENDED, 0, -1, "2027-06-30");
	assert_non_null(only_warning(agent));
	say(agent, 1, RECORD_SUPPORT_NO_CLOCK, 0, 0, "2027-06-30");
	assert_null(only_warning(agent));
	say(agent, 1, RECORD_SUPPORT_ENDING, 7, 3, "2027-06-30");
	say(agent, 1, RECORD_SUPPORT_SUPPORTED, 0, 300, "2027-06-30");
	assert_null(only_warning(agent));
	say(agent, 1, RECORD_SUPPORT_ENDING, 7, 3, "2027-06-30");
	assert_non_null(only_warning(agent));
	/* The date is taken out of the configuration. */
	load(agent, "[device cam]\n");
	assert_null(only_warning(agent));
	assert_int_equal(
		state_device(agent->state, 1)->support, RECORD_SUPPORT_UNKNOWN);
}

/* The old verdict must not speak about a new date. */
static void test_date_changes(void **state)
{
	struct agent *agent = *state;
	const struct record_device *record;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	say(agent, 1, RECORD_SUPPORT_ENDED, 0, -1, "2027-06-30");
	load(agent, "[device cam]\nsupport-ends = 2029-06\n");
	record = state_device(agent->state, 1);
	assert_int_equal(record->support, RECORD_SUPPORT_UNKNOWN);
	assert_string_equal(record->support_ends, "2029-06");
	assert_null(only_warning(agent));
	say(agent, 1, RECORD_SUPPORT_SUPPORTED, 0, 729, "2029-06-30");
	assert_int_equal(record->support, RECORD_SUPPORT_SUPPORTED);
}

static void test_device_comes_back(void **state)
{
	struct agent *agent = *state;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	say(agent, 1, RECORD_SUPPORT_ENDING, 7, 2, "2027-06-30");
	state_drop_device(agent->state, 1);
	load(agent, "");
	assert_null(only_warning(agent));
	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	say(agent, 1, RECORD_SUPPORT_ENDING, 7, 2, "2027-06-30");
	assert_non_null(only_warning(agent));
}

static void test_too_many_warnings(void **state)
{
	struct agent *agent = *state;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	for (uint32_t i = 0; i < STATE_WARNINGS_MAX; i++)
		state_warn(agent->state, 1000 + i, RECORD_SEVERITY_INFO, "test",
			"x");
	say(agent, 1, RECORD_SUPPORT_ENDING, 30, 30, "2027-06-30");
	state_unwarn(agent->state, 1000, "test");
	say(agent, 1, RECORD_SUPPORT_ENDING, 30, 29, "2027-06-30");
	assert_false(state_warn(agent->state, 1, RECORD_SEVERITY_INFO,
		"support.ending", "it is there now"));
	assert_false(state_warn(agent->state, 1000, RECORD_SEVERITY_INFO,
		"test", "which leaves no room"));
}

/* What only a broken worker would say breaks its link. */
static void test_nonsense(void **state)
{
	struct agent *agent = *state;
	const struct support_verdict good = {.id = 1,
		.support = RECORD_SUPPORT_ENDING,
		.stage = 7,
		.days = 1,
		.last_day = "2027-06-30"};
	struct support_verdict bad;

	load(agent, "[device cam]\nsupport-ends = 2027-06\n");
	bad = good;
	bad.id = 0;
	assert_int_equal(hear(agent, &bad), -EPROTO);
	bad.id = 0x3fffffff;
	assert_int_equal(hear(agent, &bad), -EPROTO);
	bad = good;
	bad.support = 5;
	assert_int_equal(hear(agent, &bad), -EPROTO);
	bad.support = RECORD_SUPPORT_UNKNOWN;
	bad.stage = 0;
	assert_int_equal(hear(agent, &bad), -EPROTO);
	bad = good;
	bad.stage = 0;
	assert_int_equal(hear(agent, &bad), -EPROTO);
	bad.stage = 8;
	assert_int_equal(hear(agent, &bad), -EPROTO);
	bad.support = RECORD_SUPPORT_ENDED;
	bad.stage = 7;
	assert_int_equal(hear(agent, &bad), -EPROTO);
	bad = good;
	memset(bad.last_day, 'x', sizeof(bad.last_day));
	assert_int_equal(hear(agent, &bad), -EPROTO);
	assert_null(only_warning(agent));
	assert_int_equal(hear(agent, &good), 0);
	assert_non_null(only_warning(agent));
}

#define AGENT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(test_key),
		AGENT_TEST(test_configure),
		AGENT_TEST(test_no_date_no_warning),
		AGENT_TEST(test_verdict_after_applied),
		AGENT_TEST(test_verdict_before_applied),
		AGENT_TEST(test_stages_warn_anew),
		AGENT_TEST(test_texts),
		AGENT_TEST(test_warning_goes),
		AGENT_TEST(test_date_changes),
		AGENT_TEST(test_device_comes_back),
		AGENT_TEST(test_too_many_warnings),
		AGENT_TEST(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
