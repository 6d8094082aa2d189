/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as text and as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/lib/net.h"

static void test_mac(void **state)
{
	static const char *const bad[] = {"", "02:00:00:00:00", "x",
		"02:00:00:00:00:0g", "02-00:00:00:00:01", "02:00:00:00:00:011",
		"01:00:5e:00:00:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff",
		"020000000001", "02 00 00 00 00 01", " 02:00:00:00:00:1"};
	struct mac mac = {{9}}, other;
	char text[MAC_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mac_parse(bad[i], &mac), -EINVAL);
	assert_int_equal(mac.b[0], 9); /* untouched on failure */
	assert_int_equal(mac_parse("02-00-0A-bc-00-01", &mac), 0);
	assert_string_equal(mac_format(&mac, text), "02:00:0a:bc:00:01");
	assert_int_equal(mac_parse(text, &other), 0);
	assert_true(mac_equal(&mac, &other));
}

static void test_ip(void **state)
{
	static const char *const good[] = {"0.0.0.0", "192.168.1.1",
		"255.255.255.255", "::", "2001:db8::1", "fe80::1"};
	static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "256.1.1.1",
		"01.2.3.4 ", "fe80::1%eth0", "2001:db8:::1", "host"};
	struct ip ip;
	char text[IP_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(ip_parse(good[i], &ip), 0);
		assert_string_equal(ip_format(&ip, text), good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ip_parse(bad[i], &ip), -EINVAL);
}

static void test_prefix(void **state)
{
	static const struct {
		const char *text;
		int length; /* -1: refused */
	} rows[] = {{"10.0.0.0/8", 8}, {"10.0.0.1", 32}, {"0.0.0.0/0", 0},
		{"10.0.0.1/8", -1}, {"10.0.0.0/33", -1}, {"10.0.0.0/", -1},
		{"10.0.0.0/-1", -1}, {"10.0.0.0/8x", -1}, {"10.0.0.0/0008", -1},
		{"/8", -1}, {"2001:db8::/32", 32}, {"2001:db8::1/32", -1},
		{"2001:db8::1", 128}, {"::/0", 0}, {"2001:db8::/129", -1},
		{"192.168.1.128/25", 25}, {"192.168.1.128/24", -1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t length = 0;
		struct ip ip;
		int r = ip_parse_prefix(rows[i].text, &ip, &length);

		assert_int_equal(r, rows[i].length < 0 ? -EINVAL : 0);
		if (r == 0)
			assert_int_equal(length, rows[i].length);
	}
}

static void test_sockaddr(void **state)
{
	struct sockaddr_storage sa;
	struct ip ip, back;
	uint16_t port;

	(void)state;
	assert_int_equal(ip_parse("::ffff:192.0.2.1", &ip), 0);
	assert_int_equal(
		ip_to_sockaddr(&ip, 80, &sa), sizeof(struct sockaddr_in6));
	assert_int_equal(
		ip_from_sockaddr((struct sockaddr *)&sa, &back, &port), 0);
	assert_int_equal(back.family, AF_INET); /* a mapped one is IPv4 */
	assert_int_equal(port, 80);
	assert_int_equal(ip_parse("192.0.2.1", &ip), 0);
	assert_true(ip_equal(&ip, &back));
	assert_int_equal(
		ip_to_sockaddr(&ip, 81, &sa), sizeof(struct sockaddr_in));
	assert_int_equal(
		ip_from_sockaddr((struct sockaddr *)&sa, &back, &port), 0);
	assert_true(ip_equal(&ip, &back));
	sa.ss_family = AF_UNIX;
	assert_int_equal(ip_from_sockaddr((struct sockaddr *)&sa, &back, &port),
		-EAFNOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_sockaddr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
