/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent's half of isolation reads: allow lines and logins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utmpx.h>

#include "modules/isolation/agent/allow.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/isolation/agent/logins.h"
#include "modules/isolation/agent/pins.h"

static void test_good_lines(void **state)
{
	static const struct {
		const char *text;
		uint8_t protocol;
		uint16_t first, last;
		const char *to; /* NULL: any */
		uint8_t length;
	} lines[] = {
		{"tcp/1883 203.0.113.10", 6, 1883, 1883, "203.0.113.10", 32},
		{"udp/5000-5010 198.51.100.0/24", 17, 5000, 5010,
			"198.51.100.0", 24},
		{"tcp/443 any", 6, 443, 443, NULL, 0},
		{"icmp any", 1, 0, 65535, NULL, 0},
		{"any any", 0, 0, 65535, NULL, 0},
		{"any 10.0.0.0/8", 0, 0, 65535, "10.0.0.0", 8},
		{"tcp 2001:db8::/32", 6, 0, 65535, "2001:db8::", 32},
		{"udp/1-65535 2001:db8::1", 17, 1, 65535, "2001:db8::1", 128},
		{"  tcp/7   192.0.2.1  ", 6, 7, 7, "192.0.2.1", 32},
		{"tcp/50-60 any", 6, 50, 60, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char reason[ALLOW_REASON] = "";
		struct isolation_allow a;
		struct ip ip = {0};

		if (allow_parse(lines[i].text, &a, reason) < 0)
			fail_msg("%s: %s", lines[i].text, reason);
		if (lines[i].to)
			assert_int_equal(ip_parse(lines[i].to, &ip), 0);
		assert_int_equal(a.protocol, lines[i].protocol);
		assert_int_equal(a.first, lines[i].first);
		assert_int_equal(a.last, lines[i].last);
		assert_int_equal(a.length, lines[i].length);
		assert_true(ip_equal(&a.to, &ip));
	}
}

/* What is skipped unread must never be a way to somebody inside. */
static void test_outside(void **state)
{
	static const char *const inside[] = {"tcp/443 device:hub",
		"tcp/443 device:2", "udp/1 zone:5g", "any gateway",
		"tcp/443  device:hub ", "device:hub", "", "tcp/443\tdevice:9"};

	(void)state;
	assert_true(allow_is_outside("tcp/1883 203.0.113.10"));
	assert_true(allow_is_outside("udp/5000 2001:db8::1"));
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
		assert_false(allow_is_outside(inside[i]));
}

static void test_bad_lines(void **state)
{
	static const struct {
		const char *text, *why;
	} lines[] = {
		{"", "expected a protocol and an address"},
		{"tcp/443", "expected a protocol and an address"},
		{"tcp/443 any any", "expected a protocol and an address"},
		{"sctp/443 any", "'sctp' is no protocol"},
		{"TCP/443 any", "'TCP' is no protocol"},
		{"tcp/0 any", "'0' is no port"},
		{"tcp/65536 any", "'65536' is no port"},
		{"tcp/-1 any", "is no port"},
		{"tcp/1- any", "'' is no port"},
		{"tcp/ any", "'' is no port"},
		{"tcp/http any", "'http' is no port"},
		{"tcp/10-9 any", "runs backwards"},
		{"icmp/8 any", "icmp has no ports"},
		{"any/80 any", "any has no ports"},
		{"tcp/53 any", "name-server"},
		{"udp/53 192.0.2.1", "name-server"},
		{"tcp/443 example.org", "'example.org' is a name, and names "
					"are not looked up yet"},
		{"tcp/443 *.example.org", "not looked up yet"},
		{"tcp/443 device:", "no name behind the colon"},
		{"tcp/443 zone:a/b", "no name behind the colon"},
		{"tcp/53 device:hub", "name-server"},
		{"tcp/443 gateway", "is no address"}, /* has its own parser */
		{"tcp/443 192.0.2.1/24", "no bits behind"},
		{"tcp/443 192.0.2.0/33", "is no address"},
		{"tcp/443 0.0.0.0/0", "write any"},
		{"tcp/443 ::/0", "write any"},
		{"tcp/443 0123456789012345678901234567890123456789012345678"
		 "90123456789012345678901234567890",
			"expected a protocol"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char reason[ALLOW_REASON] = "";
		struct isolation_allow a = {.device = 99};

		assert_int_equal(
			allow_parse(lines[i].text, &a, reason), -EINVAL);
		if (!strstr(reason, lines[i].why))
			fail_msg("%s: '%s' does not say '%s'", lines[i].text,
				reason, lines[i].why);
		assert_int_equal(a.device, 99);
	}
}

static struct utmpx entry(short type, const char *user, const char *address)
{
	struct utmpx e = {.ut_type = type};
	struct ip ip = {0};

	strncpy(e.ut_user, user, sizeof(e.ut_user) - 1);
	if (address) {
		assert_int_equal(ip_parse(address, &ip), 0);
		memcpy(e.ut_addr_v6, ip.b, sizeof(ip.b));
	}
	return e;
}

static size_t add(short type, const char *user, const char *address)
{
	struct utmpx e = entry(type, user, address);
	struct ip list[4];

	return logins_add(&e, list, 0, ARRAY_SIZE(list));
}

static void test_logins_who(void **state)
{
	(void)state;
	assert_int_equal(add(USER_PROCESS, "root", "192.168.1.10"), 1);
	assert_int_equal(add(USER_PROCESS, "root", "2001:db8::10"), 1);
	assert_int_equal(add(USER_PROCESS, "root", NULL), 0); /* console */
	assert_int_equal(add(LOGIN_PROCESS, "LOGIN", "192.168.1.10"), 0);
	assert_int_equal(add(DEAD_PROCESS, "root", "192.168.1.10"), 0);
	assert_int_equal(add(USER_PROCESS, "", "192.168.1.10"), 0);
	assert_int_equal(add(USER_PROCESS, "root", "127.0.0.1"), 0);
	assert_int_equal(add(USER_PROCESS, "root", "::1"), 0);
	assert_int_equal(add(USER_PROCESS, "root", "224.0.0.1"), 0);
	assert_int_equal(add(USER_PROCESS, "root", "255.255.255.255"), 0);
	assert_int_equal(add(USER_PROCESS, "root", "ff02::1"), 0);
}

static void test_logins_list(void **state)
{
	struct utmpx e = entry(USER_PROCESS, "root", "192.168.1.10");
	struct ip list[2], wanted;
	size_t n;

	(void)state;
	n = logins_add(&e, list, 0, ARRAY_SIZE(list));
	n = logins_add(&e, list, n, ARRAY_SIZE(list));
	assert_int_equal(n, 1);
	assert_int_equal(ip_parse("192.168.1.10", &wanted), 0);
	assert_true(ip_equal(&list[0], &wanted));
	/* The same over an IPv6 socket is the same. */
	memset(e.ut_addr_v6, 0, sizeof(e.ut_addr_v6));
	memset((uint8_t *)e.ut_addr_v6 + 10, 0xff, 2);
	memcpy((uint8_t *)e.ut_addr_v6 + 12, wanted.b, 4);
	n = logins_add(&e, list, n, ARRAY_SIZE(list));
	assert_int_equal(n, 1);
	e = entry(USER_PROCESS, "root", "192.168.1.11");
	n = logins_add(&e, list, n, ARRAY_SIZE(list));
	e = entry(USER_PROCESS, "root", "192.168.1.12");
	n = logins_add(&e, list, n, ARRAY_SIZE(list));
	assert_int_equal(n, 2);
}

static const struct conf_key keys[] = {
	{"address", conf_check_ip_list, "addresses", true, ""},
};
static const struct conf_schema devices = {"device", true, keys, 1};

static bool own(const struct ip *ip)
{
	struct ip gateway;

	assert_int_equal(ip_parse("192.168.50.1", &gateway), 0);
	return ip_equal(ip, &gateway);
}

/* What is said of the configuration, as one text; empty: nothing. */
static const char *complaints(const char *text)
{
	const struct conf_schema *list[] = {&devices};
	static char said[1024];
	struct conf *c;
	size_t used = 0;

	said[0] = 0;
	assert_int_equal(conf_new(list, 1, &c), 0);
	assert_int_equal(conf_parse(c, "test", text, strlen(text)), 0);
	pins_check(c, own);
	for (size_t i = 0; i < conf_problem_count(c); i++) {
		const struct conf_problem *p = conf_problem(c, i);

		used += (size_t)snprintf(said + used, sizeof(said) - used,
			"%s:%u: %s\n", p->file, p->line, p->text);
		assert_true(used < sizeof(said));
	}
	conf_free(c);
	return said;
}

static void test_good_pins(void **state)
{
	(void)state;
	assert_string_equal(complaints("[device a]\n"
				       "address = 192.168.50.11 fd00::11\n"
				       "address = fe80::11\n"
				       "[device b]\n"
				       "address = 192.168.50.12\n"),
		"");
	/* Twice the same is no contradiction. */
	assert_string_equal(complaints("[device a]\n"
				       "address = fd00::11, fd00:0::11\n"),
		"");
}

static void test_bad_pins(void **state)
{
	static const char *const none[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"};

	(void)state;
	assert_string_equal(complaints("[device a]\n"
				       "address = 192.168.50.11\n"
				       "[device b]\n"
				       "address = fd00::1\n"
				       "address = 192.168.50.11\n"),
		"test:5: address = 192.168.50.11: belongs to [device a] "
		"already\n");
	assert_string_equal(complaints("[device a]\n\n"
				       "address = 192.168.50.1\n"),
		"test:3: address = 192.168.50.1: that is the gateway's own "
		"address\n");
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		char text[80];

		snprintf(text, sizeof(text), "[device a]\naddress = %s\n",
			none[i]);
		if (!strstr(complaints(text), "no address of one device"))
			fail_msg("%s passes", none[i]);
	}
}

static void test_pin_limit(void **state)
{
	char text[1024] = "[device a]\naddress =";
	size_t used = strlen(text);

	(void)state;
	for (int i = 0; i < ISOLATION_PINS_EACH; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, " 10.0.0.%d", i + 1);
	assert_string_equal(complaints(text), "");
	snprintf(text + used, sizeof(text) - used, "\naddress = 10.0.1.1\n");
	assert_string_equal(complaints(text),
		"test:3: address: more than 16 addresses of one device\n");
}

static void test_own_address(void **state)
{
	struct ip local, other;

	(void)state;
	assert_int_equal(ip_parse("203.0.113.77", &other), 0);
	assert_false(pins_own_address(&other));
	assert_int_equal(ip_parse("127.0.0.1", &local), 0);
	if (!pins_own_address(&local))
		skip(); /* not even a loopback here */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_lines),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_good_pins),
		cmocka_unit_test(test_bad_pins),
		cmocka_unit_test(test_pin_limit),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_logins_who),
		cmocka_unit_test(test_logins_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
