/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent keeps for the next boot, with an agent that is made up here:
 * all that was sent and is in force, nothing that was refused, and the ports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/isolation/agent/keep.h"
#include "modules/isolation/saved.h"
#include "modules/isolation/saved_policy.h"

struct agent {
	struct loop *loop;
	struct state *state;
	const char *folder;
	struct isolation_port sent[8];
	size_t n_sent;
	bool trial;
	struct conf *conf;
};

static struct agent agent;
static char path[64];

struct loop *agent_loop(struct agent *a)
{
	return a->loop;
}

struct state *agent_state(struct agent *a)
{
	return a->state;
}

const struct conf *agent_conf(struct agent *a)
{
	return a->conf;
}

const char *agent_state_dir(struct agent *a)
{
	return a->folder;
}

bool agent_on_trial(struct agent *a)
{
	return a->trial;
}

int agent_send(struct agent *a, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	assert_string_equal(module, "isolation");
	assert_int_equal(type, ISOLATION_KNOWN_PORT);
	assert_int_equal(size, sizeof(a->sent[0]));
	assert_int_equal(fd, -1);
	assert_true(a->n_sent < ARRAY_SIZE(a->sent));
	memcpy(&a->sent[a->n_sent++], message, size);
	/* The agent's own loop does this, too. */
	keep_sent(a, type, message, size);
	return 0;
}

static void send_step(uint16_t type)
{
	struct worker_step step = {0};

	keep_sent(&agent, type, &step, sizeof(step));
}

static void send_zone(const char *interface)
{
	struct isolation_zone zone = {.role = ISOLATION_ROLE_DEVICES,
		.mode = RECORD_MODE_ENFORCE,
		.zone = 1};

	memcpy(zone.interface, interface, strlen(interface));
	keep_sent(&agent, ISOLATION_ZONE, &zone, sizeof(zone));
}

static void send_whole(const char *interface)
{
	send_step(WORKER_BEGIN);
	send_zone(interface);
	agent.n_sent = 0;
	assert_int_equal(keep_send_ports(&agent), 0);
	send_step(WORKER_COMMIT);
}

static void report_port(const char *interface, const char *bridge)
{
	struct isolation_port port = {0};

	memcpy(port.interface, interface, strlen(interface));
	memcpy(port.bridge, bridge, strlen(bridge));
	assert_int_equal(keep_port(&agent, &port), 0);
}

static void stop(struct timer *timer)
{
	(void)timer;
	loop_stop(agent.loop, 0);
}

static void run_for(int64_t ms)
{
	struct timer end = {.fired = stop};

	assert_int_equal(loop_set_timer(agent.loop, &end, ms), 0);
	assert_int_equal(loop_run(agent.loop), 0);
}

/* The policy in the file; its first zone, "" without a file. */
static void assert_saved(const char *interface, size_t ports)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	char reason[POLICY_REASON];
	struct policy p = {0};
	uint8_t *bytes = NULL;
	size_t size = 0;
	int r = saved_load(fd, SAVED_FILE, &bytes, &size);

	close(fd);
	if (!interface[0]) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(saved_policy_read(bytes, size, &p, reason), 0);
	assert_int_equal(p.zones.n, 1);
	assert_non_null(policy_zone(&p, interface));
	assert_int_equal(p.ports.n, ports);
	policy_free(&p);
	free(bytes);
}

static void test_only_in_force(void **state)
{
	(void)state;
	send_whole("br0");
	assert_saved("", 0);
	keep_applied(&agent);
	assert_saved("br0", 0);
	send_whole("br1");
	send_step(WORKER_ABORT);
	keep_applied(&agent);
	assert_saved("br0", 0);
	send_whole("br1");
	keep_stopped();
	keep_applied(&agent);
	assert_saved("br0", 0);
	send_step(WORKER_BEGIN);
	send_zone("br1");
	keep_applied(&agent);
	assert_saved("br0", 0);
	/* What comes outside of a configuration is none of it. */
	send_whole("br2");
	send_zone("br9");
	keep_applied(&agent);
	assert_saved("br2", 0);
}

/* The power may go before the owner has confirmed it. */
static void test_trial(void **state)
{
	(void)state;
	send_whole("br0");
	keep_applied(&agent);
	agent.trial = true;
	send_whole("br1");
	keep_applied(&agent);
	assert_saved("br0", 0);
	report_port("", "");
	run_for(KEEP_SETTLE_MS + 200);
	assert_saved("br0", 0);
	agent.trial = false;
	keep_applied(&agent);
	assert_saved("br1", 0);
}

static void test_ports(void **state)
{
	(void)state;
	send_whole("br0");
	keep_applied(&agent);
	report_port("wlan0", "br0");
	report_port("eth1", "br0");
	report_port("wlan0", "br1");
	assert_saved("br0", 0);
	report_port("", "");
	run_for(KEEP_SETTLE_MS + 200);
	assert_saved("br0", 2);
	send_whole("br0");
	assert_int_equal(agent.n_sent, 2);
	assert_string_equal(agent.sent[0].interface, "eth1");
	assert_string_equal(agent.sent[1].interface, "wlan0");
	assert_string_equal(agent.sent[1].bridge, "br0");
	/* The worker knows all of them: others are no more. */
	report_port("wlan1", "br0");
	report_port("", "");
	keep_applied(&agent);
	assert_saved("br0", 1);
	report_port("", "");
	run_for(KEEP_SETTLE_MS + 200);
	assert_saved("br0", 0);
}

static void test_port_limits(void **state)
{
	struct isolation_port port = {"", "br0"};

	(void)state;
	memset(port.interface, 'x', sizeof(port.interface));
	assert_int_equal(keep_port(&agent, &port), -EINVAL);
	memset(port.interface, 0, sizeof(port.interface));
	for (int i = 0; i < ISOLATION_PORTS_MAX; i++) {
		snprintf(port.interface, sizeof(port.interface), "q%d", i);
		assert_int_equal(keep_port(&agent, &port), 0);
	}
	assert_int_equal(keep_port(&agent, &port), -EINVAL);
	report_port("", "");
}

/* How many addresses of the gateway are in the file. */
static size_t gateways_saved(void)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	char reason[POLICY_REASON];
	struct policy p = {0};
	uint8_t *bytes = NULL;
	size_t size = 0, n;

	assert_int_equal(saved_load(fd, SAVED_FILE, &bytes, &size), 0);
	assert_int_equal(saved_policy_read(bytes, size, &p, reason), 0);
	n = p.gateways.n;
	policy_free(&p);
	free(bytes);
	close(fd);
	return n;
}

static void test_gateways(void **state)
{
	struct isolation_address a = {{AF_INET, {192, 168, 50, 1}}};

	(void)state;
	assert_int_equal(keep_gateway(&a), 0);
	a.ip.b[3] = 2;
	assert_int_equal(keep_gateway(&a), 0);
	report_port("", "");
	send_whole("br0");
	keep_applied(&agent);
	assert_int_equal(gateways_saved(), 2);
	/* While it has none, as in the middle of a restart, it had those. */
	report_port("", "");
	send_whole("br1");
	keep_applied(&agent);
	assert_int_equal(gateways_saved(), 2);
	assert_int_equal(keep_gateway(&a), 0);
	report_port("", "");
	send_whole("br0");
	keep_applied(&agent);
	assert_int_equal(gateways_saved(), 1);
	for (int i = 0; i < ISOLATION_GATEWAYS_MAX; i++)
		assert_int_equal(keep_gateway(&a), 0);
	assert_int_equal(keep_gateway(&a), -EINVAL);
	report_port("", "");
}

static int any(const char *text)
{
	(void)text;
	return 0;
}

/* What may be closed at the next boot is closed in the file. */
static void test_hours(void **state)
{
	static const struct conf_key keys[] = {{"when", any, "", true, ""}};
	static const struct conf_schema schema = {"device", true, keys, 1};
	static const char text[] = "[device a]\n[device b]\nwhen = daily\n";
	const struct conf_schema *schemas[] = {&schema};
	struct policy p = {0};
	char reason[POLICY_REASON];
	uint8_t *bytes = NULL;
	size_t size = 0;
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(conf_new(schemas, 1, &agent.conf), 0);
	assert_int_equal(conf_parse(agent.conf, "x", text, strlen(text)), 0);
	send_step(WORKER_BEGIN);
	for (uint32_t id = 1; id <= 2; id++) {
		struct isolation_device d = {
			.id = id, .mac = {{2, [5] = (uint8_t)id}}};
		struct isolation_allow a = {.device = id, .last = 65535};

		conf_set_id(agent.conf,
			conf_find(agent.conf, "device", id == 1 ? "a" : "b"),
			id);
		keep_sent(&agent, ISOLATION_DEVICE, &d, sizeof(d));
		keep_sent(&agent, ISOLATION_ALLOW, &a, sizeof(a));
	}
	send_step(WORKER_COMMIT);
	keep_applied(&agent);
	assert_int_equal(saved_load(fd, SAVED_FILE, &bytes, &size), 0);
	assert_int_equal(saved_policy_read(bytes, size, &p, reason), 0);
	assert_int_equal(p.devices.n, 2);
	assert_int_equal(p.allows.n, 1);
	assert_int_equal(((struct isolation_allow *)p.allows.items)->device, 1);
	policy_free(&p);
	free(bytes);
	close(fd);
	agent.conf = conf_free(agent.conf);
}

static bool warned(void)
{
	return state_warning_after(agent.state, 0) != NULL;
}

static void test_no_folder(void **state)
{
	(void)state;
	agent.folder = "/nonexistent";
	send_whole("br0");
	keep_applied(&agent);
	assert_true(warned());
	agent.folder = path;
	send_whole("br0");
	keep_applied(&agent);
	assert_false(warned());
}

static int set_up(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_ERROR);
	snprintf(path, sizeof(path), "/tmp/gh-keep-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	agent.folder = path;
	return loop_new(&agent.loop) < 0 || state_new(&agent.state) < 0;
}

static int tear_down(void **state)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_true(saved_remove(fd) >= 0);
	close(fd);
	state_free(agent.state);
	loop_free(agent.loop);
	return rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_in_force),
		cmocka_unit_test(test_trial),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_port_limits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
