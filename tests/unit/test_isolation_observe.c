/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the worker's observations make of the agent's state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/loop.h"
#include "modules/isolation/agent/observe.h"

/* The agent's part, as simple as it can be. */
enum record_mode agent_mode(const struct conf *conf,
	const struct conf_section *zone, const struct conf_section *device)
{
	const char *mode = conf_text(zone, "mode", "observe");

	(void)conf;
	mode = conf_text(device, "mode", mode);
	return strcmp(mode, "enforce") == 0 ? RECORD_MODE_ENFORCE
					    : RECORD_MODE_OBSERVE;
}

static const struct conf_key keys[] = {
	{"mode", conf_check_mode, "", false, ""},
	{"mac", conf_check_mac, "", false, ""},
	{"interface", conf_check_ifname_list, "", false, ""},
};
static const struct conf_schema schemas[] = {
	{"zone", true, keys, ARRAY_SIZE(keys)},
	{"device", true, keys, ARRAY_SIZE(keys)},
};

static struct conf *conf;
static struct state *state;

static struct conf *parse(const char *text)
{
	const struct conf_schema *list[] = {&schemas[0], &schemas[1]};
	struct conf *c;

	assert_int_equal(conf_new(list, 2, &c), 0);
	assert_int_equal(conf_parse(c, "test", text, strlen(text)), 0);
	assert_int_equal(conf_problem_count(c), 0);
	for (const struct conf_section *d = conf_next(c, "device", NULL); d;
		d = conf_next(c, "device", d))
		conf_set_id(c, d, d->line);
	return c;
}

static int begin(void **unused)
{
	struct isolation_rules rules = {.generation = 1};

	(void)unused;
	conf = parse("[zone home]\ninterface = br0\n"
		     "[zone strict]\ninterface = br1 eth9\nmode = enforce\n"
		     "[device camera]\nmac = 02:00:00:00:00:01\n"
		     "[device lamp]\nmac = 02:00:00:00:00:02\n"
		     "mode = observe\n");
	assert_int_equal(state_new(&state), 0);
	clock_set_wall(1000);
	observe_rules(state, &rules);
	return 0;
}

static int end(void **unused)
{
	struct conf *nothing = parse("");

	(void)unused;
	observe_applied(state, nothing); /* forgets the links */
	conf_free(nothing);
	state = state_free(state);
	conf = conf_free(conf);
	clock_set_wall(-1);
	return 0;
}

static const struct record_warning *warning(const char *code)
{
	const struct record_warning *w = NULL;

	for (uint32_t id = 0; (w = state_warning_after(state, id)) != NULL;
		id = w->id)
		if (!strcmp(w->code, code))
			return w;
	return NULL;
}

static void see(uint32_t device, uint16_t last, uint16_t zone)
{
	struct isolation_seen seen = {.device = device,
		.zone = zone,
		.interface = "p1",
		.mac = {{2, 0, 0, 0, (uint8_t)(last >> 8), (uint8_t)last}}};

	observe_seen(state, conf, &seen);
}

static void put_known(uint32_t id, uint8_t last)
{
	struct record_device record = {
		.id = id, .mac = {{2, 0, 0, 0, 0, last}}};

	assert_int_equal(state_put_device(state, &record), 0);
}

static void test_known_device(void **unused)
{
	const struct record_device *d;

	(void)unused;
	put_known(6, 1); /* the line of its section is its number */
	put_known(8, 2);
	see(6, 1, 2);
	d = state_device(state, 6);
	assert_string_equal(d->zone, "strict");
	assert_string_equal(d->interface, "p1");
	assert_int_equal(d->mode, RECORD_MODE_ENFORCE);
	assert_int_equal(d->isolation, RECORD_ISOLATION_UNVERIFIED);
	assert_int_equal(d->first_seen, 1000);
	clock_set_wall(2000);
	see(6, 1, 1);
	d = state_device(state, 6);
	assert_string_equal(d->zone, "home");
	assert_int_equal(d->isolation, RECORD_ISOLATION_OBSERVED);
	assert_int_equal(d->first_seen, 1000);
	assert_int_equal(d->last_seen, 2000);
	see(8, 2, 2); /* its own mode goes first */
	assert_int_equal(
		state_device(state, 8)->isolation, RECORD_ISOLATION_OBSERVED);
	assert_null(warning("device.new"));
	assert_int_equal(state_gateway(state)->strangers, 0);
}

static void test_stranger(void **unused)
{
	const struct record_device *d;
	struct mac mac = {{2, 0, 0, 0, 0, 9}};
	uint32_t id;

	(void)unused;
	see(0, 9, 2);
	d = state_device_by_mac(state, &mac);
	assert_non_null(d);
	id = d->id;
	assert_true(id >= RECORD_STRANGER_BASE);
	assert_string_equal(d->name, "02:00:00:00:00:09");
	assert_int_equal(d->decision, RECORD_DECISION_QUARANTINE);
	assert_int_equal(d->isolation, RECORD_ISOLATION_UNVERIFIED);
	assert_non_null(warning("device.new"));
	assert_non_null(
		strstr(warning("device.new")->text, "02:00:00:00:00:09"));
	assert_non_null(strstr(warning("device.new")->text, "quarantine"));
	see(0, 9, 1);
	assert_int_equal(state_device_by_mac(state, &mac)->id, id);
	assert_int_equal(state_gateway(state)->strangers, 1);
}

static void test_flood(void **unused)
{
	unsigned kept = 0;
	const struct record_device *d;

	(void)unused;
	for (uint16_t i = 0; i < RECORD_STRANGERS_MAX + 50; i++) {
		assert_int_equal(i > OBSERVE_STRANGERS_TOLD,
			warning("device.flood") != NULL);
		see(0, (uint16_t)(0x100 + i), 2);
	}
	for (uint32_t id = 0; (d = state_device_after(state, id)) != NULL;
		id = d->id)
		kept++;
	assert_int_equal(kept, RECORD_STRANGERS_MAX);
	assert_non_null(warning("device.flood"));
	assert_int_equal(
		state_gateway(state)->strangers, RECORD_STRANGERS_MAX + 50);
}

static void test_counts(void **unused)
{
	struct isolation_counters counters = {1ull << 40, 2, 3, 4};
	struct isolation_tally tally = {
		.mac = {{2, 0, 0, 0, 0, 1}}, .denied = 77};

	(void)unused;
	observe_counters(state, &counters);
	assert_int_equal(state_gateway(state)->denied, 1ull << 40);
	assert_int_equal(state_gateway(state)->bridged_denied, 2);
	assert_int_equal(state_gateway(state)->quarantined, 3);
	observe_tally(state, &tally); /* nobody: no harm */
	put_known(6, 1);
	observe_tally(state, &tally);
	assert_int_equal(state_device(state, 6)->denied, 77);
}

static void test_rules(void **unused)
{
	struct isolation_rules rules = {.generation = 5};

	(void)unused;
	put_known(6, 1);
	observe_rules(state, &rules);
	assert_int_equal(state_gateway(state)->rules_generation, 5);
	assert_null(warning("isolation.restored"));
	rules.restored = 2;
	observe_rules(state, &rules);
	assert_non_null(strstr(warning("isolation.restored")->text, "2 times"));
	rules.restored = 0; /* a new worker counts from zero */
	observe_rules(state, &rules);
	rules.restored = 1;
	state_unwarn(state, 0, "isolation.restored");
	observe_rules(state, &rules);
	assert_non_null(warning("isolation.restored"));
}

static void link_is(const char *name, uint8_t present, uint8_t is_port)
{
	struct isolation_link link = {.present = present, .is_port = is_port};

	snprintf(link.interface, sizeof(link.interface), "%s", name);
	observe_link(state, &link);
}

static void test_links(void **unused)
{
	(void)unused;
	link_is("br0", 1, 0);
	assert_null(warning("zone.interface-missing"));
	link_is("br1", 0, 0);
	link_is("eth9", 0, 0);
	assert_non_null(
		strstr(warning("zone.interface-missing")->text, "br1, eth9"));
	link_is("br1", 1, 0);
	assert_null(strstr(warning("zone.interface-missing")->text, "br1"));
	link_is("eth9", 1, 1);
	assert_null(warning("zone.interface-missing"));
	assert_non_null(strstr(warning("zone.interface-is-port")->text,
		"eth9 belongs to a bridge"));
	link_is("eth9", 1, 0);
	assert_null(warning("zone.interface-is-port"));
}

/* An interface that no zone names any more is nobody's worry. */
static void test_applied(void **unused)
{
	struct conf *other = parse("[zone home]\ninterface = br0\n"
				   "mode = enforce\n");

	(void)unused;
	link_is("br1", 0, 0);
	put_known(6, 1);
	see(6, 1, 1);
	assert_non_null(warning("zone.interface-missing"));
	observe_applied(state, other);
	assert_null(warning("zone.interface-missing"));
	assert_int_equal(
		state_device(state, 6)->isolation, RECORD_ISOLATION_UNVERIFIED);
	conf_free(other);
}

static void test_zone_places(void **unused)
{
	(void)unused;
	assert_string_equal(observe_zone(conf, 1)->name, "home");
	assert_string_equal(observe_zone(conf, 2)->name, "strict");
	assert_null(observe_zone(conf, 3));
}

static void spoof(uint8_t claim, uint8_t last, const char *ip, uint32_t victim)
{
	struct isolation_spoof s = {.claim = claim,
		.mac = {{2, 0, 0, 0, 0, last}},
		.victim = victim,
		.packets = 1};

	if (ip)
		assert_int_equal(ip_parse(ip, &s.ip), 0);
	observe_spoof(state, &s);
}

static void says(const char *words)
{
	const struct record_warning *w = warning("device.spoof");

	assert_non_null(w);
	if (!strstr(w->text, words))
		fail_msg("'%s' does not say '%s'", w->text, words);
	state_unwarn(state, w->device, "device.spoof");
}

static void test_spoof(void **unused)
{
	struct record_device camera = {.id = 6,
		.mac = {{2, 0, 0, 0, 0, 1}},
		.mode = RECORD_MODE_OBSERVE,
		.name = "camera"};

	(void)unused;
	assert_int_equal(state_put_device(state, &camera), 0);
	spoof(ISOLATION_CLAIM_GATEWAY, 9, "192.168.50.1", 0);
	assert_int_equal(warning("device.spoof")->device, 0);
	says("An unknown device (02:00:00:00:00:09) used 192.168.50.1, the "
	     "gateway's own");
	spoof(ISOLATION_CLAIM_PINNED, 9, "fd00::11", 6);
	says("used fd00::11, which belongs to camera");
	spoof(ISOLATION_CLAIM_PINNED, 9, "fd00::11", 77);
	says("belongs to another device");
	spoof(ISOLATION_CLAIM_NOT_PINNED, 1, "192.168.50.7", 0);
	assert_int_equal(warning("device.spoof")->device, 6);
	says("camera (02:00:00:00:00:01) used 192.168.50.7, none of its own");
	spoof(ISOLATION_CLAIM_MAC, 1, "192.168.50.7", 0);
	says("another's MAC address");
	spoof(ISOLATION_CLAIM_ROUTER, 1, NULL, 0);
	says("announced itself as a router");
	spoof(ISOLATION_CLAIM_REDIRECT, 1, NULL, 0);
	says("ICMP redirect");
	spoof(ISOLATION_CLAIM_DHCP, 1, NULL, 0);
	says("DHCP server. It is only observed: this was not stopped");
	spoof(ISOLATION_CLAIM_TAGS, 9, NULL, 0);
	says("two VLAN tags. Where it is enforced");
	/* What no worker says. */
	spoof(0, 9, NULL, 0);
	spoof(ISOLATION_CLAIM_PORT + 1, 9, NULL, 0);
	assert_null(warning("device.spoof"));
}

static void test_spoof_once(void **unused)
{
	const struct record_warning *w;
	size_t n = 0;

	(void)unused;
	for (int i = 0; i < 200; i++)
		spoof(ISOLATION_CLAIM_GATEWAY, (uint8_t)i, "192.168.50.1", 0);
	for (uint32_t id = 0; (w = state_warning_after(state, id)) != NULL;
		id = w->id)
		n += !strcmp(w->code, "device.spoof");
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_known_device, begin, end),
		cmocka_unit_test_setup_teardown(test_stranger, begin, end),
		cmocka_unit_test_setup_teardown(test_flood, begin, end),
		cmocka_unit_test_setup_teardown(test_counts, begin, end),
		cmocka_unit_test_setup_teardown(test_spoof, begin, end),
		cmocka_unit_test_setup_teardown(test_spoof_once, begin, end),
		cmocka_unit_test_setup_teardown(test_rules, begin, end),
		cmocka_unit_test_setup_teardown(test_links, begin, end),
		cmocka_unit_test_setup_teardown(test_applied, begin, end),
		cmocka_unit_test_setup_teardown(test_zone_places, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
