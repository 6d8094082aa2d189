/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events of gatehouse monitor: what is told, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ctl/events.h"

static char none[] = "";

static struct view_device camera(void)
{
	struct view_device device = {.id = 7,
		.name = (char *)"camera",
		.mac = (char *)"02:00:00:00:00:01",
		.zone = (char *)"things",
		.interface = (char *)"br0",
		.decision = (char *)"quarantine",
		.mode = (char *)"enforce",
		.isolation = (char *)"enforced",
		.isolation_reason = none,
		.decided_by = none,
		.profile = none,
		.support = (char *)"unknown",
		.support_ends = none};

	return device;
}

static const char *get(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text ? text : "(nothing)";
}

struct heard {
	size_t n;
	char text[8][160], property[8][32];
};

static void hear(void *arg, json_t *event)
{
	struct heard *heard = arg;

	assert_non_null(event);
	assert_true(heard->n < 8);
	snprintf(heard->text[heard->n], 160, "%s", get(event, "text"));
	snprintf(heard->property[heard->n], 32, "%s", get(event, "property"));
	heard->n++;
	json_decref(event);
}

static void test_new(void **state)
{
	struct view_device device = camera();
	json_t *event = events_new(&device);

	(void)state;
	assert_string_equal(get(event, "event"), "device.new");
	assert_string_equal(get(event, "mac"), "02:00:00:00:00:01");
	assert_string_equal(get(event, "zone"), "things");
	assert_string_equal(get(event, "text"),
		"new device: camera (02:00:00:00:00:01) in zone things on "
		"br0; it is in quarantine");
	json_decref(event);
	event = events_gone(&device);
	assert_string_equal(get(event, "event"), "device.gone");
	json_decref(event);
}

static void test_compare(void **state)
{
	struct view_device before = camera(), after = camera();
	struct heard heard = {0};

	(void)state;
	/* Counters and times are nobody's news. */
	after.denied = 9;
	after.last_seen = 99;
	after.tls_bytes_up = 1;
	events_compare(&before, &after, hear, &heard);
	assert_int_equal(heard.n, 0);

	after.name = (char *)"front-door";
	after.decision = (char *)"approved";
	after.isolation = (char *)"partial";
	events_compare(&before, &after, hear, &heard);
	assert_int_equal(heard.n, 3);
	assert_string_equal(heard.text[0], "camera is called front-door now");
	assert_string_equal(heard.property[0], "name");
	assert_string_equal(heard.text[1], "front-door is approved");
	assert_string_equal(heard.property[1], "decision");
	assert_string_equal(
		heard.text[2], "front-door: its isolation is partial now");

	/* A decision that this version has no words for is told all the same. */
	before = after;
	after.decision = (char *)"paused";
	memset(&heard, 0, sizeof(heard));
	events_compare(&before, &after, hear, &heard);
	assert_int_equal(heard.n, 1);
	assert_non_null(strstr(heard.text[0], "\"paused\""));

	before = after;
	after.mode = (char *)"observe";
	after.interface = none;
	memset(&heard, 0, sizeof(heard));
	events_compare(&before, &after, hear, &heard);
	assert_int_equal(heard.n, 2);
	assert_string_equal(heard.text[0], "front-door is on none now");
	assert_non_null(strstr(heard.text[1], "nothing it does is blocked"));
}

static void test_gateway(void **state)
{
	struct view_manager before = {.mode = (char *)"observe",
		.state = (char *)"running",
		.generation = 3};
	struct view_manager after = before;
	struct heard heard = {0};

	(void)state;
	after.denied = 12;
	events_compare_gateway(&before, &after, hear, &heard);
	assert_int_equal(heard.n, 0);
	after.mode = (char *)"enforce";
	after.state = (char *)"degraded";
	after.generation = 4;
	after.confirm_until = 1000;
	events_compare_gateway(&before, &after, hear, &heard);
	assert_int_equal(heard.n, 4);
	assert_string_equal(
		heard.text[0], "the mode of the gateway is enforce now");
	assert_string_equal(heard.text[1], "gatehouse is degraded now");
	assert_non_null(strstr(heard.text[2], "gatehouse config confirm"));
	assert_non_null(strstr(heard.text[3], "put in force"));
	/* The end of a trial moves, which is no news. */
	before = after;
	after.confirm_until = 2000;
	memset(&heard, 0, sizeof(heard));
	events_compare_gateway(&before, &after, hear, &heard);
	assert_int_equal(heard.n, 0);
}

static void test_tried(void **state)
{
	const struct events_target two[] = {
		{"tcp", "203.0.113.1", 443, 3},
		{"icmp", "192.0.2.9", 0, 1},
		{"ethernet", "", 0x88cc, 1},
	};
	struct events_target many[EVENTS_TARGETS_MAX + 2];
	struct view_device device = camera();
	json_t *event = events_tried(
		&device, device.mac, "denied", 5, two, ARRAY_SIZE(two));

	(void)state;
	assert_string_equal(get(event, "text"),
		"camera tried tcp/443 203.0.113.1 (3 times), icmp 192.0.2.9, "
		"ethertype 0x88cc: denied");
	assert_int_equal(json_array_size(json_object_get(event, "what")), 3);
	assert_true(json_is_false(json_object_get(event, "observed")));
	json_decref(event);

	device.isolation = (char *)"observed";
	event = events_tried(&device, device.mac, "denied", 1, two, 1);
	assert_non_null(strstr(get(event, "text"), "it passed"));
	assert_true(json_is_true(json_object_get(event, "observed")));
	json_decref(event);

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = two[1];
	event = events_tried(NULL, "02:00:00:00:00:99", "quarantined", 1, many,
		ARRAY_SIZE(many));
	assert_non_null(strstr(get(event, "text"),
		"and 2 others: denied, it is in quarantine"));
	assert_int_equal(
		strncmp(get(event, "text"), "02:00:00:00:00:99 ", 18), 0);
	json_decref(event);
}

static void test_warnings(void **state)
{
	struct view_device device = camera();
	struct view view = {.devices = &device, .n_devices = 1};
	struct view_warning warning = {.id = 3,
		.device = 7,
		.severity = (char *)"critical",
		.code = (char *)"x.y",
		.text = (char *)"It burns."};
	json_t *event = events_warning(&view, &warning);

	(void)state;
	assert_string_equal(get(event, "text"), "critical, camera: It burns.");
	assert_string_equal(get(event, "code"), "x.y");
	assert_string_equal(get(event, "mac"), device.mac);
	json_decref(event);
	warning.device = 0;
	event = events_warning_over(&view, &warning);
	assert_string_equal(get(event, "event"), "warning.cleared");
	assert_string_equal(get(event, "text"), "over, gateway: It burns.");
	assert_true(json_is_null(json_object_get(event, "mac")));
	json_decref(event);
}

static void test_copy(void **state)
{
	struct view_device device = camera(), copy;

	(void)state;
	assert_int_equal(view_copy_device(&device, &copy), 0);
	assert_string_equal(copy.name, "camera");
	assert_ptr_not_equal(copy.name, device.name);
	assert_int_equal(copy.id, 7);
	view_clear_device(&copy);
	assert_null(copy.name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_tried),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
