/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What isolation's worker may say, as the agent takes it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/registry/registry_proto.h"

extern const struct module isolation_module;

/* The agent, as simple as it can be. */
struct agent {
	struct state *state;
	const char *to; /* of the last message */
	uint16_t type;
	uint64_t cookie; /* its first eight bytes */
};

struct state *agent_state(struct agent *agent)
{
	return agent->state;
}

const struct conf *agent_conf(struct agent *agent)
{
	(void)agent;
	return NULL;
}

/* Nothing is saved here: there is no such folder. */
const char *agent_state_dir(struct agent *agent)
{
	(void)agent;
	return "/nonexistent";
}

/* And no timer of keep.c's is set, because nothing is applied. */
struct loop *agent_loop(struct agent *agent)
{
	(void)agent;
	return NULL;
}

void agent_refresh(struct agent *agent)
{
	(void)agent;
}

uint32_t agent_device_id(
	const struct conf *conf, const struct conf_section *device)
{
	(void)conf;
	(void)device;
	return 1;
}

enum record_mode agent_mode(const struct conf *conf,
	const struct conf_section *zone, const struct conf_section *device)
{
	(void)conf;
	(void)zone;
	(void)device;
	return RECORD_MODE_OBSERVE;
}

bool agent_on_trial(struct agent *agent)
{
	(void)agent;
	return false;
}

#ifdef WITH_REGISTRY
void registry_saw(struct agent *agent, const struct registry_seen *seen)
{
	(void)agent, (void)seen;
}
#endif

int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	assert_true(size >= sizeof(agent->cookie) && fd < 0);
	agent->to = module;
	agent->type = type;
	memcpy(&agent->cookie, message, sizeof(agent->cookie));
	return 0;
}

static int up(struct agent *agent, uint16_t type, const void *message)
{
	for (size_t i = 0; i < isolation_module.n_routes; i++)
		if (isolation_module.routes[i].type == type)
			return isolation_module.routes[i].handle(
				agent, message, -1);
	fail_msg("no route for %u", type);
	return 0;
}

static int setup(void **state)
{
	static struct agent agent;

	memset(&agent, 0, sizeof(agent));
	*state = &agent;
	return state_new(&agent.state);
}

static int teardown(void **state)
{
	struct agent *agent = *state;

	agent->state = state_free(agent->state);
	return 0;
}

/* It ends lists of attempts; it does not answer "reload" for the agent. */
static void test_answers_attempts_only(void **state)
{
	struct agent *agent = *state;
	struct isolation_cookie end = {77};

	assert_int_equal(up(agent, ISOLATION_ATTEMPTS_END, &end), 0);
	assert_string_equal(agent->to, "bus");
	assert_int_equal(agent->type, BUS_ATTEMPTS_END);
	assert_int_equal(agent->cookie, 77);
}

static void test_attempt(void **state)
{
	struct agent *agent = *state;
	struct isolation_attempt attempt = {.cookie = 78, .protocol = 6};

	assert_int_equal(up(agent, ISOLATION_ATTEMPT, &attempt), 0);
	assert_string_equal(agent->to, "bus");
	assert_int_equal(agent->type, BUS_ATTEMPT);
	assert_int_equal(agent->cookie, 78);
}

/* Names come with their end. */
static void test_unended_names(void **state)
{
	struct agent *agent = *state;
	struct isolation_seen seen = {.zone = 1};
	struct isolation_link link = {.zone = 1};

	memset(seen.interface, 'x', sizeof(seen.interface));
	memset(link.interface, 'x', sizeof(link.interface));
	assert_int_equal(up(agent, ISOLATION_SEEN, &seen), -EINVAL);
	assert_int_equal(up(agent, ISOLATION_LINK, &link), -EINVAL);
	seen = (struct isolation_seen){.interface = "br0"};
	assert_int_equal(up(agent, ISOLATION_SEEN, &seen), -EINVAL);
	assert_null(state_device_after(agent->state, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers_attempts_only),
		TEST(test_attempt),
		TEST(test_unended_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
