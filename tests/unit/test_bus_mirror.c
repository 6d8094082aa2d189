/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bus worker's copy of the state: what is new, what has changed. */
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

#include "modules/bus/mirror.h"

static struct record_device device_of(uint32_t id, const char *name)
{
	struct record_device device = {.id = id, .mode = RECORD_MODE_OBSERVE};

	snprintf(device.name, sizeof(device.name), "%s", name);
	return device;
}

static struct record_warning warning_of(uint32_t id, const char *text)
{
	struct record_warning warning = {
		.id = id, .severity = RECORD_SEVERITY_INFO};

	snprintf(warning.text, sizeof(warning.text), "%s", text);
	return warning;
}

static void put(struct mirror *mirror, uint32_t id)
{
	struct record_device device = device_of(id, "x");

	assert_int_equal(mirror_put_device(mirror, &device), 0);
}

static void test_sorted(void **state)
{
	static const uint32_t ids[] = {5, 1, 9, 3, 0x40000000, 7, 2};
	struct mirror mirror = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		put(&mirror, ids[i]);
	assert_int_equal(mirror.n_devices, ARRAY_SIZE(ids));
	for (size_t i = 1; i < mirror.n_devices; i++)
		assert_true(mirror.devices[i - 1]->record.id <
			    mirror.devices[i]->record.id);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(
			mirror_device(&mirror, ids[i])->record.id, ids[i]);
	assert_null(mirror_device(&mirror, 4));
	assert_int_equal(mirror_drop_device(&mirror, 5), 0);
	assert_int_equal(mirror_drop_device(&mirror, 5), 0);
	assert_null(mirror_device(&mirror, 5));
	assert_non_null(mirror_device(&mirror, 7));
	mirror_clear(&mirror);
}

static void test_changed_names(void **state)
{
	const char *names[MIRROR_PROPERTIES_MAX + 1];
	struct record_device device = device_of(1, "camera");
	struct mirror mirror = {0};

	(void)state;
	assert_int_equal(mirror_put_device(&mirror, &device), 0);
	mirror_forget_changes(&mirror);
	assert_false(mirror_is_dirty(&mirror));
	assert_int_equal(mirror_put_device(&mirror, &device), 0);
	assert_false(mirror_is_dirty(&mirror));
	device.denied = 7;
	assert_int_equal(mirror_put_device(&mirror, &device), 0);
	device.mode = RECORD_MODE_ENFORCE;
	assert_int_equal(mirror_put_device(&mirror, &device), 0);
	assert_true(mirror_is_dirty(&mirror));
	assert_int_equal(mirror_changed_names(mirror_device_fields,
				 mirror_n_device_fields,
				 mirror.devices[0]->dirty, names),
		2);
	assert_string_equal(names[0], "Mode");
	assert_string_equal(names[1], "Denied");
	assert_null(names[2]);
	mirror_clear(&mirror);
}

static void test_every_field_counts(void **state)
{
	struct record_device device = device_of(1, "camera");
	struct mirror mirror = {0};

	(void)state;
	for (size_t i = 0; i < mirror_n_device_fields; i++) {
		struct record_device other = device;

		assert_int_equal(mirror_put_device(&mirror, &device), 0);
		mirror_forget_changes(&mirror);
		((char *)&other)[mirror_device_fields[i].offset] ^= 1;
		assert_int_equal(mirror_put_device(&mirror, &other), 0);
		assert_int_equal(mirror.devices[0]->dirty, 1u << i);
	}
	mirror_clear(&mirror);
}

static void test_gone(void **state)
{
	struct mirror mirror = {0};

	(void)state;
	put(&mirror, 1);
	assert_int_equal(mirror_drop_device(&mirror, 1), 0);
	assert_int_equal(mirror.n_gone, 0); /* nobody was told of it */
	put(&mirror, 1);
	mirror_forget_changes(&mirror);
	assert_int_equal(mirror_drop_device(&mirror, 1), 0);
	assert_int_equal(mirror.n_gone, 1);
	/* Back before it was told: not gone, but all of it may differ. */
	put(&mirror, 1);
	assert_int_equal(mirror.n_gone, 0);
	assert_true(mirror.devices[0]->announced);
	assert_int_equal(
		mirror.devices[0]->dirty, (1u << mirror_n_device_fields) - 1);
	mirror_clear(&mirror);
}

static void test_warnings(void **state)
{
	struct record_warning warning = warning_of(7, "one");
	struct mirror mirror = {0};

	(void)state;
	assert_int_equal(mirror_put_warning(&mirror, &warning), 1);
	warning = warning_of(3, "two");
	assert_int_equal(mirror_put_warning(&mirror, &warning), 1);
	warning = warning_of(7, "three");
	assert_int_equal(mirror_put_warning(&mirror, &warning), 0);
	assert_int_equal(mirror.n_warnings, 2);
	assert_int_equal(mirror.warnings[0].id, 3);
	assert_string_equal(mirror_warning(&mirror, 7)->text, "three");
	assert_null(mirror_warning(&mirror, 5));
	assert_true(mirror_drop_warning(&mirror, 3));
	assert_false(mirror_drop_warning(&mirror, 3));
	assert_int_equal(mirror.n_warnings, 1);
	mirror_clear(&mirror);
}

static void test_bad_messages(void **state)
{
	struct record_device device = device_of(0, "none");
	struct record_warning warning = warning_of(1, "x");
	struct mirror mirror = {0};

	(void)state;
	assert_int_equal(mirror_put_device(&mirror, &device), -EBADMSG);
	device = device_of(1, "");
	memset(device.name, 'a', sizeof(device.name));
	assert_int_equal(mirror_put_device(&mirror, &device), -EBADMSG);
	memset(warning.text, 'a', sizeof(warning.text));
	assert_int_equal(mirror_put_warning(&mirror, &warning), -EBADMSG);
	/* Broken UTF-8 would cost us the bus: it is mended, not passed on. */
	device = device_of(1, "a\xc3(");
	assert_int_equal(mirror_put_device(&mirror, &device), 0);
	assert_string_equal(mirror.devices[0]->record.name, "a?(");
	mirror_clear(&mirror);
}

static void test_limits(void **state)
{
	struct record_warning warning;
	struct record_device device = device_of(MIRROR_DEVICES_MAX + 1, "x");
	struct mirror mirror = {0};

	(void)state;
	for (uint32_t id = 1; id <= MIRROR_DEVICES_MAX; id++)
		put(&mirror, id);
	assert_int_equal(mirror_put_device(&mirror, &device), -ENOSPC);
	put(&mirror, 1); /* a known one still changes */
	for (uint32_t id = 1; id <= MIRROR_WARNINGS_MAX; id++) {
		warning = warning_of(id, "x");
		assert_int_equal(mirror_put_warning(&mirror, &warning), 1);
	}
	warning = warning_of(MIRROR_WARNINGS_MAX + 1, "x");
	assert_int_equal(mirror_put_warning(&mirror, &warning), -ENOSPC);
	mirror_clear(&mirror);
}

static void test_gateway(void **state)
{
	const char *names[MIRROR_PROPERTIES_MAX + 1];
	struct record_gateway gateway = {.state = RECORD_STATE_RUNNING};
	struct mirror mirror = {0};

	(void)state;
	assert_int_equal(mirror_put_gateway(&mirror, &gateway), 0);
	gateway.observed = 1;
	assert_int_equal(mirror_put_gateway(&mirror, &gateway), 0);
	assert_int_equal(
		mirror_changed_names(mirror_gateway_fields,
			mirror_n_gateway_fields, mirror.gateway_dirty, names),
		2);
	assert_string_equal(names[0], "State");
	assert_string_equal(names[1], "Observed");
	mirror_clear(&mirror);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_changed_names),
		cmocka_unit_test(test_every_field_counts),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
