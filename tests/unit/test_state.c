/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent knows, its limits, and what observers are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/state.h"

static struct state *state;
static unsigned told_device, told_gone, told_warning, told_taken_back;
static uint32_t last_device;

static void on_device(void *arg, const struct record_device *device)
{
	(void)arg;
	told_device++;
	last_device = device->id;
}

static void on_gone(void *arg, uint32_t id)
{
	(void)arg;
	(void)id;
	told_gone++;
}

static void on_warning(void *arg, const struct record_warning *warning)
{
	(void)arg;
	(void)warning;
	told_warning++;
}

static void on_taken_back(void *arg, uint32_t id)
{
	(void)arg;
	(void)id;
	told_taken_back++;
}

static const struct state_observer observer = {.device = on_device,
	.device_gone = on_gone,
	.warning = on_warning,
	.warning_gone = on_taken_back};

static int set_up(void **arg)
{
	(void)arg;
	told_device = told_gone = told_warning = told_taken_back = 0;
	assert_int_equal(state_new(&state), 0);
	return 0;
}

static int tear_down(void **arg)
{
	(void)arg;
	state = state_free(state);
	return 0;
}

static struct record_device device_of(uint32_t id)
{
	struct record_device device = {.id = id};

	device.mac.b[0] = 2;
	memcpy(device.mac.b + 2, &id, 4);
	return device;
}

static void put(uint32_t id)
{
	struct record_device device = device_of(id);

	assert_int_equal(state_put_device(state, &device), 0);
}

static void test_devices_stay_in_order(void **arg)
{
	static const uint32_t ids[] = {5, 1, 3, RECORD_STRANGER_BASE, 2, 4};
	const struct record_device *device;
	uint32_t last = 0;
	unsigned n = 0;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		put(ids[i]);
	while ((device = state_device_after(state, last)) != NULL) {
		assert_true(device->id > last);
		last = device->id;
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(ids));
	assert_non_null(state_device(state, 3));
	assert_null(state_device(state, 6));
	assert_int_equal(
		state_device_by_mac(state, &state_device(state, 4)->mac)->id,
		4);
}

static void test_observer_hears_changes_only(void **arg)
{
	struct record_device device = device_of(7);

	(void)arg;
	put(1);
	state_observe(state, &observer); /* told what there is */
	assert_int_equal(told_device, 1);
	state_put_device(state, &device);
	state_put_device(state, &device); /* the same again */
	assert_int_equal(told_device, 2);
	assert_int_equal(last_device, 7);
	device.denied = 1;
	state_put_device(state, &device);
	assert_int_equal(told_device, 3);
	state_drop_device(state, 7);
	state_drop_device(state, 7);
	assert_int_equal(told_gone, 1);
	state_observe(state, NULL);
	put(8);
	assert_int_equal(told_device, 3);
}

static void test_strangers_are_limited(void **arg)
{
	struct record_device one_more = device_of(
		RECORD_STRANGER_BASE + RECORD_STRANGERS_MAX);

	(void)arg;
	for (uint32_t i = 0; i < RECORD_STRANGERS_MAX; i++)
		put(RECORD_STRANGER_BASE + i);
	assert_int_equal(state_put_device(state, &one_more), -ENOSPC);
	put(1); /* a configured device always has room */
	state_drop_device(state, RECORD_STRANGER_BASE);
	assert_int_equal(state_put_device(state, &one_more), 0);
}

static void test_warnings_are_kept_once(void **arg)
{
	const struct record_warning *warning;

	(void)arg;
	state_observe(state, &observer);
	put(1);
	assert_true(state_warn(
		state, 1, RECORD_SEVERITY_WARNING, "a.b", "%s: %d", "text", 1));
	assert_false(state_warn(
		state, 1, RECORD_SEVERITY_WARNING, "a.b", "%s: %d", "text", 1));
	assert_int_equal(told_warning, 1);
	assert_false(
		state_warn(state, 1, RECORD_SEVERITY_CRITICAL, "a.b", "other"));
	assert_int_equal(told_warning, 2);
	assert_true(
		state_warn(state, 2, RECORD_SEVERITY_INFO, "a.b", "another's"));
	warning = state_warning_after(state, 0);
	assert_string_equal(warning->text, "other");
	assert_non_null(state_warning_after(state, warning->id));
	state_drop_device(state, 1); /* its warnings go with it */
	assert_int_equal(told_taken_back, 1);
	state_unwarn(state, 2, "a.b");
	state_unwarn(state, 2, "a.b");
	assert_int_equal(told_taken_back, 2);
	assert_null(state_warning_after(state, 0));
}

static void test_warnings_are_limited(void **arg)
{
	unsigned kept = 0;

	(void)arg;
	for (uint32_t i = 1; i <= STATE_WARNINGS_MAX + 10; i++)
		kept += state_warn(
			state, i, RECORD_SEVERITY_INFO, "x", "%u", i);
	assert_int_equal(kept, STATE_WARNINGS_MAX);
}

static struct mac mac_of(uint32_t n)
{
	struct mac mac = {{2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n}};

	return mac;
}

static void expect_mac(uint32_t n, uint32_t id)
{
	struct mac mac = mac_of(n);
	const struct record_device *device = state_device_by_mac(state, &mac);

	assert_int_equal(device ? device->id : 0, id);
}

/* More than there are places in the tables, in three orders. */
static void test_many_devices(void **arg)
{
	static const uint32_t steps[] = {1, 4999, 4096};
	const struct record_device *device;
	uint32_t expected = 0;

	(void)arg;
	for (uint32_t i = 0; i < 15000; i++) {
		uint32_t id = i * steps[i / 5000] % 60000 + 1;
		struct record_device record = {.id = id, .mac = mac_of(id)};

		assert_int_equal(state_put_device(state, &record), 0);
	}
	for (uint32_t id = 1; id <= 60000; id++) {
		device = state_device(state, id);
		if (!device)
			continue;
		expect_mac(id, id);
		assert_ptr_equal(state_device_after(state, expected), device);
		expected = id;
	}
	assert_null(state_device_after(state, expected));
	for (uint32_t id = 1; id <= 60000; id += 2)
		state_drop_device(state, id);
	for (uint32_t id = 1; id <= 60000; id += 2)
		expect_mac(id, 0);
	expect_mac(2, 2);
}

static void test_mac_changes(void **arg)
{
	struct record_device record = {.id = 5, .mac = mac_of(1)};

	(void)arg;
	assert_int_equal(state_put_device(state, &record), 0);
	record.mac = mac_of(2);
	assert_int_equal(state_put_device(state, &record), 0);
	expect_mac(1, 0);
	expect_mac(2, 5);
	state_drop_device(state, 5);
	expect_mac(2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_devices_stay_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_observer_hears_changes_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_strangers_are_limited, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_warnings_are_kept_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_warnings_are_limited, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_many_devices, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_mac_changes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
