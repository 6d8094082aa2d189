/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's tables as text, and what the doctor makes of a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/doctor.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue ...\n"
#define TAIL " 00000000:00000000 00:00000000 00000000     0        0 "

static const char tcp[] = HEAD
	"   0: 00000000:0016 00000000:0000 0A" TAIL "4711 1 0 100 0 0 10 0\n"
	"   1: 0100007F:0277 00000000:0000 0A" TAIL "4712 1 0 100 0 0 10 0\n"
	"   2: 0132A8C0:0016 0A32A8C0:D431 01" TAIL "4713 1 0 100 0 0 10 0\n";

static size_t parse(
	const char *text, bool is_tcp, bool six, struct procnet_socket *list)
{
	return procnet_parse_sockets(text, is_tcp, six, list, 0, 8);
}

static void test_sockets(void **state)
{
	struct procnet_socket list[8];
	char ip[IP_TEXT];

	(void)state;
	assert_int_equal(parse(tcp, true, false, list), 2);
	assert_int_equal(list[0].port, 22);
	assert_int_equal(list[0].inode, 4711);
	assert_string_equal(ip_format(&list[0].ip, ip), "0.0.0.0");
	assert_string_equal(ip_format(&list[1].ip, ip), "127.0.0.1");
	assert_int_equal(parse("   9: 00000000000000000000000001000000:0035 "
			       "00000000000000000000000000000000:0000 07" TAIL
			       "99 2 0 0\n",
				 false, true, list),
		1);
	assert_string_equal(ip_format(&list[0].ip, ip), "::1");
	assert_int_equal(list[0].port, 53);
}

static void test_sockets_malformed(void **state)
{
	static const char *const bad[] = {"", "\n\n", HEAD, "0: 00000000:0016",
		"   0: 000000:0016 00000000:0000 0A" TAIL "4711\n",
		"   0: 0000000G:0016 00000000:0000 0A" TAIL "4711\n",
		"   0: 00000000:0000 00000000:0000 0A" TAIL "4711\n",
		"   0: 00000000:0016 00000000:0000 0A\n"};
	struct procnet_socket list[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], true, false, list), 0);
	/* The limit. */
	assert_int_equal(
		procnet_parse_sockets(tcp, true, false, list, 7, 8), 8);
}

static void test_routes(void **state)
{
	static const char four[] =
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t"
		"Mask\t\tMTU\tWindow\tIRTT\n"
		"eth1\t00000000\t0102A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
		"eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
		"lan0\t0032A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
	static const char six[] =
		"00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00 "
		"fe800000000000000000000000000001 00000400 00000001 00000000 "
		"00000003     wan0\n"
		"00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 ffffffff 00000001 00000000 "
		"00200200       lo\n";
	char name[16];

	(void)state;
	assert_int_equal(procnet_default4(four, name), 0);
	assert_string_equal(name, "eth0");
	assert_int_equal(procnet_default6(six, name), 0);
	assert_string_equal(name, "wan0");
	assert_int_equal(procnet_default4("", name), -ENOENT);
	assert_int_equal(procnet_default4(strstr(four, "lan0"), name), -ENOENT);
	assert_int_equal(
		procnet_default6(strchr(six, '\n') + 1, name), -ENOENT);
}

static void test_fdb(void **state)
{
	static const uint8_t bytes[] = {2, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 1,
		0, 0, 0, /* the bridge's own: */ 2, 0, 0, 0, 0, 2, 3, 1, 0, 0,
		0, 0, 0, 0, 0, 0, /* cut off: */ 2, 0};
	struct procnet_fdb list[4];

	(void)state;
	assert_int_equal(procnet_parse_fdb(bytes, sizeof(bytes), list, 4), 1);
	assert_int_equal(list[0].port, 0x103);
	assert_int_equal(list[0].mac.b[5], 1);
	assert_int_equal(procnet_parse_fdb(bytes, sizeof(bytes), list, 0), 0);
}

static void test_private(void **state)
{
	static const struct {
		const char *ip;
		bool is;
	} cases[] = {{"10.0.0.1", true}, {"172.16.0.1", true},
		{"172.32.0.1", false}, {"192.168.1.1", true},
		{"100.64.0.1", true}, {"100.128.0.1", false},
		{"203.0.113.1", false}, {"fd00::1", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip ip;

		assert_int_equal(ip_parse(cases[i].ip, &ip), 0);
		assert_int_equal(procnet_is_private(&ip), cases[i].is);
	}
}

static struct doctor_facts facts;
static struct doctor_report report;

/* A host on which nothing is wrong. */
static int set_up(void **state)
{
	static const struct doctor_facts good = {
		.config_read = true,
		.interfaces = {{.name = "br0",
			.zone = "things",
			.devices = true,
			.present = true,
			.has_ipv4 = true}},
		.n_interfaces = 1,
		.ports = {{.name = "br0", .is_bridge = true, .macs = 9},
			{.name = "p1", .zone = "things", .macs = 1}},
		.n_ports = 2,
		.sockets = {{.port = 67}},
		.n_sockets = 1,
		.forward4 = 1,
		.forward6 = 1,
		.bridge_nf = -1,
		.rp_filter = 2,
		.default4 = "wan0",
		.uplink = {AF_INET, {203, 0, 113, 1}},
		.kernel = DOCTOR_WORKS,
		.daemon_runs = true,
		.root = true,
	};

	(void)state;
	facts = good;
	return 0;
}

/* The first finding; the most serious. */
static void expect(enum doctor_severity severity, const char *code)
{
	doctor_judge(&facts, &report);
	assert_true(report.n > 0);
	assert_string_equal(report.findings[0].code, code);
	assert_int_equal(report.findings[0].severity, severity);
	if (severity == DOCTOR_GOOD)
		return;
	assert_non_null(report.findings[0].why);
	assert_true(report.findings[0].what[0]);
	assert_true(report.findings[0].advice[0]);
}

static void test_healthy(void **state)
{
	(void)state;
	doctor_judge(&facts, &report);
	for (size_t i = 0; i < report.n; i++)
		assert_int_equal(report.findings[i].severity, DOCTOR_GOOD);
	assert_true(report.n >= 5);
}

static void test_each_problem(void **state)
{
	(void)state;
	facts.interfaces[0].present = false;
	expect(DOCTOR_PROBLEM, "zone.missing");
	(void)set_up(NULL);
	facts.interfaces[0].is_port = true;
	expect(DOCTOR_PROBLEM, "zone.port");
	(void)set_up(NULL);
	facts.interfaces[0].has_ipv4 = false;
	expect(DOCTOR_PROBLEM, "zone.no-address");
	(void)set_up(NULL);
	facts.interfaces[0].devices = false;
	expect(DOCTOR_PROBLEM, "zone.none");
	(void)set_up(NULL);
	facts.n_sockets = 0;
	expect(DOCTOR_PROBLEM, "dhcp.none");
	(void)set_up(NULL);
	facts.default4[0] = 0;
	expect(DOCTOR_PROBLEM, "path.no-default");
	(void)set_up(NULL);
	facts.forward4 = 0;
	expect(DOCTOR_PROBLEM, "forward.ipv4");
	(void)set_up(NULL);
	facts.kernel = DOCTOR_FAILS;
	expect(DOCTOR_PROBLEM, "kernel");
	(void)set_up(NULL);
	facts.daemon_runs = false;
	expect(DOCTOR_PROBLEM, "daemon");
	(void)set_up(NULL);
	facts.ports[1].wifi.verdict = WIFI_OPEN;
	expect(DOCTOR_PROBLEM, "wifi.open");
	facts.ports[1].wifi.verdict = WIFI_CANNOT;
	expect(DOCTOR_PROBLEM, "wifi.cannot");
}

static void test_each_advice(void **state)
{
	(void)state;
	facts.uplink.b[0] = 10;
	expect(DOCTOR_ADVICE, "path.double-nat");
	(void)set_up(NULL);
	memcpy(facts.default6, "wan0", 5);
	facts.forward6 = 0;
	expect(DOCTOR_ADVICE, "forward.ipv6");
	(void)set_up(NULL);
	facts.bridge_nf = 1;
	expect(DOCTOR_ADVICE, "bridge-nf");
	(void)set_up(NULL);
	facts.rp_filter = 0;
	expect(DOCTOR_ADVICE, "rp-filter");
	(void)set_up(NULL);
	memcpy(facts.tables, "ip nat", 7);
	expect(DOCTOR_ADVICE, "firewall.others");
	(void)set_up(NULL);
	facts.kernel = DOCTOR_UNTRIED;
	expect(DOCTOR_ADVICE, "kernel.untried");
	(void)set_up(NULL);
	facts.ports[1].macs = 2;
	expect(DOCTOR_ADVICE, "switch");
	(void)set_up(NULL);
	facts.sockets[1] = (struct procnet_socket){.port = 22, .tcp = true};
	memcpy(facts.sockets[1].program, "sshd", 5);
	facts.n_sockets = 2;
	expect(DOCTOR_ADVICE, "listeners");
	assert_non_null(strstr(report.findings[0].what, "sshd tcp/22"));
}

static void test_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < DOCTOR_PORTS_MAX; i++) {
		facts.ports[i] = facts.ports[1];
		facts.ports[i].macs = 2;
	}
	facts.n_ports = DOCTOR_PORTS_MAX;
	doctor_judge(&facts, &report);
	assert_int_equal(report.n, DOCTOR_FINDINGS_MAX);
}

#define HOST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_sockets_malformed),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_fdb),
		cmocka_unit_test(test_private),
		HOST(test_healthy),
		HOST(test_each_problem),
		HOST(test_each_advice),
		HOST(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
