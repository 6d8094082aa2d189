/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What isolation is worth: who shares a port, what Wi-Fi does, what was tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/isolation/agent/honest.h"

#define NOW 1000000

static struct state *world;
static uint32_t next_id;

static int set_up(void **state)
{
	struct record_gateway gateway = {.rules_generation = 1};

	(void)state;
	next_id = 1;
	assert_int_equal(state_new(&world), 0);
	state_set_gateway(world, &gateway);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world = state_free(world);
	return 0;
}

static uint32_t add(const char *name, const char *interface, uint8_t isolation)
{
	struct record_device d = {.id = next_id++,
		.isolation = isolation,
		.last_seen = NOW - 10,
		.zone = "things"};

	d.mac.b[0] = 2;
	d.mac.b[5] = (uint8_t)d.id;
	memcpy(d.name, name, strlen(name));
	memcpy(d.interface, interface, strlen(interface));
	assert_int_equal(state_put_device(world, &d), 0);
	return d.id;
}

static void judge(const struct honest_fact *facts, size_t n, int held)
{
	struct probe_results probes = {.when = NOW};

	if (held >= 0) {
		memcpy(probes.zones[0].name, "things", 7);
		probes.zones[0].held = held;
		probes.n = 1;
	}
	honest_judge(world, facts, n, &probes, NOW);
}

static void expect(uint32_t id, uint8_t isolation, const char *word)
{
	const struct record_device *d = state_device(world, id);

	assert_int_equal(d->isolation, isolation);
	if (word)
		assert_non_null(strstr(d->isolation_reason, word));
	else
		assert_string_equal(d->isolation_reason, "");
}

static const char *warning(const char *code)
{
	const struct record_warning *w;

	for (uint32_t id = 0; (w = state_warning_after(world, id)); id = w->id)
		if (!strcmp(w->code, code))
			return w->text;
	return NULL;
}

#define UNVERIFIED RECORD_ISOLATION_UNVERIFIED
#define PARTIAL RECORD_ISOLATION_PARTIAL

static void test_tried_or_not(void **state)
{
	uint32_t camera = add("camera", "p1", UNVERIFIED);

	(void)state;
	judge(NULL, 0, -1);
	expect(camera, UNVERIFIED, "no real packet was tried");
	judge(NULL, 0, 1);
	expect(camera, RECORD_ISOLATION_ENFORCED, "did not get through");
	judge(NULL, 0, 0);
	expect(camera, PARTIAL, "got through");
	judge(NULL, 0, -1);
	expect(camera, UNVERIFIED, "self-test");
	assert_null(warning("isolation.shared-port"));
}

static void test_shared_port(void **state)
{
	uint32_t camera = add("camera", "p1", UNVERIFIED);
	uint32_t sensor = add("sensor", "p1", UNVERIFIED);
	uint32_t lamp = add("lamp", "p2", UNVERIFIED);

	(void)state;
	judge(NULL, 0, 1);
	expect(camera, PARTIAL, "reaches sensor without");
	expect(sensor, PARTIAL, "reaches camera without");
	expect(lamp, RECORD_ISOLATION_ENFORCED, "tried");
	assert_non_null(strstr(warning("isolation.shared-port"), "p1"));
	for (int i = 0; i < 5; i++)
		(void)add("plug", "p1", UNVERIFIED);
	judge(NULL, 0, 1);
	expect(camera, PARTIAL, "sensor, plug, plug and 3 more");
}

static void test_no_longer_shared(void **state)
{
	uint32_t camera = add("camera", "p1", UNVERIFIED);
	uint32_t sensor = add("sensor", "p1", UNVERIFIED);
	struct record_device gone;

	(void)state;
	judge(NULL, 0, 1);
	assert_non_null(warning("isolation.shared-port"));
	gone = *state_device(world, sensor);
	gone.last_seen = NOW - HONEST_FRESH_S - 1;
	assert_int_equal(state_put_device(world, &gone), 0);
	judge(NULL, 0, 1);
	expect(camera, RECORD_ISOLATION_ENFORCED, "tried");
	expect(sensor, UNVERIFIED, "not there");
	assert_null(warning("isolation.shared-port"));
}

/* Nobody is promised anything: nothing is judged. */
static void test_observed(void **state)
{
	uint32_t camera = add("camera", "p1", RECORD_ISOLATION_OBSERVED);
	uint32_t sensor = add("sensor", "p1", RECORD_ISOLATION_OBSERVED);

	(void)state;
	judge(NULL, 0, 1);
	expect(camera, RECORD_ISOLATION_OBSERVED, NULL);
	expect(sensor, RECORD_ISOLATION_OBSERVED, NULL);
	assert_null(warning("isolation.shared-port"));
	/* An enforced one beside an observed one reaches it, too. */
	(void)add("lamp", "p1", UNVERIFIED);
	judge(NULL, 0, 1);
	expect(3, PARTIAL, "camera");
	expect(camera, RECORD_ISOLATION_OBSERVED, NULL);
}

static void test_bridge_itself(void **state)
{
	const struct honest_fact bridge = {
		.interface = "br0", .is_bridge = true};
	uint32_t camera = add("camera", "br0", UNVERIFIED);

	(void)state;
	(void)add("sensor", "br0", UNVERIFIED);
	judge(&bridge, 1, 1);
	expect(camera, RECORD_ISOLATION_ENFORCED, "tried");
	assert_null(warning("isolation.shared-port"));
}

/* Another interface of its zone held; nobody sent anything by this one. */
static void test_routed(void **state)
{
	struct honest_fact fact = {.interface = "eth1", .routed = true};
	uint32_t camera = add("camera", "eth1", UNVERIFIED);

	(void)state;
	judge(&fact, 1, 1);
	expect(camera, UNVERIFIED, "where no bridge is");
	judge(&fact, 1, 0);
	expect(camera, PARTIAL, "got through");
	fact.routed = false;
	judge(&fact, 1, 1);
	expect(camera, RECORD_ISOLATION_ENFORCED, "tried");
}

static void test_wifi(void **state)
{
	struct honest_fact fact = {.interface = "wlan0"};
	uint32_t camera = add("camera", "wlan0", UNVERIFIED);

	(void)state;
	(void)add("sensor", "wlan0", UNVERIFIED);
	fact.wifi.verdict = WIFI_APART;
	judge(&fact, 1, 1);
	expect(camera, RECORD_ISOLATION_ENFORCED, "tried");
	fact.wifi.verdict = WIFI_OPEN;
	fact.wifi.line = 7;
	memcpy(fact.wifi.file, "/etc/hostapd/x.conf", 20);
	judge(&fact, 1, 1);
	expect(camera, PARTIAL,
		"ap_isolate=1 is missing in /etc/hostapd/x.conf");
	assert_non_null(strstr(
		warning("wifi.open"), "ap_isolate=1 in /etc/hostapd/x.conf"));
	assert_non_null(strstr(warning("wifi.open"), "line 7"));
	fact.wifi.verdict = WIFI_CANNOT;
	judge(&fact, 1, 1);
	expect(camera, RECORD_ISOLATION_IMPOSSIBLE, "this radio");
	assert_null(warning("wifi.open"));
	assert_non_null(strstr(warning("wifi.cannot"), "Raspberry"));
	fact.wifi.verdict = WIFI_UNKNOWN;
	judge(&fact, 1, 1);
	expect(camera, PARTIAL, "sensor");
	assert_null(warning("wifi.cannot"));
}

static void test_wifi_alone(void **state)
{
	const struct honest_fact fact = {
		.interface = "wlan0", .wifi = {.verdict = WIFI_UNKNOWN}};
	uint32_t camera = add("camera", "wlan0", UNVERIFIED);

	(void)state;
	judge(&fact, 1, 1);
	expect(camera, UNVERIFIED, "no configuration of hostapd");
}

static void test_values(void **state)
{
	struct record_gateway none = {0};

	(void)state;
	assert_int_equal(
		honest_isolation(world, RECORD_MODE_ENFORCE, 0), UNVERIFIED);
	assert_int_equal(
		honest_isolation(world, RECORD_MODE_ENFORCE, PARTIAL), PARTIAL);
	assert_int_equal(honest_isolation(world, RECORD_MODE_OBSERVE, PARTIAL),
		RECORD_ISOLATION_OBSERVED);
	assert_int_equal(honest_isolation(world, RECORD_MODE_ENFORCE,
				 RECORD_ISOLATION_OBSERVED),
		UNVERIFIED);
	state_set_gateway(world, &none);
	assert_int_equal(honest_isolation(world, RECORD_MODE_ENFORCE, PARTIAL),
		RECORD_ISOLATION_NONE);
}

static void test_probe_text(void **state)
{
	static const char *const bad[] = {"", "gatehouse-probe 1\n",
		"gatehouse-probe 1\nx\n", "gatehouse-probe 1\nx y\n",
		"gatehouse-probe 1\nx 1\nzone held\n",
		"gatehouse-probe 1\nx 1\nzone a maybe\n",
		"gatehouse-probe 1\nx 1\nzone a held"};
	static const char good[] = "gatehouse-probe 1\nx 12\nzone a held\n"
				   "zone b c leaked\n";
	struct probe_results results = {.n = 0};
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(probe_parse(bad[i], strlen(bad[i]), &results),
			-EBADMSG);
	assert_int_equal(probe_parse(good, strlen(good), &results), 0);
	assert_int_equal(probe_of(&results, "a"), 1);
	assert_int_equal(probe_of(&results, "b c"), 0);
	assert_int_equal(probe_of(&results, "c"), -ENOENT);
	text = probe_format(&results);
	assert_string_equal(text, good);
	free(text);
}

static void test_probe_file(void **state)
{
	char folder[] = "/tmp/gatehouse-probe-XXXXXX";
	struct probe_results results = {.when = NOW, .n = 1}, again;
	int fd;

	(void)state;
	memcpy(results.zones[0].name, "a", 2);
	assert_non_null(mkdtemp(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(probe_load(fd, NOW, &again), 0);
	assert_int_equal(again.n, 0);
	assert_int_equal(probe_store(fd, &results), 0);
	assert_int_equal(probe_store(fd, &results), 0);
	assert_int_equal(probe_load(fd, NOW + PROBE_GOOD_S, &again), 0);
	assert_int_equal(again.n, 1);
	assert_int_equal(probe_load(fd, NOW + PROBE_GOOD_S + 1, &again), 0);
	assert_int_equal(again.n, 0);
	assert_int_equal(fchmodat(fd, PROBE_FILE, 0622, 0), 0);
	assert_int_equal(probe_load(fd, NOW, &again), -EPERM);
	assert_int_equal(unlinkat(fd, PROBE_FILE, 0), 0);
	close(fd);
	assert_int_equal(rmdir(folder), 0);
}

#define WITH_WORLD(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_tried_or_not),
		WITH_WORLD(test_shared_port),
		WITH_WORLD(test_no_longer_shared),
		WITH_WORLD(test_observed),
		WITH_WORLD(test_bridge_itself),
		WITH_WORLD(test_routed),
		WITH_WORLD(test_wifi),
		WITH_WORLD(test_wifi_alone),
		WITH_WORLD(test_values),
		cmocka_unit_test(test_probe_text),
		cmocka_unit_test(test_probe_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
