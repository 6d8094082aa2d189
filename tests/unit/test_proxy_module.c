/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of the proxy with an agent that is made up here: what a
 * configuration sends to whom, and what becomes of the worker's reports.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/proxy/proxy_proto.h"
#include "modules/proxy/refusals.h"

extern const struct module proxy_module;

#define SENT_MAX 64

struct sent {
	uint16_t type;
	int fd;
	union {
		struct proxy_authorities authorities;
		struct proxy_upgrade upgrade;
		struct proxy_listener listener;
		struct proxy_device device;
		struct proxy_who who;
		struct isolation_redirect redirect;
		struct isolation_fence fence;
		struct isolation_who question;
	};
};

struct agent {
	struct state *state;
	struct conf *conf;
	struct sent sent[SENT_MAX];
	size_t n_sent;
	bool no_isolation, no_proxy;
	struct loop *loop;
	unsigned reloads;
};

static struct agent agent;

struct state *agent_state(struct agent *a)
{
	return a->state;
}

struct loop *agent_loop(struct agent *a)
{
	return a->loop;
}

void agent_reload(struct agent *a,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	a->reloads++;
	done(arg, 0, "");
}

uint32_t agent_device_id(
	const struct conf *conf, const struct conf_section *device)
{
	(void)conf;
	return device->id;
}

int agent_user(
	struct agent *a, const char *module, uid_t *ret_uid, gid_t *ret_gid)
{
	(void)a;
	assert_string_equal(module, "proxy");
	*ret_uid = *ret_gid = 4242;
	return 0;
}

int agent_send(struct agent *a, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	bool isolation = strcmp(module, "isolation") == 0;
	struct sent *sent = &a->sent[a->n_sent];

	assert_true(isolation || strcmp(module, "proxy") == 0);
	if (isolation ? a->no_isolation : a->no_proxy)
		return -ENOENT;
	assert_true(a->n_sent < SENT_MAX && size <= sizeof(*sent));
	a->n_sent++;
	sent->type = type;
	sent->fd = fd;
	memcpy(&sent->authorities, message, size);
	return 0;
}

/* A file that can be a file of authorities: this program. */
#define PROXY "[proxy]\nauthorities = /proc/self/exe\nfirst-port = 28100\n"
#define SENSOR "[device sensor]\nmac = 02:00:00:00:00:01\n"
#define CAMERA "[device camera]\nmac = 02:00:00:00:00:02\n"
#define MQTT "[upgrade mqtt]\nprotocol = mqtt\nupstream-name = broker.example\n"
#define HTTP "[upgrade web]\nprotocol = http\n"

static const struct conf_key mac_keys[] = {
	{"mac", conf_check_mac, "a MAC address", false, ""}};
static const struct conf_schema mac_schema = {
	"device", true, mac_keys, ARRAY_SIZE(mac_keys)};

/* Parses and checks; the devices are numbered as they come. */
static void load(const char *text)
{
	const struct conf_schema *schemas[4] = {&mac_schema};
	const struct conf_section *device = NULL;
	uint32_t id = 0;

	for (size_t i = 0; i < proxy_module.n_schemas; i++)
		schemas[i + 1] = &proxy_module.schemas[i];
	conf_free(agent.conf);
	assert_int_equal(conf_new(schemas, 4, &agent.conf), 0);
	assert_int_equal(conf_parse(agent.conf, "test", text, strlen(text)), 0);
	while ((device = conf_next(agent.conf, "device", device)))
		conf_set_id(agent.conf, device, ++id);
	proxy_module.check(agent.conf);
}

static void load_good(const char *text)
{
	load(text);
	for (size_t i = 0; i < conf_problem_count(agent.conf); i++)
		print_error("%s\n", conf_problem(agent.conf, i)->text);
	assert_int_equal(conf_problem_count(agent.conf), 0);
	agent.n_sent = 0;
	assert_int_equal(proxy_module.configure(&agent, agent.conf), 0);
}

static void apply(void)
{
	proxy_module.applied(&agent, agent.conf);
}

static const struct sent *find_sent(uint16_t type, size_t nth)
{
	for (size_t i = 0; i < agent.n_sent; i++)
		if (agent.sent[i].type == type && nth-- == 0)
			return &agent.sent[i];
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_ERROR);
	memset(&agent, 0, sizeof(agent));
	if (loop_new(&agent.loop) < 0)
		return -1;
	return state_new(&agent.state);
}

/* An empty configuration makes the module give everything back. */
static int teardown(void **state)
{
	(void)state;
	load("");
	apply();
	agent.conf = conf_free(agent.conf);
	agent.state = state_free(agent.state);
	loop_turn(agent.loop, 0);
	agent.loop = loop_free(agent.loop);
	return 0;
}

static void test_configure(void **state)
{
	const struct sent *s;

	(void)state;
	load_good(PROXY MQTT HTTP SENSOR CAMERA "upgrade = web\n");
	assert_true(find_sent(PROXY_AUTHORITIES, 0)->fd >= 0);
	assert_true(find_sent(PROXY_AUTHORITIES, 0)->authorities.size > 0);
	s = find_sent(PROXY_UPGRADE, 0);
	assert_string_equal(s->upgrade.name, "mqtt");
	assert_string_equal(s->upgrade.upstream_name, "broker.example");
	assert_int_equal(s->upgrade.port, 1883);
	assert_int_equal(s->upgrade.upstream_port, 8883);
	assert_int_equal(s->upgrade.protocol, PROXY_PROTOCOL_MQTT);
	s = find_sent(PROXY_UPGRADE, 1);
	assert_string_equal(s->upgrade.upstream_name, "");
	assert_int_equal(s->upgrade.index, 1);
	assert_int_equal(s->upgrade.port, 80);
	assert_int_equal(s->upgrade.upstream_port, 443);
	s = find_sent(PROXY_LISTENER, 1);
	assert_int_equal(s->listener.port, 28101);
	assert_int_equal(s->listener.upgrade, 1);
	assert_true(s->fd >= 0);
	assert_int_equal(find_sent(PROXY_DEVICE, 0)->device.upgrades, 3);
	assert_int_equal(find_sent(PROXY_DEVICE, 1)->device.upgrades, 2);
	assert_string_equal(find_sent(PROXY_DEVICE, 1)->device.name, "camera");
}

static void test_redirects(void **state)
{
	static const struct isolation_redirect expected[] = {
		{1, 1883, 28100}, {1, 80, 28101}, {2, 80, 28101}};

	(void)state;
	load_good(PROXY MQTT HTTP SENSOR CAMERA
		"upgrade = web\n"
		"[device none]\nmac = 02:00:00:00:00:03\nupgrade = none\n");
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct sent *s = find_sent(ISOLATION_REDIRECT, i);

		assert_non_null(s);
		assert_memory_equal(
			&s->redirect, &expected[i], sizeof(expected[i]));
	}
	assert_null(find_sent(ISOLATION_REDIRECT, ARRAY_SIZE(expected)));
}

/* The worker itself may go to the upgrades' ports upstream, no others. */
static void test_fences(void **state)
{
	static const uint16_t ports[] = {8883, 443};

	(void)state;
	load_good(PROXY MQTT HTTP SENSOR);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		const struct sent *s = find_sent(ISOLATION_FENCE, i);

		assert_non_null(s);
		assert_int_equal(s->fence.uid, 4242);
		assert_int_equal(s->fence.port, ports[i]);
		assert_int_equal(s->fence.local, 28100 + i);
	}
	assert_null(find_sent(ISOLATION_FENCE, ARRAY_SIZE(ports)));
}

/* The redirects stand also while the proxy is away: never around it. */
static void test_without_the_proxy(void **state)
{
	(void)state;
	agent.no_proxy = true;
	load_good(PROXY MQTT SENSOR);
	assert_non_null(find_sent(ISOLATION_REDIRECT, 0));
}

static void test_without_upgrades(void **state)
{
	(void)state;
	load_good("[proxy]\nauthorities = /nonexistent\n" SENSOR);
	assert_null(find_sent(PROXY_AUTHORITIES, 0));
	assert_null(find_sent(ISOLATION_REDIRECT, 0));
	assert_int_equal(find_sent(PROXY_DEVICE, 0)->device.upgrades, 0);
}

static bool is_listening(int fd)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 &&
	       value == 1;
}

/* The same sockets over reloads; those no longer wanted go afterwards. */
static void test_sockets(void **state)
{
	int first, second;

	(void)state;
	load_good(PROXY MQTT HTTP);
	apply();
	first = find_sent(PROXY_LISTENER, 0)->fd;
	second = find_sent(PROXY_LISTENER, 1)->fd;
	assert_true(is_listening(first) && is_listening(second));
	load_good(PROXY MQTT);
	assert_int_equal(find_sent(PROXY_LISTENER, 0)->fd, first);
	assert_true(is_listening(second)); /* still in force */
	apply();
	assert_true(is_listening(first));
	assert_false(is_listening(second));
}

/* Reloads that fail leave nothing open for good. */
static void test_sockets_of_failed_reloads(void **state)
{
	int first, never;

	(void)state;
	load_good(PROXY MQTT);
	apply();
	first = find_sent(PROXY_LISTENER, 0)->fd;
	load_good(PROXY MQTT HTTP); /* never applied */
	never = find_sent(PROXY_LISTENER, 1)->fd;
	assert_true(is_listening(never));
	load_good(PROXY MQTT);
	assert_false(is_listening(never));
	assert_true(is_listening(first));
	assert_int_equal(find_sent(PROXY_LISTENER, 0)->fd, first);
}

/* A taken port is the worker's to refuse: others must get their items. */
static void test_taken_port(void **state)
{
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_port = htons(28101)};
	int other = socket(AF_INET6, SOCK_STREAM, 0), client;

	(void)state;
	assert_int_equal(bind(other, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(other, 1), 0);
	log_open("test", (enum log_level)0);
	load_good(PROXY MQTT HTTP SENSOR);
	assert_non_null(find_sent(PROXY_UPGRADE, 1));
	assert_non_null(find_sent(PROXY_LISTENER, 0));
	assert_null(find_sent(PROXY_LISTENER, 1));
	assert_int_equal(
		find_sent(ISOLATION_REDIRECT, 0)->redirect.to_port, 28100);
	/* what was meant for the proxy does not go to whoever has the port */
	sa.sin6_port = htons(
		find_sent(ISOLATION_REDIRECT, 1)->redirect.to_port);
	assert_int_not_equal(sa.sin6_port, htons(28101));
	sa.sin6_addr = in6addr_loopback;
	client = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(
		connect(client, (struct sockaddr *)&sa, sizeof(sa)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(client);
	apply(); /* still taken */
	loop_turn(agent.loop, 0);
	assert_int_equal(agent.reloads, 0);
	close(other);
	load_good(PROXY MQTT HTTP SENSOR); /* to the proxy alone, say */
	apply();
	loop_turn(agent.loop, 0);
	assert_int_equal(agent.reloads, 1);
	apply();
	loop_turn(agent.loop, 0);
	assert_int_equal(agent.reloads, 1);
}

/* Twice before it is in force, as when several workers start. */
static void test_configured_twice(void **state)
{
	int first;

	(void)state;
	load_good(PROXY MQTT);
	first = find_sent(PROXY_LISTENER, 0)->fd;
	agent.n_sent = 0;
	assert_int_equal(proxy_module.configure(&agent, agent.conf), 0);
	assert_int_equal(find_sent(PROXY_LISTENER, 0)->fd, first);
	assert_true(is_listening(first));
}

static const struct {
	const char *text;
	unsigned line;
	const char *problem;
} bad[] = {
	{PROXY "[upgrade x]\nport = 1\n", 4,
		"[upgrade x] needs 'protocol = mqtt', http or tcp"},
	{PROXY "[upgrade x]\nprotocol = mqtt\n", 4,
		"[upgrade x] needs 'upstream-name =', the name in the server's "
		"certificate: this protocol does not say it"},
	{PROXY "[upgrade x]\nprotocol = tcp\nport = 1\nupstream-port = 2\n", 4,
		"[upgrade x] needs 'upstream-name =', the name in the server's "
		"certificate: this protocol does not say it"},
	{PROXY "[upgrade x]\nprotocol = tcp\nport = 1\nupstream-name = a.b\n",
		4,
		"[upgrade x] needs 'upstream-port =', the server's TLS port"},
	{PROXY "[upgrade x]\nprotocol = tcp\nupstream-port = 1\n"
	       "upstream-name = a.b\n",
		4, "[upgrade x] needs 'port =', the one the devices dial"},
	{PROXY "[upgrade none]\nprotocol = http\n", 4,
		"an upgrade cannot be called 'none': a device says that to "
		"have none"},
	{PROXY HTTP SENSOR "upgrade = wep\n", 8,
		"there is no [upgrade wep]; did you mean 'web'?"},
	{PROXY HTTP SENSOR "upgrade = something-else\n", 8,
		"there is no [upgrade something-else]"},
	{PROXY HTTP SENSOR "upgrade = none web\n", 8,
		"'none' cannot stand beside names of upgrades"},
	{PROXY HTTP "[upgrade web2]\nprotocol = http\n" SENSOR, 8,
		"[device sensor] would have two upgrades for port 80, web and "
		"web2: name the one it uses with 'upgrade ='"},
	{PROXY HTTP "[upgrade web2]\nprotocol = http\n" SENSOR
		    "upgrade = web2, web\n",
		10,
		"[device sensor] would have two upgrades for port 80, web and "
		"web2: name the one it uses with 'upgrade ='"},
	{"[proxy]\nauthorities = /nonexistent\n" HTTP, 2,
		"cannot use the authorities in /nonexistent: No such file or "
		"directory"},
	{"[proxy]\nauthorities = /\n" HTTP, 2,
		"cannot use the authorities in /: not a file"},
	{"[proxy]\nauthorities = /proc/self/exe\nfirst-port = 65535\n" HTTP
			MQTT,
		3,
		"2 upgrades need as many ports from first-port on, which ends "
		"at 65535"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct conf_problem *problem;

		load(bad[i].text);
		if (conf_problem_count(agent.conf) != 1)
			print_error("%s\n", bad[i].text);
		assert_int_equal(conf_problem_count(agent.conf), 1);
		problem = conf_problem(agent.conf, 0);
		assert_string_equal(problem->text, bad[i].problem);
		assert_int_equal(problem->line, bad[i].line);
	}
	load(PROXY HTTP "[upgrade web2]\nprotocol = http\n" SENSOR
			"upgrade = web2\n");
	assert_int_equal(conf_problem_count(agent.conf), 0);
}

static void test_too_many_upgrades(void **state)
{
	char text[PROXY_UPGRADES_MAX * 64 + 256] = PROXY;
	size_t at = strlen(text);

	(void)state;
	for (int i = 0; i <= PROXY_UPGRADES_MAX; i++) {
		if (i == PROXY_UPGRADES_MAX) {
			load(text);
			assert_int_equal(conf_problem_count(agent.conf), 0);
		}
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"[upgrade u%d]\nprotocol = http\nport = %d\n", i,
			1000 + i);
	}
	load(text);
	assert_int_equal(conf_problem_count(agent.conf), 1);
	assert_string_equal(
		conf_problem(agent.conf, 0)->text, "more than 64 upgrades");
}

static int receive(uint16_t type, const void *message)
{
	for (size_t i = 0; i < proxy_module.n_routes; i++)
		if (proxy_module.routes[i].type == type)
			return proxy_module.routes[i].handle(
				&agent, message, -1);
	return -ENOENT;
}

static void test_who(void **state)
{
	struct proxy_who who = {.cookie = 42};

	(void)state;
	assert_int_equal(ip_parse("192.0.2.9", &who.ip), 0);
	assert_int_equal(receive(PROXY_WHO, &who), 0);
	assert_int_equal(agent.sent[0].type, ISOLATION_WHO);
	assert_int_equal(agent.sent[0].question.cookie, 42);
	assert_true(ip_equal(&agent.sent[0].question.ip, &who.ip));
	agent.no_isolation = true;
	assert_int_equal(receive(PROXY_WHO, &who), 0);
	assert_int_equal(agent.sent[1].type, PROXY_IS);
	assert_int_equal(agent.sent[1].who.cookie, 42);
	assert_int_equal(agent.sent[1].who.device, 0);
	who.ip.family = 77;
	assert_int_equal(receive(PROXY_WHO, &who), -EPROTO);
}

static void put_device(uint32_t id, const char *name)
{
	struct record_device device = {.id = id};

	snprintf(device.name, sizeof(device.name), "%s", name);
	assert_int_equal(state_put_device(agent.state, &device), 0);
}

static struct proxy_flow make_flow(uint32_t device, uint8_t outcome,
	const char *upgrade, const char *reason)
{
	struct proxy_flow flow = {.device = device, .outcome = outcome};

	snprintf(flow.upgrade, sizeof(flow.upgrade), "%s", upgrade);
	snprintf(flow.reason, sizeof(flow.reason), "%s", reason);
	return flow;
}

static void refuse(uint32_t device, const char *upgrade, const char *reason)
{
	struct proxy_flow flow = make_flow(
		device, PROXY_OUTCOME_REFUSED, upgrade, reason);

	assert_int_equal(receive(PROXY_FLOW, &flow), 0);
}

static void succeed(uint32_t device, const char *upgrade)
{
	struct proxy_flow flow = make_flow(
		device, PROXY_OUTCOME_OPENED, upgrade, "");

	assert_int_equal(receive(PROXY_FLOW, &flow), 0);
}

/* The text of a device's warning, "" when there is none. */
static const char *warning(uint32_t device)
{
	const struct record_warning *w = NULL;
	uint32_t last = 0;

	while ((w = state_warning_after(agent.state, last))) {
		last = w->id;
		if (w->device == device && strcmp(w->code, REFUSALS_CODE) == 0)
			return w->text;
	}
	return "";
}

static void test_counters(void **state)
{
	struct proxy_flow flow = make_flow(1, PROXY_OUTCOME_CLOSED, "web", "");
	const struct record_device *device;

	(void)state;
	put_device(1, "sensor");
	succeed(1, "web");
	flow.up = 10;
	flow.down = 20;
	assert_int_equal(receive(PROXY_FLOW, &flow), 0);
	flow.outcome = PROXY_OUTCOME_CARRIED;
	assert_int_equal(receive(PROXY_FLOW, &flow), 0);
	refuse(1, "web", "no");
	device = state_device(agent.state, 1);
	assert_int_equal(device->tls_flows, 1);
	assert_int_equal(device->tls_refused, 1);
	assert_int_equal(device->tls_up, 20);
	assert_int_equal(device->tls_down, 40);
	flow.device = 99; /* nobody */
	assert_int_equal(receive(PROXY_FLOW, &flow), 0);
}

static void test_warnings(void **state)
{
	(void)state;
	put_device(1, "sensor");
	put_device(2, "camera");
	refuse(1, "mqtt", "first");
	assert_string_equal(warning(1), "sensor: mqtt refused: first");
	refuse(1, "web", "second");
	assert_string_equal(warning(1), "sensor: web refused: second");
	refuse(1, "mqtt", "third");
	assert_string_equal(warning(1), "sensor: mqtt refused: third");
	assert_string_equal(warning(2), "");
	succeed(2, "mqtt"); /* of another device: says nothing */
	succeed(1, "mqtt");
	assert_string_equal(warning(1), "sensor: web refused: second");
	succeed(1, "web");
	assert_string_equal(warning(1), "");
	refuse(0, "web", "a device nobody knows");
	assert_null(state_warning_after(agent.state, 0));
}

static void test_warnings_end_with_their_upgrade(void **state)
{
	(void)state;
	load_good(PROXY MQTT HTTP SENSOR);
	put_device(1, "sensor");
	refuse(1, "mqtt", "no");
	apply();
	assert_string_equal(warning(1), "sensor: mqtt refused: no");
	load_good(PROXY HTTP SENSOR);
	apply();
	assert_string_equal(warning(1), "");
}

/* The oldest of too many is forgotten, and so is its warning. */
static void test_many_warnings(void **state)
{
	(void)state;
	for (uint32_t id = 1; id <= REFUSALS_MAX + 1; id++) {
		put_device(id, "some");
		refuse(id, "web", "no");
	}
	assert_string_equal(warning(1), "");
	assert_string_equal(warning(2), "some: web refused: no");
	succeed(REFUSALS_MAX + 1, "web");
	assert_string_equal(warning(REFUSALS_MAX + 1), "");
}

static void test_nonsense_from_the_worker(void **state)
{
	struct proxy_flow flow = make_flow(1, 0, "web", "");

	(void)state;
	assert_int_equal(receive(PROXY_FLOW, &flow), -EPROTO);
	flow = make_flow(1, 5, "web", "");
	assert_int_equal(receive(PROXY_FLOW, &flow), -EPROTO);
	flow = make_flow(1, PROXY_OUTCOME_REFUSED, "web", "");
	memset(flow.reason, 'x', sizeof(flow.reason));
	assert_int_equal(receive(PROXY_FLOW, &flow), -EPROTO);
	flow = make_flow(1, PROXY_OUTCOME_REFUSED, "web", "");
	memset(flow.upgrade, 'x', sizeof(flow.upgrade));
	assert_int_equal(receive(PROXY_FLOW, &flow), -EPROTO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_configure),
		TEST(test_redirects),
		TEST(test_fences),
		TEST(test_without_the_proxy),
		TEST(test_without_upgrades),
		TEST(test_sockets),
		TEST(test_sockets_of_failed_reloads),
		TEST(test_taken_port),
		TEST(test_configured_twice),
		TEST(test_bad),
		TEST(test_too_many_upgrades),
		TEST(test_who),
		TEST(test_counters),
		TEST(test_warnings),
		TEST(test_warnings_end_with_their_upgrade),
		TEST(test_many_warnings),
		TEST(test_nonsense_from_the_worker),
	};

	return cmocka_run_group_tests_name("proxy module", tests, NULL, NULL);
}
