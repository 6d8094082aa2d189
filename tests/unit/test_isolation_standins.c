/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For whom the gateway answers, and what is written down of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/agent/standins.h"
#include "modules/isolation/standins_plan.h"

#define HEAD "gatehouse-host 1\nboot here\n"

static const struct topology_fact facts[] = {
	{.name = "br0", .index = 2, .bridge = true},
	{.name = "p1", .index = 3, .master = 2, .bridged = true},
	{.name = "wl0", .index = 4},
};

static struct ip parse(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static void add_zone(
	struct policy *policy, const char *name, uint8_t mode, uint16_t place)
{
	struct isolation_zone zone = {
		.role = ISOLATION_ROLE_DEVICES, .mode = mode, .zone = place};

	memcpy(zone.interface, name, strlen(name));
	assert_int_equal(policy_add_zone(policy, &zone), 0);
}

static void add_device(struct policy *policy, uint32_t id, const char *pin)
{
	struct isolation_device device = {
		.id = id, .mac = {{2, 0, 0, 0, 0, (uint8_t)id}}};
	struct isolation_pin row = {.device = id};

	assert_int_equal(policy_add_device(policy, &device), 0);
	if (pin) {
		row.ip = parse(pin);
		assert_int_equal(policy_add_pin(policy, &row), 0);
	}
}

/* 1 and 2 on br0, 3 on wl0, of 4 nothing is known. */
static void make(struct policy *policy, uint8_t mode)
{
	add_zone(policy, "br0", mode, 1);
	add_zone(policy, "wl0", RECORD_MODE_OBSERVE, 2);
	add_device(policy, 1, "fd00:50::11");
	add_device(policy, 2, "fd00:50::12");
	add_device(policy, 3, "fd00:51::13");
	add_device(policy, 4, NULL);
}

/* What comes of one way more, as text. */
static void expect(struct isolation_pass pass, const char *to, uint8_t mode,
	const char *wanted)
{
	const struct topology_address addresses[] = {
		{parse("fd00:50::1"), 2, 64}, {parse("192.168.50.1"), 2, 20},
		{parse("fd00:51::1"), 4, 64}};
	struct isolation_standin *rows;
	char reason[POLICY_REASON], said[256] = "", text[IP_TEXT];
	struct policy policy = {0};
	struct topology topology;
	bool full;
	size_t n;

	make(&policy, mode);
	pass.last = 65535;
	if (to)
		pass.to = parse(to);
	assert_int_equal(policy_add_pass(&policy, &pass), 0);
	assert_int_equal(policy_seal(&policy, reason), 0);
	topology_build(&policy, facts, ARRAY_SIZE(facts), &topology);
	n = standins_plan(&policy, &topology, addresses, ARRAY_SIZE(addresses),
		&rows, &full);
	assert_false(full);
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(said);

		assert_int_equal(rows[i].verb, ISOLATION_STANDIN_WISH);
		snprintf(said + at, sizeof(said) - at, "%s%s%s;",
			rows[i].interface, rows[i].ip.family ? " " : "",
			rows[i].ip.family ? ip_format(&rows[i].ip, text) : "");
	}
	assert_string_equal(said, wanted);
	free(rows);
	topology_free(&topology);
	policy_free(&policy);
}

static void test_plan(void **state)
{
	const struct isolation_pass from_1 = {.device = 1};
	const struct isolation_pass from_3 = {.device = 3};
	const struct isolation_pass from_4 = {.device = 4};
	const struct isolation_pass there = {.from_zone = 1};
	const struct isolation_pass other = {.from_zone = 2};
	const struct isolation_pass around = {.device = 1, .to_zone = 1};
	const struct isolation_pass across = {.device = 1, .to_zone = 2};
	const uint8_t on = RECORD_MODE_ENFORCE;

	(void)state;
	expect(from_1, "fd00:50::12", on,
		"br0;br0 fd00:50::11;br0 fd00:50::12;");
	expect(from_1, "fd00:50::12", RECORD_MODE_OBSERVE, "");
	expect(from_1, "192.168.63.255", on, "br0;");
	/* Behind other interfaces they meet by being routed. */
	expect(from_1, "192.168.64.1", on, "");
	expect(from_3, "fd00:50::12", on, "");
	expect(from_1, "fd00:51::13", on, "");
	expect(from_4, "fd00:50::12", on, "br0;br0 fd00:50::12;");
	expect(there, "fd00:50::12", on,
		"br0;br0 fd00:50::11;br0 fd00:50::12;");
	expect(other, "fd00:50::12", on, "");
	expect(around, NULL, on, "br0;br0 fd00:50::11;br0 fd00:50::12;");
	expect(across, NULL, on, "");
	/* The gateway itself. */
	expect(from_1, NULL, on, "");
}

static void test_too_many(void **state)
{
	const struct topology_address here = {parse("fd00:50::1"), 2, 64};
	struct isolation_standin *rows;
	char reason[POLICY_REASON];
	struct policy policy = {0};
	struct topology topology;
	bool full;

	(void)state;
	make(&policy, RECORD_MODE_ENFORCE);
	for (int i = 0; i < ISOLATION_STANDINS_MAX; i++) {
		struct isolation_pass pass = {.device = 4, .last = 65535};

		pass.to = parse("fd00:50::1:0");
		pass.to.b[14] = (uint8_t)(i >> 8);
		pass.to.b[15] = (uint8_t)i;
		assert_int_equal(policy_add_pass(&policy, &pass), 0);
	}
	assert_int_equal(policy_seal(&policy, reason), 0);
	topology_build(&policy, facts, ARRAY_SIZE(facts), &topology);
	assert_int_equal(
		standins_plan(&policy, &topology, &here, 1, &rows, &full),
		ISOLATION_STANDINS_MAX);
	assert_true(full);
	free(rows);
	topology_free(&topology);
	policy_free(&policy);
}

static void test_ledger(void **state)
{
	static const char text[] = HEAD "neighbour fd00:50::11%br0.5 7\n"
					"setting ipv6/conf/br0.5/proxy_ndp 0\n";
	static const char *const bad[] = {"neighbour fd00::1 7\n",
		"neighbour 192.168.50.1%br0 7\n", "neighbour fd00::1%../x 7\n",
		"neighbour fd00::1% 7\n", "neighbour %br0 7\n",
		"neighbour fd00::1%br0 0\n",
		"neighbour fd00::1%averylonginterface 7\n",
		"neighbour xd00::1%br0 7\n"};
	static struct ledger ledger;
	char line[128], name[16], *again;
	struct ip ip;

	(void)state;
	assert_int_equal(ledger_parse(text, strlen(text), &ledger), 0);
	assert_int_equal(ledger.n, 2);
	assert_int_equal(
		ledger_neighbour(ledger.entries[0].name, &ip, name), 0);
	assert_string_equal(name, "br0.5");
	again = ledger_format(&ledger);
	assert_string_equal(again, text);
	free(again);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), HEAD "%s", bad[i]);
		assert_int_equal(
			ledger_parse(line, strlen(line), &ledger), -EBADMSG);
	}
}

static void test_messages(void **state)
{
	static struct standins standins;
	static struct ledger ledger;
	struct isolation_standin row = {.index = 7};

	(void)state;
	assert_int_equal(standins_add(&standins, &row), -EINVAL);
	memcpy(row.interface, "ghnone0", 7);
	row.ip = parse("192.168.50.1");
	assert_int_equal(standins_add(&standins, &row), -EINVAL);
	memset(&row.ip, 0, sizeof(row.ip));
	row.index = 0;
	assert_int_equal(standins_add(&standins, &row), -EINVAL);
	row.index = 7;
	assert_int_equal(standins_add(&standins, &row), 0);
	/* An interface that has gone: nothing to do, nothing to owe. */
	assert_int_equal(standins_note(&standins, &ledger), 0);
	assert_int_equal(ledger.n, 0);
	while (standins.n < ISOLATION_STANDINS_MAX)
		assert_int_equal(standins_add(&standins, &row), 0);
	assert_int_equal(standins_add(&standins, &row), -EINVAL);
}

/* What is owed for an interface that has gone is forgotten; ports are not. */
static void test_put_back(void **state)
{
	static const char text[] = HEAD
		"port ghnone0 7\nneighbour fd00::1%ghnone0 7\n"
		"setting ipv4/conf/ghnone0/proxy_arp_pvlan 0\n";
	static struct standins none;
	static struct ledger ledger;

	(void)state;
	assert_int_equal(ledger_parse(text, strlen(text), &ledger), 0);
	assert_int_equal(standins_note(&none, &ledger), 0);
	assert_int_equal(standins_do(&none, &ledger), 1);
	assert_int_equal(ledger.n, 1);
	assert_int_equal(ledger.entries[0].kind, LEDGER_PORT);
	assert_int_equal(standins_do(&none, &ledger), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
