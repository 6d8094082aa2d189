/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What values may look like, at the edges, and the nearest known name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/lib/conf.h"

#define X10 "xxxxxxxxxx"
#define X31 X10 X10 X10 "x"
#define X63 X31 X31 "x"
#define X253 X63 "." X63 "." X63 "." X31 X10 X10 X10

struct sample {
	conf_check check;
	const char *text;
	bool good;
};

static const struct sample samples[] = {
	{conf_check_name, "a", true},
	{conf_check_name, "9.x_y-Z", true},
	{conf_check_name, X31, true},
	{conf_check_name, X31 "x", false},
	{conf_check_name, "", false},
	{conf_check_name, ".", false},
	{conf_check_name, "..", false},
	{conf_check_name, "-a", false},
	{conf_check_name, "_a", false},
	{conf_check_name, "a b", false},
	{conf_check_name, "a/b", false},
	{conf_check_name, "a\xc3\xa9", false},
	{conf_check_name_list, "mqtt http", true},
	{conf_check_name_list, "mqtt, http,x", true},
	{conf_check_name_list, "mqtt", true},
	{conf_check_name_list, "", false},
	{conf_check_name_list, " , ", false},
	{conf_check_name_list, "mqtt ../x", false},
	{conf_check_mac, "02:00:00:00:00:01", true},
	{conf_check_mac, "02:00:00:00:00:0g", false},
	{conf_check_ip, "192.0.2.1", true},
	{conf_check_ip, "2001:db8::1", true},
	{conf_check_ip, "192.0.2.1/32", false},
	{conf_check_ip, "192.0.2.1 192.0.2.2", false},
	{conf_check_ip_list, "192.0.2.1,2001:db8::1", true},
	{conf_check_ip_list, "192.0.2.1,example", false},
	{conf_check_ip_list, "", false},
	{conf_check_hostname, "a", true},
	{conf_check_hostname, "broker.example", true},
	{conf_check_hostname, "3com.example", true},
	{conf_check_hostname, "1.2.3.4x", true},
	{conf_check_hostname, "xn--bcher-kva.example", true},
	{conf_check_hostname, X63 ".x", true},
	{conf_check_hostname, X63 "x.x", false},
	{conf_check_hostname, X253, true},
	{conf_check_hostname, X253 "x", false},
	{conf_check_hostname, "", false},
	{conf_check_hostname, ".", false},
	{conf_check_hostname, "a..b", false},
	{conf_check_hostname, ".a", false},
	{conf_check_hostname, "a.", false},
	{conf_check_hostname, "-a.b", false},
	{conf_check_hostname, "a-.b", false},
	{conf_check_hostname, "a_b", false},
	{conf_check_hostname, "a b", false},
	{conf_check_hostname, "*.example", false},
	{conf_check_hostname, "192.0.2.1", false},
	{conf_check_hostname, "1", false},
	{conf_check_hostname, "::1", false},
	{conf_check_hostname,
		"b\xc3\xbc"
		"cher.example",
		false},
	{conf_check_bool, "yes", true},
	{conf_check_bool, "off", true},
	{conf_check_bool, "Yes", false},
	{conf_check_bool, "1", false},
	{conf_check_bool, "", false},
	{conf_check_port, "1", true},
	{conf_check_port, "65535", true},
	{conf_check_port, "0", false},
	{conf_check_port, "65536", false},
	{conf_check_port, "+1", false},
	{conf_check_port, "-1", false},
	{conf_check_port, " 1", false},
	{conf_check_port, "0x1", false},
	{conf_check_port, "18446744073709551617", false},
	{conf_check_port, "", false},
	{conf_check_ifname, "br0", true},
	{conf_check_ifname, "eth1.10", true},
	{conf_check_ifname, "wlan0-1", true},
	{conf_check_ifname, "exactly15bytes.", true},
	{conf_check_ifname, "exactly16bytes..", false},
	{conf_check_ifname, "", false},
	{conf_check_ifname, ".", false},
	{conf_check_ifname, "..", false},
	{conf_check_ifname, "a/b", false},
	{conf_check_ifname, "a:1", false},
	{conf_check_ifname, "wlan*", false},
	{conf_check_ifname, "-a", false},
	{conf_check_ifname, "a\"b", false},
	{conf_check_ifname, "br0 br1", false},
	{conf_check_ifname_list, "br0 br1,br2", true},
	{conf_check_ifname_list, "br0 br/1", false},
	{conf_check_path, "/", true},
	{conf_check_path, "/etc/ssl/a..b/..c", true},
	{conf_check_path, "etc/ssl", false},
	{conf_check_path, "", false},
	{conf_check_path, "/..", false},
	{conf_check_path, "/etc/../shadow", false},
	{conf_check_path, "/etc/..", false},
	{conf_check_mode, "observe", true},
	{conf_check_mode, "enforce", true},
	{conf_check_mode, "observe ", false},
	{conf_check_mode, "", false},
};

static void test_checks(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		int r = samples[i].check(samples[i].text);

		if (r == (samples[i].good ? 0 : -EINVAL))
			continue;
		print_error("sample %zu \"%s\": %d\n", i, samples[i].text, r);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void test_bool(void **state)
{
	static const char *const yes[] = {"yes", "true", "on"};
	static const char *const no[] = {"no", "false", "off"};
	bool value;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		value = false;
		assert_int_equal(conf_read_bool(yes[i], &value), 0);
		assert_true(value);
		assert_int_equal(conf_read_bool(no[i], &value), 0);
		assert_false(value);
	}
	value = true;
	assert_int_equal(conf_read_bool("maybe", &value), -EINVAL);
	assert_true(value);
}

static void test_number(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_int_equal(conf_read_number("11", 0, 10, &n), -EINVAL);
	assert_int_equal(conf_read_number("4", 5, 10, &n), -EINVAL);
	assert_int_equal(n, 7);
	assert_int_equal(conf_read_number("10", 0, 10, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(conf_read_number("007", 0, 10, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(
		conf_read_number("18446744073709551615", 0, UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(
		conf_read_number("18446744073709551616", 0, UINT64_MAX, &n),
		-EINVAL);
}

static void test_words(void **state)
{
	const char *rest = " one,\ttwo , abcd ";
	char word[5];

	(void)state;
	assert_int_equal(conf_next_word(&rest, word, sizeof(word)), 1);
	assert_string_equal(word, "one");
	assert_int_equal(conf_next_word(&rest, word, sizeof(word)), 1);
	assert_string_equal(word, "two");
	assert_int_equal(conf_next_word(&rest, word, sizeof(word)), 1);
	assert_string_equal(word, "abcd");
	assert_int_equal(conf_next_word(&rest, word, sizeof(word)), 0);
	assert_int_equal(conf_next_word(&rest, word, sizeof(word)), 0);
	rest = "abcde";
	assert_int_equal(conf_next_word(&rest, word, sizeof(word)), -EINVAL);
}

static void expect_near(const char *word, const char *expected)
{
	static const char *const known[] = {
		"mode", "log-level", "mac", "support-ends", "port", "role"};
	const char *near = conf_nearest(word, known, ARRAY_SIZE(known));

	if (!expected)
		assert_null(near);
	else
		assert_string_equal(near ? near : "nothing", expected);
}

static void test_nearest(void **state)
{
	(void)state;
	expect_near("mdoe", "mode"); /* swapped */
	expect_near("mod", "mode"); /* left out */
	expect_near("modee", "mode"); /* added */
	expect_near("node", "mode"); /* changed */
	expect_near("MODE", "mode");
	expect_near("log_level", "log-level");
	expect_near("loglevels", "log-level"); /* two away */
	expect_near("loglevls_", NULL); /* three */
	expect_near("suport-end", "support-ends");
	expect_near("mc", "mac");
	expect_near("ma", "mac");
	expect_near("m", NULL);
	expect_near("", NULL);
	expect_near("xx", NULL);
	expect_near("rale", "role"); /* one away beats two */
	expect_near(X63, NULL);
	assert_null(conf_nearest("mode", NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
