/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What "why" decides and says, against the rules as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "modules/isolation/agent/admins.h"
#include "modules/isolation/agent/because.h"
#include "modules/isolation/agent/limits.h"
#include "modules/isolation/why.h"

static const struct mac camera = {{2, 0, 0, 0, 0, 1}};
static const struct mac sensor = {{2, 0, 0, 0, 0, 2}};
static const struct mac stranger = {{2, 0, 0, 0, 0, 9}};
static struct policy policy;

static void add_line(uint32_t device, uint8_t protocol, uint16_t first,
	uint16_t last, const char *to)
{
	struct isolation_allow a = {.device = device,
		.protocol = protocol,
		.first = first,
		.last = last};

	if (to)
		assert_int_equal(ip_parse_prefix(to, &a.to, &a.length), 0);
	assert_int_equal(policy_add_allow(&policy, &a), 0);
}

static int set_up(void **state)
{
	struct isolation_device first = {.id = 1, .mac = camera};
	struct isolation_device second = {
		.id = 2, .mac = sensor, .mode = RECORD_MODE_OBSERVE};
	struct isolation_redirect redirect = {1, 80, 18100};
	struct isolation_address server = {{0}};
	char reason[POLICY_REASON];

	(void)state;
	assert_int_equal(policy_add_device(&policy, &first), 0);
	assert_int_equal(policy_add_device(&policy, &second), 0);
	assert_int_equal(policy_add_redirect(&policy, &redirect), 0);
	redirect.device = 2;
	assert_int_equal(policy_add_redirect(&policy, &redirect), 0);
	for (uint32_t id = 1; id <= 2; id++) {
		add_line(id, IPPROTO_TCP, 443, 443, NULL);
		add_line(id, IPPROTO_TCP, 80, 80, "203.0.113.0/24");
		add_line(id, IPPROTO_UDP, 123, 123, "192.168.50.1");
		add_line(id, IPPROTO_TCP, 22, 22, "192.168.60.20");
	}
	assert_int_equal(ip_parse("203.0.113.53", &server.ip), 0);
	assert_int_equal(policy_add_name_server(&policy, &server), 0);
	assert_int_equal(policy_seal(&policy, reason), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	policy_free(&policy);
	return 0;
}

#define OUTSIDE WHY_PLACE_OUTSIDE
#define GATEWAY WHY_PLACE_GATEWAY
#define OWNER WHY_PLACE_OWNER
#define DEVICES WHY_PLACE_DEVICES
#define NOWHERE WHY_PLACE_NOWHERE
#define R(name) ISOLATION_REASON_##name

static const struct {
	const struct mac *who;
	enum why_place place;
	uint8_t protocol;
	uint16_t port;
	const char *to;
	bool admin;
	bool allowed;
	uint8_t reason;
	uint16_t upgraded;
} questions[] = {
	{&camera, OUTSIDE, 6, 443, "198.51.100.1", false, true, R(LINE), 0},
	{&camera, OUTSIDE, 6, 443, "2001:db8::1", false, true, R(LINE), 0},
	{&camera, OUTSIDE, 6, 444, "198.51.100.1", false, false, R(NO_LINE), 0},
	{&camera, OUTSIDE, 17, 443, "198.51.100.1", false, false, R(NO_LINE),
		0},
	{&camera, OUTSIDE, 6, 80, "203.0.113.9", false, true, R(LINE), 18100},
	{&camera, OUTSIDE, 6, 80, "203.0.114.9", false, false, R(NO_LINE), 0},
	/* Who is only observed is not sent into the proxy. */
	{&sensor, OUTSIDE, 6, 80, "203.0.113.9", false, true, R(LINE), 0},
	{&camera, OUTSIDE, 17, 53, "203.0.113.53", false, true, R(NAME_SERVER),
		0},
	{&camera, OUTSIDE, 6, 53, "203.0.113.54", false, false,
		R(NOT_NAME_SERVER), 0},
	/* "any" is not the owner's network, nor the gateway. */
	{&camera, OWNER, 6, 443, "192.168.60.20", false, false, R(OWNER), 0},
	{&camera, OWNER, 6, 22, "192.168.60.20", false, true, R(LINE), 0},
	{&camera, OWNER, 6, 23, "192.168.60.20", false, false, R(NO_LINE), 0},
	{&camera, GATEWAY, 6, 443, "192.168.50.1", false, false, R(GATEWAY), 0},
	{&camera, GATEWAY, 17, 123, "192.168.50.1", false, true, R(LINE), 0},
	{&camera, GATEWAY, 17, 124, "192.168.50.1", false, false, R(NO_LINE),
		0},
	{&camera, GATEWAY, 17, 67, "192.168.50.1", false, true, R(SERVICE), 0},
	{&stranger, GATEWAY, 17, 67, "192.168.50.1", false, true, R(SERVICE),
		0},
	{&camera, GATEWAY, 1, 0, "192.168.50.1", false, true, R(SERVICE), 0},
	{&stranger, GATEWAY, 1, 0, "192.168.50.1", false, false, R(STRANGER),
		0},
	{&camera, GATEWAY, 17, 53, "192.168.50.1", false, false,
		R(NOT_NAME_SERVER), 0},
	{&camera, GATEWAY, 6, 80, "192.168.50.1", false, false, R(UPGRADED), 0},
	{&stranger, GATEWAY, 6, 22, "192.168.50.1", true, true, R(ADMIN), 0},
	{&stranger, OUTSIDE, 6, 443, "198.51.100.1", true, false, R(STRANGER),
		0},
	{&stranger, OUTSIDE, 17, 53, "203.0.113.53", false, false, R(STRANGER),
		0},
	{&camera, DEVICES, 6, 443, "192.168.50.12", false, false, R(NEIGHBOUR),
		0},
	{&camera, NOWHERE, 6, 443, "10.9.9.9", false, false, R(NO_ROUTE), 0},
};

static void test_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		struct why_way way = {.place = questions[i].place,
			.admin = questions[i].admin,
			.zone_mode = RECORD_MODE_ENFORCE};
		struct flow flow = {.protocol = questions[i].protocol,
			.port = questions[i].port};
		struct isolation_because b = {.cookie = 5};

		assert_int_equal(ip_parse(questions[i].to, &flow.to), 0);
		why_decide(&policy, &way, questions[i].who, &flow, &b);
		if (b.allowed != questions[i].allowed ||
			b.reason != questions[i].reason ||
			b.upgraded != questions[i].upgraded || b.cookie != 5)
			fail_msg("question %zu: allowed %u reason %u", i,
				b.allowed, b.reason);
		assert_int_equal(b.has_line, b.reason == R(LINE) ||
						     b.reason == R(OWNER) ||
						     b.reason == R(GATEWAY));
	}
}

/* Ways inside, as lines with device:, zone: and gateway open them. */
static void test_passes(void **state)
{
	struct isolation_pass to_sensor = {.device = 1,
		.protocol = IPPROTO_TCP,
		.first = 8123,
		.last = 8123};
	struct isolation_pass gate = {.from_zone = 3,
		.protocol = IPPROTO_UDP,
		.first = 123,
		.last = 123};
	struct why_way way = {.place = DEVICES,
		.from_zone = 3,
		.to_zone = 4,
		.zone_mode = RECORD_MODE_ENFORCE};
	struct flow flow = {.protocol = IPPROTO_TCP, .port = 8123};
	struct isolation_because b = {0};
	struct policy inside = {0};
	struct isolation_device device = {.id = 1, .mac = camera};
	char reason[POLICY_REASON];

	(void)state;
	assert_int_equal(ip_parse("192.168.50.12", &to_sensor.to), 0);
	flow.to = to_sensor.to;
	assert_int_equal(policy_add_device(&inside, &device), 0);
	assert_int_equal(policy_add_pass(&inside, &to_sensor), 0);
	assert_int_equal(policy_add_pass(&inside, &gate), 0);
	assert_int_equal(policy_seal(&inside, reason), 0);
	why_decide(&inside, &way, &camera, &flow, &b);
	assert_int_equal(b.reason, R(PASS));
	assert_true(b.allowed && b.has_pass && b.pass.first == 8123);
	way.same_link = true;
	way.there_enforced = true;
	flow.port = 8124;
	why_decide(&inside, &way, &camera, &flow, &b);
	assert_int_equal(b.reason, R(NEIGHBOUR));
	assert_true(!b.allowed && b.same_link && b.there_enforced);
	flow.port = 8123;
	why_decide(&inside, &way, &sensor, &flow, &b);
	assert_int_equal(b.reason, R(STRANGER));
	flow = (struct flow){.protocol = IPPROTO_UDP, .port = 123};
	way.place = GATEWAY;
	why_decide(&inside, &way, &camera, &flow, &b);
	assert_int_equal(b.reason, R(PASS));
	way.from_zone = 5;
	why_decide(&inside, &way, &camera, &flow, &b);
	assert_int_equal(b.reason, R(NO_LINE));
	policy_free(&inside);
}

/* Zones of guests, those that let strangers in, and those that block them. */
static void test_strangers(void **state)
{
	struct isolation_allow line = {.device = 3, .last = 65535};
	struct why_way way = {.place = OUTSIDE,
		.from_zone = 3,
		.strangers = ISOLATION_STRANGERS_ALLOW};
	struct flow flow = {.protocol = IPPROTO_TCP, .port = 7};
	struct isolation_device device = {.id = 1, .mac = camera};
	struct isolation_because b = {0};
	struct policy inside = {0};
	char reason[POLICY_REASON];

	(void)state;
	assert_int_equal(ip_parse("198.51.100.1", &flow.to), 0);
	assert_int_equal(policy_add_device(&inside, &device), 0);
	assert_int_equal(policy_add_zone_allow(&inside, &line), 0);
	assert_int_equal(policy_seal(&inside, reason), 0);
	why_decide(&inside, &way, &stranger, &flow, &b);
	assert_int_equal(b.reason, R(ZONE_LINE));
	assert_true(b.allowed);
	/* A known device only where it is a guest, too. */
	why_decide(&inside, &way, &camera, &flow, &b);
	assert_int_equal(b.reason, R(NO_LINE));
	way.guest = true;
	why_decide(&inside, &way, &camera, &flow, &b);
	assert_int_equal(b.reason, R(ZONE_LINE));
	way.place = OWNER; /* any is the world outside */
	why_decide(&inside, &way, &stranger, &flow, &b);
	assert_true(!b.allowed);
	way.place = DEVICES;
	why_decide(&inside, &way, &stranger, &flow, &b);
	assert_true(!b.allowed);
	way.place = OUTSIDE;
	way.from_zone = 4;
	why_decide(&inside, &way, &stranger, &flow, &b);
	assert_int_equal(b.reason, R(STRANGER));
	way.place = GATEWAY;
	flow = (struct flow){.protocol = IPPROTO_UDP, .port = 67};
	why_decide(&inside, &way, &stranger, &flow, &b);
	assert_int_equal(b.reason, R(SERVICE));
	way.strangers = ISOLATION_STRANGERS_BLOCK;
	why_decide(&inside, &way, &stranger, &flow, &b);
	assert_int_equal(b.reason, R(STRANGER));
	policy_free(&inside);
}

static void test_modes(void **state)
{
	struct why_way way = {.zone_mode = RECORD_MODE_OBSERVE};
	struct flow flow = {.protocol = IPPROTO_TCP, .port = 9};
	struct isolation_because b = {0};

	(void)state;
	assert_int_equal(ip_parse("198.51.100.1", &flow.to), 0);
	why_decide(&policy, &way, &camera, &flow, &b);
	assert_int_equal(b.mode, RECORD_MODE_OBSERVE);
	way.zone_mode = RECORD_MODE_ENFORCE;
	why_decide(&policy, &way, &camera, &flow, &b);
	assert_int_equal(b.mode, RECORD_MODE_ENFORCE);
	why_decide(&policy, &way, &sensor, &flow, &b);
	assert_int_equal(b.mode, RECORD_MODE_OBSERVE);
	way.zone_mode = 0; /* nowhere seen: nothing is promised */
	why_decide(&policy, &way, &camera, &flow, &b);
	assert_int_equal(b.mode, RECORD_MODE_ENFORCE);
}

/* Only which device, and that it is asked for what passes. */
void limits_explain(const struct conf *conf, const struct conf_section *device,
	uint32_t id, bool observed, char *ret_text, size_t size)
{
	(void)conf;
	snprintf(ret_text, size, "%s %u%s", device->name, id,
		observed ? " observed" : "");
}

static const struct conf_key gateway_keys[] = {
	{"name-server", conf_check_ip_list, "addresses", true}};
static const struct conf_key device_keys[] = {
	{"mac", conf_check_mac, "a MAC"}, {"allow", NULL, "a line", true}};
static const struct conf_key upgrade_keys[] = {
	{"port", conf_check_port, "a port"},
	{"upstream-port", conf_check_port, "a port"}};
static const struct conf_schema gateway_schema = {
	"gateway", false, gateway_keys, ARRAY_SIZE(gateway_keys)};
static const struct conf_schema device_schema = {
	"device", true, device_keys, ARRAY_SIZE(device_keys)};
static const struct conf_schema upgrade_schema = {
	"upgrade", true, upgrade_keys, ARRAY_SIZE(upgrade_keys)};

static struct conf *make_conf(void)
{
	static const struct conf_schema *const all[] = {
		&gateway_schema, &device_schema, &upgrade_schema};
	static const char text[] = "[gateway]\nname-server = 203.0.113.53\n"
				   "[device camera]\nmac = 02:00:00:00:00:01\n"
				   "allow = udp/9 any\n"
				   "allow = tcp/443 any\n"
				   "[upgrade web]\nport = 80\n"
				   "upstream-port = 8443\n";
	struct conf *conf;

	assert_int_equal(conf_new(all, ARRAY_SIZE(all), &conf), 0);
	assert_int_equal(
		conf_parse(conf, "/etc/x.conf", text, sizeof(text) - 1), 0);
	assert_int_equal(conf_problem_count(conf), 0);
	conf_set_id(conf, conf_find(conf, "device", "camera"), 1);
	return conf;
}

static void explain(struct conf *conf, struct isolation_because because,
	const char *to, struct bus_because *words)
{
	if (to)
		assert_int_equal(ip_parse(to, &because.to), 0);
	because_explain(conf, &because, words);
}

static void test_words(void **state)
{
	struct conf *conf = make_conf();
	struct isolation_because b = {.cookie = 7,
		.device = 1,
		.protocol = IPPROTO_TCP,
		.port = 443,
		.allowed = 1,
		.reason = R(LINE),
		.mode = RECORD_MODE_ENFORCE,
		.has_line = 1,
		.line = {.device = 1,
			.protocol = IPPROTO_TCP,
			.first = 443,
			.last = 443}};
	struct bus_because words;

	(void)state;
	explain(conf, b, "198.51.100.1", &words);
	assert_int_equal(words.cookie, 7);
	assert_string_equal(words.rule, "/etc/x.conf:6: allow = tcp/443 any");
	assert_int_equal(words.passes, 1);
	assert_string_equal(words.advice, "");
	assert_string_equal(words.limits, "camera 1");
	/* A line that is no longer there is not made up. */
	b.line.first = b.line.last = 444;
	explain(conf, b, NULL, &words);
	assert_string_equal(words.rule, "");
	b.has_line = b.allowed = 0;
	b.reason = R(NO_LINE);
	explain(conf, b, "2001:db8::1", &words);
	assert_string_equal(words.advice, "allow = tcp/443 2001:db8::1    "
					  "(in [device camera], "
					  "/etc/x.conf:3)");
	assert_int_equal(words.passes, 0);
	assert_string_equal(words.limits, "");
	b.mode = RECORD_MODE_OBSERVE;
	explain(conf, b, NULL, &words);
	assert_string_equal(words.limits, "camera 1 observed");
	assert_int_equal(words.passes, 1);
	assert_int_equal(words.allowed, 0);
	b.reason = R(NO_ROUTE); /* nobody can let that pass */
	explain(conf, b, NULL, &words);
	assert_int_equal(words.passes, 0);
	b.reason = R(NAME_SERVER);
	b.allowed = 1;
	explain(conf, b, "203.0.113.53", &words);
	assert_string_equal(
		words.rule, "/etc/x.conf:2: name-server = 203.0.113.53");
	b.port = 80;
	b.upgraded = 18100;
	explain(conf, b, NULL, &words);
	assert_non_null(strstr(words.upgrade, "TLS to port 8443"));
	assert_non_null(strstr(words.upgrade, "[upgrade web], /etc/x.conf:7"));
	conf_free(conf);
}

static bool on_br0(const struct ip *ip, const char *interface)
{
	return ip->family == AF_INET && ip->b[2] == 50 &&
	       strcmp(interface, "br0") == 0;
}

static const struct {
	const char *text;
	const char *warned; /* NULL: nothing to warn of */
} admin_cases[] = {
	{"[zone a]\ninterface = br0\n", NULL},
	{"[gateway]\nadmin = 192.168.50.9\n[zone a]\ninterface = br0\n",
		"192.168.50.9"},
	{"[gateway]\nadmin = 192.168.60.9 fd00::1\n"
	 "[zone a]\ninterface = br0\n",
		NULL},
	{"[gateway]\nadmin = 192.168.50.9\n"
	 "[zone a]\ninterface = br0\nrole = owner\n",
		NULL},
	{"[gateway]\nadmin = 192.168.60.9\nadmin = 192.168.50.9\n"
	 "[zone a]\ninterface = br1 br0\n[device pc]\n"
	 "address = 192.168.50.8\n",
		"192.168.50.9"},
	{"[gateway]\nadmin = 192.168.50.9\n[zone a]\ninterface = br0\n"
	 "[device pc]\naddress = 192.168.50.8 192.168.50.9\n",
		NULL},
};

/* A device could take the owner's address and with it the owner's way in. */
static void test_admins(void **state)
{
	static const struct conf_key gateway_admin[] = {
		{"admin", conf_check_ip_list, "addresses", true}};
	static const struct conf_key zone[] = {
		{"interface", conf_check_ifname_list, "names"},
		{"role", NULL, "a role"}};
	static const struct conf_key device[] = {
		{"address", conf_check_ip_list, "addresses", true}};
	static const struct conf_schema one = {
		"gateway", false, gateway_admin, ARRAY_SIZE(gateway_admin)};
	static const struct conf_schema two = {
		"zone", true, zone, ARRAY_SIZE(zone)};
	static const struct conf_schema three = {
		"device", true, device, ARRAY_SIZE(device)};
	static const struct conf_schema *const all[] = {&one, &two, &three};
	struct state *s;

	(void)state;
	assert_int_equal(state_new(&s), 0);
	for (size_t i = 0; i < ARRAY_SIZE(admin_cases); i++) {
		const struct record_warning *w;
		struct conf *conf;

		assert_int_equal(conf_new(all, ARRAY_SIZE(all), &conf), 0);
		assert_int_equal(conf_parse(conf, "x", admin_cases[i].text,
					 strlen(admin_cases[i].text)),
			0);
		assert_int_equal(conf_problem_count(conf), 0);
		admins_review(s, conf, on_br0);
		w = state_warning_after(s, 0);
		assert_int_equal(w != NULL, admin_cases[i].warned != NULL);
		if (w)
			assert_non_null(strstr(w->text, admin_cases[i].warned));
		conf_free(conf);
	}
	state_free(s);
}

/* Every reason has words, a broken one too. */
static void test_all_reasons(void **state)
{
	struct conf *conf = make_conf();

	(void)state;
	for (uint8_t reason = 0; reason < 40; reason++) {
		struct isolation_because b = {
			.reason = reason, .device = 77, .has_line = 1};
		struct bus_because words;

		explain(conf, b, NULL, &words);
		assert_true(words.reason[0]);
	}
	conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_all_reasons),
		cmocka_unit_test(test_admins),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
