/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways between those inside: what the configuration says, what is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/agent/allow.h"
#include "modules/isolation/agent/members.h"
#include "modules/isolation/agent/passes.h"
#include "modules/isolation/agent/publish.h"
#include "modules/isolation/agent/strangers.h"
#include "modules/isolation/kernel/flows.h"
#include "modules/isolation/policy.h"

static int anything(const char *text)
{
	(void)text;
	return 0;
}

static const struct conf_key zone_keys[] = {
	{"interface", conf_check_ifname_list, "interfaces"},
	{"role", anything, "a role"},
	{"allow-from", passes_check_from, "zones, or device:NAME", true},
	{"allow", anything, "anything", true},
	{"default", strangers_check_default, "quarantine, allow or block"},
};
static const struct conf_key device_keys[] = {
	{"allow", anything, "anything", true},
	{"allow-from", passes_check_from, "zones, or device:NAME", true},
	{"address", conf_check_ip_list, "addresses", true},
	{"publish", anything, "ports", true},
	{"shared-mac", anything, "yes or no"},
	{"zone", anything, "a zone"},
	{"decision", anything, "a decision"},
};
static const struct conf_schema zone_schema = {
	"zone", true, zone_keys, ARRAY_SIZE(zone_keys)};
static const struct conf_schema device_schema = {
	"device", true, device_keys, ARRAY_SIZE(device_keys)};
static const struct conf_schema *const schemas[] = {
	&zone_schema, &device_schema};

#define ZONES                           \
	"[zone things]\n"               \
	"interface = br0\n"             \
	"[zone home]\nrole = owner\n"   \
	"[zone lamps]\n"                \
	"[zone out]\nrole = uplink\n"   \
	"[device camera]\n"             \
	"[device hub]\n"                \
	"address = 192.0.2.7 fd00::7\n" \
	"[device lamp]\n"

/* The agent: takes the messages. */
struct agent {
	struct policy policy;
};

uint32_t agent_device_id(
	const struct conf *conf, const struct conf_section *device)
{
	uint32_t id = 1;

	for (const struct conf_section *d = conf_next(conf, "device", NULL);
		d != device; d = conf_next(conf, "device", d))
		id++;
	return id;
}

int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	assert_string_equal(module, "isolation");
	assert_int_equal(fd, -1);
	if (type == ISOLATION_PUBLISH) {
		assert_int_equal(size, sizeof(struct isolation_pass));
		return policy_add_publish(&agent->policy, message);
	}
	if (type == ISOLATION_ZONE_ALLOW) {
		assert_int_equal(size, sizeof(struct isolation_allow));
		return policy_add_zone_allow(&agent->policy, message);
	}
	assert_int_equal(type, ISOLATION_PASS);
	assert_int_equal(size, sizeof(struct isolation_pass));
	return policy_add_pass(&agent->policy, message);
}

static struct conf *parse(const char *more)
{
	struct conf *conf;
	char text[1024];

	/* A later file may go on with a section. */
	snprintf(text, sizeof(text), "%s%s",
		more[0] == '[' ? "" : "[device lamp]\n", more);
	assert_int_equal(conf_new(schemas, ARRAY_SIZE(schemas), &conf), 0);
	assert_int_equal(conf_parse(conf, "one", ZONES, strlen(ZONES)), 0);
	assert_int_equal(conf_parse(conf, "two", text, strlen(text)), 0);
	members_check(conf);
	passes_check(conf);
	strangers_check(conf);
	publish_check(conf);
	return conf;
}

static void test_complaints(void **state)
{
	static const struct {
		const char *text, *why;
	} lines[] = {
		{"allow = tcp/80 device:nobody", "there is no [device nobody]"},
		{"allow = tcp/80 device:lamp", "that is the device itself"},
		{"allow = tcp/80 device:camera\n[device camera]\n"
		 "shared-mac = yes",
			"where is it, among those behind its MAC address? "
			"Expected an address line in [device camera]"},
		{"allow = tcp/80 zone:nowhere", "there is no [zone nowhere]"},
		{"allow = tcp/80 zone:home", "[zone home] is the owner's own"},
		{"allow = tcp/80 zone:out", "which is called any"},
		{"allow = tcp/80 example.org", "not looked up yet"},
		{"address = 192.0.2.9\nallow-from = nowhere",
			"there is no [zone nowhere]"},
		{"address = 192.0.2.9\nallow-from = device:nobody",
			"there is no [device nobody]"},
		{"address = 192.0.2.9\nallow-from = device:lamp",
			"that is the device itself"},
		{"address = 192.0.2.9\nallow-from = out",
			"that is the world outside"},
		{"shared-mac = yes\nallow-from = things", "where is it, "},
		{"allow-from = a/b", "expected zones, or device:NAME"},
		{"zone = nowhere", "there is no [zone nowhere]"},
		{"zone = home", "its role is owner, which goes by interfaces"},
		{"zone = out", "its role is uplink"},
		{"shared-mac = yes\nzone = lamps", "(shared-mac)"},
		{"publish = tcp/443", "where is it?"},
		{"address = 192.0.2.9\npublish = any", "open too much"},
		{"address = 192.0.2.9\npublish = tcp", "open too much"},
		{"address = 192.0.2.9\npublish = icmp", "open too much"},
		{"address = 192.0.2.9\npublish = tcp/0", "is no port"},
		{"address = 192.0.2.9\npublish = udp/443 http", "no protocol"},
		{"[zone home]\nallow-from = things", "no zone of devices"},
		{"[zone home]\ndefault = allow", "[zone home] is no zone of"},
		{"[zone guests]\nrole = guest\ndefault = block",
			"guests reach the world outside"},
		{"[zone lamps]\ndefault = maybe", "expected quarantine"},
		{"[zone lamps]\nallow = tcp/80 any",
			"expected default = allow"},
		{"shared-mac = yes\n[zone lamps]\ndefault = allow\n"
		 "allow = tcp/80 device:lamp",
			"where is it, "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct conf *conf = parse(lines[i].text);

		if (conf_problem_count(conf) != 1 ||
			!strstr(conf_problem(conf, 0)->text, lines[i].why))
			fail_msg("%s: %zu, %s", lines[i].text,
				conf_problem_count(conf),
				conf_problem_count(conf)
					? conf_problem(conf, 0)->text
					: "no problem");
		conf_free(conf);
	}
}

static void expect(const struct policy_array *passes, size_t at,
	const struct isolation_pass *wanted, const char *to)
{
	const struct isolation_pass *all = passes->items;
	struct isolation_pass w = *wanted;

	if (to)
		assert_int_equal(ip_parse(to, &w.to), 0);
	assert_true(at < passes->n);
	assert_memory_equal(&all[at], &w, sizeof(w));
}

static void test_sent(void **state)
{
	struct conf *conf = parse("allow = tcp/80 device:hub\n"
				  "allow = udp/9-10 gateway\n"
				  "allow = tcp/443 any\n"
				  "allow = any zone:lamps\n"
				  "[device hub]\n"
				  "allow-from = things home device:camera\n"
				  "[zone lamps]\n"
				  "allow-from = things device:hub lamps\n");
	struct agent agent = {{{0}}};
	const struct policy *p = &agent.policy;

	(void)state;
	assert_int_equal(conf_problem_count(conf), 0);
	assert_int_equal(passes_send(&agent, conf), 0);
	assert_int_equal(p->passes.n, 7);
	assert_int_equal(p->zone_passes.n, 4);
	/* From the hub's section, from the lamp's, from the zone's. */
	expect(&p->passes, 0, &(struct isolation_pass){1, .last = 65535},
		"192.0.2.7");
	expect(&p->passes, 1, &(struct isolation_pass){1, .last = 65535},
		"fd00::7");
	expect(&p->passes, 2,
		&(struct isolation_pass){
			3, .protocol = 6, .first = 80, .last = 80},
		"192.0.2.7");
	expect(&p->passes, 4,
		&(struct isolation_pass){
			3, .protocol = 17, .first = 9, .last = 10},
		NULL);
	expect(&p->passes, 5, &(struct isolation_pass){3, 0, 3, .last = 65535},
		NULL);
	expect(&p->passes, 6, &(struct isolation_pass){2, 0, 3, .last = 65535},
		NULL);
	expect(&p->zone_passes, 0,
		&(struct isolation_pass){0, 1, .last = 65535}, "192.0.2.7");
	expect(&p->zone_passes, 2,
		&(struct isolation_pass){0, 1, 3, .last = 65535}, NULL);
	expect(&p->zone_passes, 3,
		&(struct isolation_pass){0, 3, 3, .last = 65535}, NULL);
	/* And to wherever they are else. */
	assert_int_equal(p->follows.n, 2);
	expect(&p->follows, 0,
		&(struct isolation_pass){1, .last = 65535, .to_device = 2},
		NULL);
	expect(&p->follows, 1,
		&(struct isolation_pass){3, .protocol = 6, .first = 80,
			.last = 80, .to_device = 2},
		NULL);
	assert_int_equal(p->zone_follows.n, 1);
	policy_free(&agent.policy);
	conf_free(conf);
}

/* A zone is those behind its interfaces, and each device that names it. */
static void test_members(void **state)
{
	struct conf *conf = parse("zone = phones\n"
				  "[device camera]\nzone = lamps\n"
				  "[device lost]\nzone = lamps\n"
				  "decision = quarantine\n"
				  "[zone phones]\n"
				  "[zone lamps]\nallow-from = phones\n");
	struct agent agent = {{{0}}};
	const struct policy *p = &agent.policy;
	const struct conf_section *zone = conf_find(conf, "zone", "phones");

	(void)state;
	assert_int_equal(conf_problem_count(conf), 0);
	assert_ptr_equal(members_next(conf, zone, NULL),
		conf_find(conf, "device", "lamp"));
	assert_null(
		members_next(conf, zone, conf_find(conf, "device", "lamp")));
	assert_null(members_zone(conf, conf_find(conf, "device", "hub")));
	assert_int_equal(passes_send(&agent, conf), 0);
	assert_int_equal(p->zone_passes.n, 1);
	expect(&p->zone_passes, 0,
		&(struct isolation_pass){0, 5, 3, .last = 65535}, NULL);
	assert_int_equal(p->zone_follows.n, 1);
	expect(&p->zone_follows, 0,
		&(struct isolation_pass){0, 5, .last = 65535, .to_device = 1},
		NULL);
	assert_int_equal(p->passes.n, 1);
	expect(&p->passes, 0, &(struct isolation_pass){3, 0, 3, .last = 65535},
		NULL);
	assert_int_equal(p->follows.n, 1);
	expect(&p->follows, 0,
		&(struct isolation_pass){3, .last = 65535, .to_device = 1},
		NULL);
	policy_free(&agent.policy);
	conf_free(conf);
}

/* Guests reach any, strangers that are let in what the lines say. */
static void test_strangers(void **state)
{
	struct conf *conf = parse("[zone guests]\nrole = guest\n"
				  "[zone lamps]\ndefault = allow\n"
				  "allow = tcp/443 192.0.2.0/24\n"
				  "allow = udp/9 gateway\n");
	struct agent agent = {{{0}}};
	const struct isolation_allow *a;
	struct flow flow = {.port = 443, .protocol = 6};

	(void)state;
	assert_int_equal(conf_problem_count(conf), 0);
	assert_int_equal(passes_send(&agent, conf), 0);
	assert_int_equal(strangers_send(&agent, conf), 0);
	expect(&agent.policy.zone_passes, 0,
		&(struct isolation_pass){
			0, 3, .protocol = 17, .first = 9, .last = 9},
		NULL);
	assert_int_equal(agent.policy.zone_allows.n, 2);
	a = agent.policy.zone_allows.items;
	assert_int_equal(a[0].device, 3);
	assert_int_equal(a[0].length, 24);
	assert_int_equal(a[1].device, 5);
	assert_int_equal(a[1].last, 65535);
	assert_int_equal(strangers_of(conf_find(conf, "zone", "guests")),
		ISOLATION_STRANGERS_ALLOW);
	assert_int_equal(strangers_of(conf_find(conf, "zone", "things")),
		ISOLATION_STRANGERS_QUARANTINE);
	assert_int_equal(strangers_of(conf_find(conf, "zone", "home")),
		ISOLATION_STRANGERS_QUARANTINE);
	assert_int_equal(ip_parse("192.0.2.9", &flow.to), 0);
	assert_true(flows_zone_allowed(&agent.policy, 3, &flow));
	assert_true(flows_zone_allowed(&agent.policy, 5, &flow));
	assert_false(flows_zone_allowed(&agent.policy, 1, &flow));
	flow.port = 80;
	assert_false(flows_zone_allowed(&agent.policy, 3, &flow));
	policy_free(&agent.policy);
	conf_free(conf);
}

static void test_published(void **state)
{
	struct conf *conf = parse("address = 192.0.2.9\n"
				  "publish = tcp/443 udp/5000-5010\n");
	const struct isolation_pass bad[] = {
		{.to = {AF_INET, {192, 0, 2, 9}}, .last = 1},
		{1, .last = 1},
		{1, 1, 0, {AF_INET, {192, 0, 2, 9}}, .last = 1},
		{1, 0, 0, {AF_INET, {192, 0, 2, 9}}, .first = 2, .last = 1},
	};
	struct agent agent = {{{0}}};

	(void)state;
	assert_int_equal(conf_problem_count(conf), 0);
	assert_int_equal(publish_send(&agent, conf), 0);
	assert_int_equal(agent.policy.publishes.n, 2);
	expect(&agent.policy.publishes, 0,
		&(struct isolation_pass){
			3, .protocol = 6, .first = 443, .last = 443},
		"192.0.2.9");
	expect(&agent.policy.publishes, 1,
		&(struct isolation_pass){
			3, .protocol = 17, .first = 5000, .last = 5010},
		"192.0.2.9");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			policy_add_publish(&agent.policy, &bad[i]), -EINVAL);
	policy_free(&agent.policy);
	conf_free(conf);
}

/* What no agent sends. */
static void test_bad_passes(void **state)
{
	const struct ip ip = {AF_INET, {192, 0, 2, 7}};
	const struct ip bad = {AF_INET, {192, 0, 2, 7, 1}};
	const struct ip nothing = {0, {1}};
	const struct isolation_pass passes[] = {
		{.to = ip, .last = 1}, /* from nobody */
		{1, 1, 0, ip, .last = 1}, /* from two */
		{1, 0, 1, ip, .last = 1}, /* to two */
		{1, 0, 0, bad, .last = 1},
		{1, 0, 0, nothing, .last = 1},
		{1, 0, 0, ip, .zero = 1, .last = 1},
		{1, 0, 0, ip, .first = 2, .last = 1},
		{1, ISOLATION_ZONES_MAX + 1, 0, ip, .last = 1},
		{1, 0, ISOLATION_ZONES_MAX + 1, .last = 1},
		{1, 0, 0, ip, .last = 1, .to_device = 2}, /* to two */
		{1, 0, 1, .last = 1, .to_device = 2},
	};
	struct isolation_pass orphan = {1, 0, 0, ip, .last = 1};
	struct policy p = {0};
	char reason[POLICY_REASON] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(passes); i++)
		assert_int_equal(policy_add_pass(&p, &passes[i]), -EINVAL);
	assert_int_equal(policy_add_pass(&p, &orphan), 0);
	assert_int_equal(policy_seal(&p, reason), -EINVAL);
	assert_non_null(strstr(reason, "number 1"));
	policy_free(&p);
}

/* Which live connections a new policy still wants. */
static void test_flows(void **state)
{
	const struct ip hub = {AF_INET, {192, 0, 2, 7}};
	const struct ip other = {AF_INET, {192, 0, 2, 8}};
	const struct isolation_pass passes[] = {
		{1, 0, 0, hub, 6, 0, 80, 90},
		{1, .protocol = 17, .first = 9, .last = 9}, /* gateway */
		{0, 2, 3, .last = 65535},
	};
	const struct {
		struct flow_ends ends;
		struct flow flow;
		bool passed;
	} cases[] = {
		{{1, 9, 9, false}, {.to = hub, .port = 80, .protocol = 6},
			true},
		{{1, 9, 9, false}, {.to = hub, .port = 91, .protocol = 6}},
		{{1, 9, 9, false}, {.to = hub, .port = 80, .protocol = 17}},
		{{1, 9, 9, false}, {.to = other, .port = 80, .protocol = 6}},
		{{2, 9, 9, false}, {.to = hub, .port = 80, .protocol = 6}},
		{{1, 9, 0, true}, {.to = other, .port = 9, .protocol = 17},
			true},
		{{1, 9, 0, false}, {.to = other, .port = 9, .protocol = 17}},
		{{7, 2, 3, false}, {.to = other, .protocol = 1}, true},
		{{7, 3, 2, false}, {.to = other, .protocol = 1}},
		{{7, 2, 3, false}, {.to = other, .port = 53, .protocol = 17}},
	};
	struct policy p = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(passes); i++)
		assert_int_equal(policy_add_pass(&p, &passes[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (flows_passed(&p, &cases[i].ends, &cases[i].flow) !=
			cases[i].passed)
			fail_msg("case %zu", i);
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_bad_passes),
		cmocka_unit_test(test_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
