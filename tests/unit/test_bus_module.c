/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of the bus: state mirrored, calls turned into work, a
 * worker that breaks the rules found out. The agent is made up here.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/bus/connect.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/registry/registry_proto.h"
#include "modules/update/update_proto.h"

extern const struct module bus_module;

#define SENT_MAX 64

struct agent {
	struct loop *loop;
	struct state *state;
	uint16_t sent[SENT_MAX]; /* types, in order */
	size_t n_sent;
	struct bus_reply reply; /* the last one */
	int isolation; /* what agent_send() to it answers */
	int update; /* what update_ask() answers */
	uint32_t update_verb;
	bool reload_later;
	struct isolation_why why; /* the last one */
	struct registry_decide decide; /* the last one */
	uint32_t decided; /* the device that it is about */
	int registry; /* what registry_ask() answers */
	uint32_t seconds; /* of the trial that was asked for */
	int confirmed; /* what agent_confirm() answers */
	void (*done)(void *arg, int error, const char *report);
	void *done_arg;
	const char *bus_path;
};

struct loop *agent_loop(struct agent *agent)
{
	return agent->loop;
}

struct state *agent_state(struct agent *agent)
{
	return agent->state;
}

const char *agent_bus_path(struct agent *agent)
{
	return agent->bus_path;
}

int agent_user(
	struct agent *agent, const char *module, uid_t *ret_uid, gid_t *ret_gid)
{
	(void)agent;
	assert_string_equal(module, "bus");
	*ret_uid = geteuid();
	*ret_gid = getegid();
	return 0;
}

void agent_reload(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	agent->done = done;
	agent->done_arg = arg;
	if (!agent->reload_later)
		done(arg, -EINVAL, "it has a mistake");
}

void agent_try(struct agent *agent, uint32_t seconds,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	agent->seconds = seconds;
	done(arg, 0, "in force for now");
}

int agent_confirm(struct agent *agent)
{
	return agent->confirmed;
}

int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	if (strcmp(module, "isolation") == 0) {
		if (type == ISOLATION_WHY)
			memcpy(&agent->why, message, sizeof(agent->why));
		else
			assert_int_equal(type, ISOLATION_GET_ATTEMPTS);
		return agent->isolation;
	}
	assert_string_equal(module, "bus");
	assert_true(agent->n_sent < SENT_MAX);
	agent->sent[agent->n_sent++] = type;
	assert_int_equal(fd >= 0, type == BUS_SOCKET);
	if (type == BUS_REPLY) {
		assert_int_equal(size, sizeof(agent->reply));
		memcpy(&agent->reply, message, size);
	}
	return 0;
}

#ifdef WITH_UPDATE
int update_ask(struct agent *agent, uint64_t cookie, uint32_t verb,
	int statement, int package)
{
	(void)cookie;
	assert_true(fcntl(statement, F_GETFD) >= 0);
	assert_true(fcntl(package, F_GETFD) >= 0);
	agent->update_verb = verb;
	return agent->update;
}
#endif

#ifdef WITH_REGISTRY
int registry_ask(struct agent *agent, uint32_t device, uint32_t uid,
	const struct registry_decide *decide)
{
	assert_int_equal(uid, 0);
	agent->decided = device;
	agent->decide = *decide;
	return agent->registry;
}
#endif

static int up(struct agent *agent, uint16_t type, const void *message, int fd)
{
	for (size_t i = 0; i < bus_module.n_routes; i++)
		if (bus_module.routes[i].type == type)
			return bus_module.routes[i].handle(agent, message, fd);
	fail_msg("no route for %u", type);
	return 0;
}

static int call(
	struct agent *agent, uint64_t cookie, enum bus_verb verb, uint32_t uid)
{
	struct bus_call message = {.cookie = cookie, .verb = verb, .uid = uid};

	memset(&agent->reply, 0, sizeof(agent->reply));
	return up(agent, BUS_CALL, &message, -1);
}

static int file(struct agent *agent, uint64_t cookie, uint32_t part)
{
	struct bus_file message = {.cookie = cookie, .part = part};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return up(agent, BUS_FILE, &message, fd);
}

static int lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static int setup(void **state)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent || loop_new(&agent->loop) < 0 ||
		state_new(&agent->state) < 0)
		return -1;
	agent->bus_path = "/nonexistent/bus";
	assert_int_equal(bus_module.started(agent), 0);
	*state = agent;
	return 0;
}

static int teardown(void **state)
{
	struct agent *agent = *state;

	bus_module.stopped(agent);
	state_free(agent->state);
	loop_free(agent->loop);
	free(agent);
	return 0;
}

static void test_mirror(void **state)
{
	struct agent *agent = *state;
	struct record_device device = {.id = 1, .name = "camera"};

	assert_int_equal(agent->sent[0], BUS_GATEWAY); /* told at once */
	agent->n_sent = 0;
	assert_int_equal(state_put_device(agent->state, &device), 0);
	state_warn(agent->state, 1, RECORD_SEVERITY_INFO, "x", "y");
	state_unwarn(agent->state, 1, "x");
	state_drop_device(agent->state, 1);
	assert_int_equal(agent->n_sent, 4);
	assert_int_equal(agent->sent[0], BUS_DEVICE);
	assert_int_equal(agent->sent[1], BUS_WARNING);
	assert_int_equal(agent->sent[2], BUS_WARNING_GONE);
	assert_int_equal(agent->sent[3], BUS_DEVICE_GONE);
	bus_module.stopped(agent);
	assert_int_equal(state_put_device(agent->state, &device), 0);
	assert_int_equal(agent->n_sent, 4); /* nobody is there to be told */
}

static void test_reload(void **state)
{
	struct agent *agent = *state;

	assert_int_equal(call(agent, 5, BUS_VERB_RELOAD, 0), 0);
	assert_int_equal(agent->reply.cookie, 5);
	assert_int_equal(agent->reply.error, -EINVAL);
	assert_string_equal(agent->reply.text, "it has a mistake");
	/* The answer may come when the worker that asked is gone. */
	agent->reload_later = true;
	assert_int_equal(call(agent, 6, BUS_VERB_RELOAD, 0), 0);
	assert_int_equal(agent->reply.cookie, 0);
	bus_module.stopped(agent);
	agent->done(agent->done_arg, 0, "");
	assert_int_equal(agent->reply.cookie, 0);
	assert_int_equal(bus_module.started(agent), 0);
}

/* Reloads wait in the agent, so only so many do. */
static void test_reloads_are_few(void **state)
{
	struct agent *agent = *state;
	void *args[BUS_CALLS_MAX];
	void (*done)(void *arg, int error, const char *report);

	agent->reload_later = true;
	for (uint64_t i = 0; i < BUS_CALLS_MAX; i++) {
		assert_int_equal(call(agent, 10 + i, BUS_VERB_RELOAD, 0), 0);
		assert_int_equal(agent->reply.cookie, 0);
		args[i] = agent->done_arg;
	}
	/* Another worker does not begin with none. */
	bus_module.stopped(agent);
	assert_int_equal(bus_module.started(agent), 0);
	done = agent->done;
	agent->done = NULL;
	assert_int_equal(call(agent, 99, BUS_VERB_RELOAD, 0), 0);
	assert_int_equal(agent->reply.cookie, 99);
	assert_int_equal(agent->reply.error, -EBUSY);
	assert_null(agent->done);
	for (size_t i = 0; i < BUS_CALLS_MAX; i++)
		done(args[i], 0, "");
	agent->reload_later = false;
	assert_int_equal(call(agent, 100, BUS_VERB_RELOAD, 0), 0);
	assert_int_equal(agent->reply.error, -EINVAL);
}

static void test_trial(void **state)
{
	struct agent *agent = *state;
	struct bus_call apply = {.cookie = 5, .verb = BUS_VERB_APPLY};

	assert_int_equal(up(agent, BUS_CALL, &apply, -1), 0);
	assert_int_equal(agent->reply.error, -EINVAL);
	apply.number = BUS_CONFIRM_MAX + 1;
	assert_int_equal(up(agent, BUS_CALL, &apply, -1), 0);
	assert_int_equal(agent->reply.error, -EINVAL);
	assert_int_equal(agent->seconds, 0);
	apply.number = BUS_CONFIRM_MAX;
	assert_int_equal(up(agent, BUS_CALL, &apply, -1), 0);
	assert_int_equal(agent->reply.error, 0);
	assert_int_equal(agent->seconds, BUS_CONFIRM_MAX);
	apply.uid = 1000;
	assert_int_equal(up(agent, BUS_CALL, &apply, -1), -EPROTO);
	assert_int_equal(call(agent, 6, BUS_VERB_CONFIRM, 1000), -EPROTO);
	assert_int_equal(call(agent, 6, BUS_VERB_CONFIRM, 0), 0);
	assert_int_equal(agent->reply.error, 0);
	agent->confirmed = -EINVAL;
	assert_int_equal(call(agent, 7, BUS_VERB_CONFIRM, 0), 0);
	assert_int_equal(agent->reply.error, -EINVAL);
	assert_non_null(strstr(agent->reply.text, "too late"));
}

/* A worker that asks what it should have refused is not to be trusted. */
static void test_only_root(void **state)
{
	struct agent *agent = *state;

	assert_int_equal(call(agent, 5, BUS_VERB_RELOAD, 1000), -EPROTO);
	assert_int_equal(file(agent, 6, BUS_PART_STATEMENT), 0);
	assert_int_equal(file(agent, 6, BUS_PART_PACKAGE), 0);
	assert_int_equal(call(agent, 6, BUS_VERB_UPDATE_APPLY, 1000), -EPROTO);
	assert_null(agent->done);
	assert_int_equal(agent->update_verb, 0);
}

static void test_attempts(void **state)
{
	struct agent *agent = *state;

	assert_int_equal(call(agent, 5, BUS_VERB_ATTEMPTS, 1000), 0);
	assert_int_equal(agent->reply.cookie, 0); /* isolation answers */
	agent->isolation = -ENOENT;
	assert_int_equal(call(agent, 6, BUS_VERB_ATTEMPTS, 1000), 0);
	assert_int_equal(agent->reply.error, -ENOENT);
	assert_non_null(strstr(agent->reply.text, "isolation is not running"));
}

static void test_why(void **state)
{
	struct agent *agent = *state;
	struct record_device device = {.id = 3,
		.mac = {{2, 0, 0, 0, 0, 3}},
		.name = "camera",
		.interface = "br0"};
	struct bus_call ask = {.cookie = 5,
		.verb = BUS_VERB_WHY,
		.uid = 1000,
		.number = 3,
		.question = {.protocol = 6, .port = 443, .gateway = 1}};

	assert_int_equal(up(agent, BUS_CALL, &ask, -1), 0);
	assert_int_equal(agent->reply.error, -EINVAL); /* no such device */
	assert_int_equal(state_put_device(agent->state, &device), 0);
	agent->reply.cookie = 0;
	assert_int_equal(up(agent, BUS_CALL, &ask, -1), 0);
	assert_int_equal(agent->reply.cookie, 0); /* isolation answers */
	assert_int_equal(agent->why.toward, ISOLATION_TOWARD_GATEWAY);
	assert_true(mac_equal(&agent->why.mac, &device.mac));
	assert_string_equal(agent->why.interface, "br0");
	agent->isolation = -ENOENT;
	assert_int_equal(up(agent, BUS_CALL, &ask, -1), 0);
	assert_int_equal(agent->reply.error, -ENOENT);
}

#ifdef WITH_REGISTRY
static void test_decide(void **state)
{
	struct agent *agent = *state;
	struct bus_call ask = {.cookie = 9,
		.verb = BUS_VERB_DECIDE,
		.number = 3,
		.decision = {.kind = REGISTRY_KIND_APPROVE,
			.seconds = 60,
			.word = "internet"}};

	assert_int_equal(up(agent, BUS_CALL, &ask, -1), 0);
	assert_int_equal(agent->decided, 3);
	assert_int_equal(agent->decide.cookie, 9);
	assert_int_equal(agent->decide.kind, REGISTRY_KIND_APPROVE);
	assert_int_equal(agent->decide.seconds, 60);
	assert_string_equal(agent->decide.word, "internet");
	assert_int_equal(agent->reply.cookie, 0); /* the registry answers */
	agent->registry = -ENOENT;
	assert_int_equal(up(agent, BUS_CALL, &ask, -1), 0);
	assert_int_equal(agent->reply.error, -ENOENT);
	assert_non_null(strstr(agent->reply.text, "registry is not running"));
	ask.uid = 1000;
	assert_int_equal(up(agent, BUS_CALL, &ask, -1), -EPROTO);
}
#endif

static void test_update(void **state)
{
	struct agent *agent = *state;
	int before = lowest_fd();

	assert_int_equal(file(agent, 7, BUS_PART_STATEMENT), 0);
	assert_int_equal(file(agent, 7, BUS_PART_PACKAGE), 0);
	agent->update = -ENOENT;
	assert_int_equal(call(agent, 7, BUS_VERB_UPDATE_CHECK, 1000), 0);
	assert_int_equal(agent->reply.error, -ENOENT);
#ifdef WITH_UPDATE
	assert_int_equal(agent->update_verb, UPDATE_VERB_CHECK);
	agent->update = 0;
	assert_int_equal(file(agent, 8, BUS_PART_STATEMENT), 0);
	assert_int_equal(file(agent, 8, BUS_PART_PACKAGE), 0);
	assert_int_equal(call(agent, 8, BUS_VERB_UPDATE_APPLY, 0), 0);
	assert_int_equal(agent->update_verb, UPDATE_VERB_APPLY);
	assert_int_equal(agent->reply.cookie, 0);
#endif
	assert_int_equal(lowest_fd(), before); /* nothing is kept open */
}

static void test_files_in_order(void **state)
{
	struct agent *agent = *state;
	int before = lowest_fd();

	assert_int_equal(file(agent, 0, BUS_PART_STATEMENT), -EPROTO);
	assert_int_equal(file(agent, 1, BUS_PART_PACKAGE), -EPROTO);
	assert_int_equal(file(agent, 1, 9), -EPROTO);
	assert_int_equal(file(agent, 1, BUS_PART_STATEMENT), 0);
	assert_int_equal(file(agent, 1, BUS_PART_STATEMENT), -EPROTO);
	assert_int_equal(call(agent, 1, BUS_VERB_UPDATE_CHECK, 0), -EPROTO);
	assert_int_equal(call(agent, 2, BUS_VERB_UPDATE_CHECK, 0), -EPROTO);
	assert_int_equal(file(agent, 1, BUS_PART_PACKAGE), 0);
	assert_int_equal(file(agent, 1, BUS_PART_PACKAGE), -EPROTO);
	assert_int_equal(call(agent, 0, BUS_VERB_ATTEMPTS, 0), -EPROTO);
	assert_int_equal(call(agent, 3, (enum bus_verb)77, 0), -EPROTO);
	/* A dead worker's files are closed. */
	bus_module.stopped(agent);
	assert_int_equal(lowest_fd(), before);
	assert_int_equal(bus_module.started(agent), 0);
}

static void test_files_limit(void **state)
{
	struct agent *agent = *state;

	for (uint64_t cookie = 1; cookie <= BUS_CALLS_MAX; cookie++)
		assert_int_equal(file(agent, cookie, BUS_PART_STATEMENT), 0);
	assert_int_equal(
		file(agent, BUS_CALLS_MAX + 1, BUS_PART_STATEMENT), -EPROTO);
}

static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(chmod(path, 0666), 0);
	return fd;
}

static void turn(struct agent *agent, int64_t for_ms)
{
	int64_t end = clock_ms() + for_ms;

	while (clock_ms() < end)
		assert_true(loop_turn(agent->loop, 20) >= 0);
}

static bool was_sent(const struct agent *agent, uint16_t type)
{
	for (size_t i = 0; i < agent->n_sent; i++)
		if (agent->sent[i] == type)
			return true;
	return false;
}

static void test_bus_comes_late(void **state)
{
	struct agent *agent = *state;
	struct bus_number none = {0};
	char path[] = "/tmp/gatehouse-test-bus.XXXXXX";
	int fd;

	assert_non_null(mkdtemp(path));
	agent->bus_path = "/nonexistent/bus";
	turn(agent, 60);
	assert_false(was_sent(agent, BUS_SOCKET));
	{
		char name[64];

		snprintf(name, sizeof(name), "%s/bus", path);
		fd = listen_at(name);
		agent->bus_path = name;
		turn(agent, 400);
		assert_true(was_sent(agent, BUS_SOCKET));
		agent->n_sent = 0;
		assert_int_equal(up(agent, BUS_LOST, &none, -1), 0);
		assert_false(was_sent(agent, BUS_SOCKET));
		turn(agent, 900);
		assert_true(was_sent(agent, BUS_SOCKET));
		unlink(name);
	}
	close(fd);
	rmdir(path);
}

static void test_connect_as(void **state)
{
	char folder[] = "/tmp/gatehouse-test-bus.XXXXXX", path[64];
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int here, there, accepted;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(path, sizeof(path), "%s/bus", folder);
	here = listen_at(path);
	assert_int_equal(connect_as(path, 64123, 64124, &there), 0);
	accepted = accept4(here, NULL, NULL, SOCK_CLOEXEC);
	assert_true(accepted >= 0);
	assert_int_equal(
		getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
	assert_int_equal(peer.uid, 64123);
	assert_int_equal(peer.gid, 64124);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	close(accepted);
	close(there);
	close(here);
	unlink(path);
	assert_int_equal(connect_as(path, 64123, 64124, &there), -ENOENT);
	rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mirror),
		TEST(test_reload),
		TEST(test_trial),
		TEST(test_reloads_are_few),
		TEST(test_only_root),
		TEST(test_attempts),
		TEST(test_why),
#ifdef WITH_REGISTRY
		TEST(test_decide),
#endif
		TEST(test_update),
		TEST(test_files_in_order),
		TEST(test_files_limit),
		TEST(test_bus_comes_late),
		cmocka_unit_test(test_connect_as),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
