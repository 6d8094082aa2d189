/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions of the owner: the drop-in, what would stop, the way in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ctl/attempts.h"
#include "agent/ctl/dropin.h"
#include "agent/ctl/login.h"
#include "agent/ctl/plan.h"
#include "agent/ctl/view.h"

static void set(const char *text, const char *section, const char *key,
	const char *value, bool add, const char *expected)
{
	char *result = dropin_set(text, section, key, value, add);

	assert_string_equal(result, expected);
	free(result);
}

static void test_dropin_replace(void **state)
{
	(void)state;
	set("[gateway]\nmode = observe\n", "gateway", "mode", "enforce", false,
		"[gateway]\nmode = enforce\n");
	set("[gateway]\nmode = enforce\n", "gateway", "mode", "enforce", false,
		"[gateway]\nmode = enforce\n");
	set("; mine\n[zone a]\nmode=observe\n\n[zone b]\nmode = observe",
		"zone b", "mode", "enforce", false,
		"; mine\n[zone a]\nmode=observe\n\n[zone b]\nmode = enforce\n");
	/* Another section of a like name is not touched. */
	set("[zone ab]\nmode = observe\n", "zone a", "mode", "enforce", false,
		"[zone ab]\nmode = observe\n\n[zone a]\nmode = enforce\n");
	/* A like key neither. */
	set("[gateway]\nmodem = x\n; mode = y\n", "gateway", "mode", "enforce",
		false, "[gateway]\nmode = enforce\nmodem = x\n; mode = y\n");
}

static void test_dropin_new(void **state)
{
	char *text = dropin_set("", "device camera", "mode", "enforce", false);

	(void)state;
	assert_non_null(strstr(text, "SPDX-License-Identifier"));
	assert_non_null(strstr(text, "\n[device camera]\nmode = enforce\n"));
	free(text);
}

static void test_dropin_drop(void **state)
{
	char *text = dropin_drop("; mine\n[device a]\nmode = x\n\n"
				 "[device ab]\nmode = y\n[device a]\nz = 1\n",
		"device a");

	(void)state;
	assert_string_equal(text, "; mine\n[device ab]\nmode = y\n");
	free(text);
}

static void test_dropin_add(void **state)
{
	const char *once = "[gateway]\nadmin = 192.0.2.2\nmode = enforce\n";

	(void)state;
	set("[gateway]\nmode = enforce\n", "gateway", "admin", "192.0.2.2",
		true, once);
	set(once, "gateway", "admin", "192.0.2.2", true, once);
	set(once, "gateway", "admin", "2001:db8::2", true,
		"[gateway]\nadmin = 2001:db8::2\nadmin = 192.0.2.2\n"
		"mode = enforce\n");
}

static void test_dropin_remove(void **state)
{
	static const char *const text = "; mine\n[device a]\n"
					"address = 192.0.2.2\n"
					"address=192.0.2.3\n"
					"[device b]\naddress = 192.0.2.2\n";
	char *result = dropin_remove(text, "device a", "address", "192.0.2.2");

	(void)state;
	assert_string_equal(result, "; mine\n[device a]\n"
				    "address=192.0.2.3\n"
				    "[device b]\naddress = 192.0.2.2\n");
	free(result);
	/* Where it is not, nothing changes. */
	result = dropin_remove(text, "device b", "address", "192.0.2.3");
	assert_string_equal(result, text);
	free(result);
	result = dropin_remove("", "device b", "address", "192.0.2.3");
	assert_string_equal(result, "");
	free(result);
}

static const char configuration[] = "[gateway]\n"
				    "mode = observe\n"
				    "[zone things]\n"
				    "interface = br0 eth1\n"
				    "role = devices\n"
				    "\n"
				    "# [zone not]\n"
				    "[zone home]\n"
				    "interface = lan0\n"
				    "role = owner\n"
				    "[device camera]\n"
				    "mac = 02:00:00:00:00:01\n"
				    "mode = enforce\n"
				    "[device sensor]\n"
				    "mac = 02:00:00:00:00:02\n";

static void test_plan(void **state)
{
	struct plan plan = {0};

	(void)state;
	plan_scan(&plan, configuration);
	assert_non_null(plan_find(&plan, "zone", "things"));
	assert_null(plan_find(&plan, "zone", "not"));
	assert_string_equal(plan_zone_of(&plan, "eth1")->name, "things");
	assert_string_equal(plan_zone_of(&plan, "lan0")->role, "owner");
	assert_null(plan_zone_of(&plan, "eth"));
	assert_null(plan_zone_of(&plan, ""));
	assert_string_equal(plan_mode(&plan, "things", "camera"), "enforce");
	assert_string_equal(plan_mode(&plan, "things", "sensor"), "observe");
	plan_scan(&plan, "[zone things]\nmode = enforce\n");
	assert_string_equal(plan_mode(&plan, "things", "sensor"), "enforce");
	assert_string_equal(plan_mode(&plan, "home", ""), "observe");
	plan_set_mode(&plan, "device", "sensor", "observe");
	assert_string_equal(plan_mode(&plan, "things", "sensor"), "observe");
	plan_clear(&plan);
}

static struct view_device devices[] = {
	{.id = 1,
		.name = (char *)"camera",
		.mac = (char *)"02:00:00:00:00:01",
		.zone = (char *)"things",
		.decision = (char *)"approved",
		.isolation = (char *)"observed"},
	{.id = 2,
		.name = (char *)"sensor",
		.mac = (char *)"02:00:00:00:00:02",
		.zone = (char *)"things",
		.decision = (char *)"approved",
		.isolation = (char *)"observed"},
};

#define ATTEMPT(d, m, a, pr, po, n, o)                                     \
	{                                                                  \
		.device = (d), .mac = (char *)(m), .address = (char *)(a), \
		.protocol = (char *)(pr), .port = (po), .packets = (n),    \
		.observed = (o)                                            \
	}
static struct view_attempt attempts[] = {
	ATTEMPT(2, "02:00:00:00:00:02", "203.0.113.10", "tcp", 443, 3, 1),
	ATTEMPT(2, "02:00:00:00:00:02", "2001:db8::1", "icmpv6", 0x8000, 2, 1),
	ATTEMPT(2, "02:00:00:00:00:02", "2001:db8::1", "icmpv6", 0x8100, 2, 1),
	ATTEMPT(2, "02:00:00:00:00:02", "224.0.0.251", "udp", 5353, 9, 1),
	ATTEMPT(2, "02:00:00:00:00:02", "192.0.2.99", "tcp", 22, 9, 0),
	ATTEMPT(1, "02:00:00:00:00:01", "192.0.2.7", "tcp", 80, 1, 1),
	ATTEMPT(0, "02:00:00:00:00:66", "192.0.2.8", "47", 0, 1, 1),
};

static struct view view = {
	.devices = devices,
	.n_devices = ARRAY_SIZE(devices),
	.attempts = attempts,
	.n_attempts = ARRAY_SIZE(attempts),
};

static void test_allow(void **state)
{
	const struct view_attempt dns = ATTEMPT(
		2, "02:00:00:00:00:02", "192.0.2.53", "udp", 53, 1, 1);
	char text[ATTEMPTS_LINE];

	(void)state;
	assert_string_equal(attempts_allow(&attempts[0], text),
		"allow = tcp/443 203.0.113.10");
	assert_string_equal(
		attempts_allow(&attempts[1], text), "allow = icmp 2001:db8::1");
	assert_string_equal(attempts_allow(&attempts[3], text), "");
	assert_string_equal(
		attempts_allow(&attempts[6], text), "allow = any 192.0.2.8");
	/* "allow = udp/53 ..." would be an error of the configuration. */
	assert_string_equal(attempts_allow(&dns, text),
		"[gateway] name-server = 192.0.2.53");
}

static size_t preview(const char *type, const char *name, char **ret_text)
{
	struct plan before = {0}, after = {0};
	size_t size, n;
	FILE *out = open_memstream(ret_text, &size);

	plan_scan(&before, configuration);
	plan_scan(&after, configuration);
	plan_set_mode(&after, type, name, "enforce");
	n = attempts_print(&view, &before, &after, out, 80);
	fclose(out);
	plan_clear(&before);
	plan_clear(&after);
	return n;
}

static void test_preview(void **state)
{
	char *text;

	(void)state;
	/* camera enforces already: nothing of it stops now. */
	assert_int_equal(preview("gateway", "", &text), 4);
	assert_non_null(strstr(text, "sensor (02:00:00:00:00:02)\n"));
	assert_non_null(strstr(text, "tcp/443 to 203.0.113.10        3  "
				     "allow = tcp/443 203.0.113.10\n"));
	/* Two kinds of ICMP need one allow. */
	assert_non_null(strstr(text, "icmp to 2001:db8::1            4  "
				     "allow = icmp 2001:db8::1\n"));
	assert_non_null(strstr(text, "an announcement to all"));
	assert_non_null(strstr(text, "02:00:00:00:00:66: a stranger"));
	assert_null(strstr(text, "192.0.2.99")); /* dropped today, too */
	assert_null(strstr(text, "192.0.2.7"));
	free(text);
	assert_int_equal(preview("device", "sensor", &text), 3);
	assert_null(strstr(text, "stranger"));
	free(text);
	assert_int_equal(preview("zone", "home", &text), 0);
	free(text);
}

/* All of one device, whether it passed or not. */
static void test_tried(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(
		attempts_print_of(&view, "02:00:00:00:00:02", out, 80), 4);
	assert_int_equal(
		attempts_print_of(&view, "02:00:00:00:00:99", out, 80), 0);
	fclose(out);
	assert_non_null(strstr(text, "allow = tcp/22 192.0.2.99"));
	assert_null(strstr(text, "192.0.2.7"));
	free(text);
}

static void test_login(void **state)
{
	struct login login;

	(void)state;
	assert_int_equal(
		login_parse("192.0.2.7 50000 192.0.2.1 22", &login), 0);
	assert_true(login.remote);
	assert_string_equal(login.from, "192.0.2.7");
	assert_string_equal(login.to, "192.0.2.1");
	assert_int_equal(
		login_parse("fe80::1%eth0 1 ::ffff:192.0.2.1 22", &login), 0);
	assert_string_equal(login.from, "fe80::1");
	assert_string_equal(login.to, "192.0.2.1");
	assert_int_equal(login_parse("127.0.0.1 1 127.0.0.1 22", &login), 0);
	assert_false(login.remote);
	assert_int_equal(login_parse("", &login), -EINVAL);
	assert_int_equal(login_parse("x 1 y 2", &login), -EINVAL);
	assert_int_equal(login_parse("192.0.2.7 1", &login), -EINVAL);
	assert_int_equal(
		login_parse("192.0.2.7\nadmin=any 1 192.0.2.1 2", &login),
		-EINVAL);
}

static void test_find(void **state)
{
	const struct view_device *device = NULL;

	(void)state;
	assert_int_equal(view_find(&view, "cam", &device), 0);
	assert_ptr_equal(device, &devices[0]);
	assert_int_equal(view_find(&view, "02:00:00:00:00:02", &device), 0);
	assert_ptr_equal(device, &devices[1]);
	assert_int_equal(view_find(&view, "02:", &device), -ENOTUNIQ);
	assert_int_equal(view_find(&view, "", &device), -ENOENT);
	assert_int_equal(view_find(&view, "toaster", &device), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dropin_replace),
		cmocka_unit_test(test_dropin_new),
		cmocka_unit_test(test_dropin_drop),
		cmocka_unit_test(test_dropin_add),
		cmocka_unit_test(test_dropin_remove),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_preview),
		cmocka_unit_test(test_tried),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
