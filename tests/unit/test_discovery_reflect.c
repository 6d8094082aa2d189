/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who hears what of whom: a bridge of devices (link 0), the owner's network
 * (link 1), and a camera, a phone and a lamp that may or may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "modules/discovery/reflect.h"

#define THINGS 0
#define HOME 1
#define NOW 1000000

static const struct mac camera = {{2, 0, 0, 0, 0, 1}};
static const struct mac phone = {{2, 0, 0, 0, 0, 2}};
static const struct mac lamp = {{2, 0, 0, 0, 0, 3}};
static const struct mac owner = {{2, 0, 0, 0, 0, 9}};

static struct {
	struct reflect reflect;
	struct reflect_said said[64];
	uint8_t bytes[REFLECT_BYTES];
	size_t n;
} world;

static void say(void *arg, const struct reflect_said *said)
{
	(void)arg;
	assert_true(world.n < ARRAY_SIZE(world.said));
	memcpy(world.bytes, said->bytes, said->size);
	world.said[world.n++] = *said;
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static void add_device(struct plan *plan, uint32_t id, const struct mac *mac,
	uint32_t from, uint32_t to)
{
	struct discovery_device d = {
		.id = id, .mac = *mac, .from = from, .to = to};

	assert_int_equal(plan_add_device(plan, &d), 0);
}

static struct plan *new_plan(uint8_t protocol, uint16_t port)
{
	struct discovery_channel c = {.protocol = protocol,
		.port = port,
		.own_port = protocol == DISCOVERY_PROTOCOL_MDNS ? 5353 : 18200};
	struct discovery_link things = {.interface = "br0", .devices = 1};
	struct discovery_link home = {.interface = "lan0", .place = 1};
	struct plan *plan = plan_new();

	assert_non_null(plan);
	assert_int_equal(plan_add_channel(plan, &c), 0);
	assert_int_equal(plan_add_link(plan, &things), 0);
	assert_int_equal(plan_add_link(plan, &home), 0);
	add_device(plan, 3, &lamp, 0, 0);
	add_device(plan, 2, &phone, 0, 0);
	add_device(plan, 1, &camera, 0, 0);
	return plan;
}

/* to: links that look; those of the owner's are told all. */
static void start(
	struct plan *plan, uint32_t from, uint32_t to, const char *service)
{
	struct discovery_reflect r = {.from_links = from,
		.to_links = to,
		.ask_links = from,
		.tell_links = to & 2,
		.name = "r"};
	struct discovery_service s = {0};

	assert_int_equal(plan_add_reflect(plan, &r), 0);
	if (service) {
		snprintf(s.text, sizeof(s.text), "%s", service);
		assert_int_equal(plan_add_service(plan, &s), 0);
	}
	plan_seal(plan);
	reflect_plan(&world.reflect, NULL);
	memset(&world, 0, sizeof(world));
	world.reflect.say = say;
	reflect_plan(&world.reflect, plan);
}

static int end(void **state)
{
	(void)state;
	reflect_plan(&world.reflect, NULL);
	return 0;
}

struct speech {
	uint8_t link;
	const struct mac *mac;
	const char *from, *to;
	uint16_t from_port, to_port;
};

static size_t hear(const struct speech *s, const void *bytes, size_t size,
	int64_t after_ms)
{
	struct datagram d = {.from = ip_of(s->from),
		.to = ip_of(s->to),
		.from_port = s->from_port,
		.to_port = s->to_port,
		.bytes = bytes,
		.size = size};

	world.n = 0;
	reflect_hear(&world.reflect, s->link, s->mac, &d, NOW + after_ms);
	return world.n;
}

/* "_ipp._tcp.local" PTR, in a question of its own number, or an answer. */
static size_t mdns(bool answer, uint8_t number, uint8_t *bytes)
{
	static const uint8_t name[] = "\4_ipp\4_tcp\5local";
	static const uint8_t more[] = {0, 12, 0, 1, 0, 0, 0, 9, 0, 4};
	size_t n = 12;

	memset(bytes, 0, n);
	bytes[2] = answer ? 0x84 : 0;
	bytes[answer ? 7 : 5] = 1;
	if (!answer) { /* about an instance, so that each is different */
		bytes[n++] = 1;
		bytes[n++] = number;
	}
	memcpy(bytes + n, name, sizeof(name));
	n += sizeof(name);
	memcpy(bytes + n, more, answer ? 10 : 4);
	if (!answer)
		bytes[n + 1] = 33;
	n += answer ? 10 : 4;
	if (answer) {
		memcpy(bytes + n, (uint8_t[]){1, number, 0xc0, 12}, 4);
		n += 4;
	}
	return n;
}

static const struct speech owner_asks = {
	HOME, &owner, "192.168.60.10", "224.0.0.251", 5353, 5353};
static const struct speech camera_says = {
	THINGS, &camera, "192.168.50.11", "224.0.0.251", 5353, 5353};
static const struct speech phone_asks = {
	THINGS, &phone, "192.168.50.12", "224.0.0.251", 5353, 5353};
static const struct speech lamp_asks = {
	THINGS, &lamp, "fe80::3", "ff02::fb", 5353, 5353};

static size_t speak(
	const struct speech *s, bool answer, uint8_t number, int64_t after_ms)
{
	uint8_t bytes[64];

	return hear(s, bytes, mdns(answer, number, bytes), after_ms);
}

static void between_zones(void **state)
{
	struct speech other_port = owner_asks;

	(void)state;
	start(new_plan(DISCOVERY_PROTOCOL_MDNS, 5353), 1, 2, "_ipp._tcp");
	assert_int_equal(
		speak(&owner_asks, false, 1, 0), 2); /* both families */
	assert_int_equal(world.said[0].link, THINGS);
	assert_true(world.said[0].to_all && !world.said[0].six);
	assert_true(world.said[1].six);
	assert_int_equal(speak(&camera_says, true, 2, 0), 2);
	assert_int_equal(world.said[0].link, HOME);
	/* Not the other way round. */
	assert_int_equal(speak(&camera_says, false, 3, 0), 0);
	assert_int_equal(speak(&owner_asks, true, 4, 0), 0);
	other_port.from_port = 40000;
	assert_int_equal(speak(&other_port, false, 5, 0), 0);
	other_port.from_port = other_port.to_port = 5354;
	assert_int_equal(speak(&other_port, false, 6, 0), 0);
}

static void strangers(void **state)
{
	static const struct mac nobody = {{2, 0, 0, 0, 7, 7}};
	struct speech stranger = camera_says;

	(void)state;
	start(new_plan(DISCOVERY_PROTOCOL_MDNS, 5353), 1, 2, "_ipp._tcp");
	stranger.mac = &nobody;
	assert_int_equal(speak(&stranger, true, 1, 0), 0);
	assert_int_equal(world.reflect.counts.strangers, 1);
	/* On the owner's own link everybody is known. */
	stranger.link = HOME;
	assert_int_equal(speak(&stranger, false, 1, 0), 2);
}

static void same_words_again(void **state)
{
	(void)state;
	start(new_plan(DISCOVERY_PROTOCOL_MDNS, 5353), 3, 3, "_ipp._tcp");
	assert_int_equal(speak(&owner_asks, false, 1, 0), 4);
	/* Said by somebody there, it is what we said. */
	assert_int_equal(speak(&camera_says, false, 1, 10), 0);
	assert_int_equal(world.reflect.counts.echoes, 1);
	assert_int_equal(speak(&camera_says, false, 1, 2 * REFLECT_ECHO_MS), 4);
	/* In both families it is said once. */
	start(new_plan(DISCOVERY_PROTOCOL_MDNS, 5353), 1, 2, "_ipp._tcp");
	assert_int_equal(speak(&owner_asks, false, 1, 0), 2);
	assert_int_equal(speak(&owner_asks, false, 1, 1), 0);
}

static void neighbours(void **state)
{
	struct plan *plan = new_plan(DISCOVERY_PROTOCOL_MDNS, 5353);
	struct discovery_may may = {.device = 2, .to_device = 1};

	(void)state;
	assert_int_equal(plan_add_may(plan, &may), 0);
	start(plan, 1, 1, "_ipp._tcp");
	assert_int_equal(speak(&phone_asks, false, 1, 0), 2);
	assert_int_equal(speak(&lamp_asks, false, 2, 0), 2);
	/* The phone may reach the camera, the lamp may not. */
	assert_int_equal(speak(&camera_says, true, 3, 0), 1);
	assert_false(world.said[0].to_all);
	assert_true(ip_equal(
		&world.said[0].to, &(struct ip){AF_INET, {192, 168, 50, 12}}));
	assert_int_equal(world.said[0].port, 5353);
	assert_int_equal(
		speak(&camera_says, true, 4, REFLECT_MDNS_ASKER_MS + 1), 0);
}

/* By an address, by a link, by nothing. */
static void who_may(void **state)
{
	struct plan *plan = new_plan(DISCOVERY_PROTOCOL_MDNS, 5353);
	struct discovery_may net = {.device = 2, .length = 24};
	struct discovery_may link = {.device = 3, .to_links = 2};
	struct ip near = ip_of("192.168.50.99"), far = ip_of("192.168.51.9");

	(void)state;
	net.to = ip_of("192.168.50.0");
	assert_int_equal(plan_add_may(plan, &net), 0);
	assert_int_equal(plan_add_may(plan, &link), 0);
	assert_true(plan_may(plan, 2, NULL, THINGS, &near));
	assert_false(plan_may(plan, 2, NULL, THINGS, &far));
	assert_false(plan_may(plan, 3, NULL, THINGS, &near));
	assert_true(plan_may(plan, 3, NULL, HOME, &far));
	assert_false(plan_may(plan, 1, NULL, HOME, &near));
	plan_free(plan);
}

static void single_devices(void **state)
{
	struct plan *plan = new_plan(DISCOVERY_PROTOCOL_MDNS, 5353);
	struct discovery_reflect r = {
		.ask_links = 1, .to_links = 2, .tell_links = 2, .name = "r"};
	struct discovery_service s = {.text = "_ipp._tcp"};

	(void)state;
	start(new_plan(DISCOVERY_PROTOCOL_MDNS, 5353), 1, 2, "_ipp._tcp");
	add_device(plan, 4, &(struct mac){{2, 0, 0, 0, 0, 4}}, 1, 0);
	assert_int_equal(plan_add_reflect(plan, &r), 0);
	assert_int_equal(plan_add_service(plan, &s), 0);
	plan_seal(plan);
	reflect_plan(&world.reflect, plan);
	assert_int_equal(speak(&camera_says, true, 1, 0), 0);
	assert_int_equal(
		speak(&(struct speech){THINGS,
			      &(struct mac){{2, 0, 0, 0, 0, 4}},
			      "192.168.50.14", "224.0.0.251", 5353, 5353},
			true, 2, 0),
		2);
}

/* Many questions of one device take nobody else's place. */
static void crowded_askers(void **state)
{
	struct plan *plan = new_plan(DISCOVERY_PROTOCOL_UDP, 56700);
	struct speech s = {
		THINGS, &lamp, "192.168.50.13", "255.255.255.255", 0, 56700};
	uint8_t byte;

	(void)state;
	start(plan, 1, 1, NULL);
	for (uint16_t port = 1; port < 20; port++) {
		s.from_port = port;
		byte = (uint8_t)port;
		assert_int_equal(hear(&s, &byte, 1, port * 100), 1);
	}
	assert_int_equal(world.reflect.n_askers, REFLECT_ASKERS_EACH);
	assert_int_equal(world.reflect.counts.crowded, 0);
}

static const char search[] = "M-SEARCH * HTTP/1.1\r\nST: urn:x:dial:1\r\n\r\n";
static const char found[] = "HTTP/1.1 200 OK\r\nST: urn:x:dial:1\r\n\r\n";
static const char alive[] = "NOTIFY * HTTP/1.1\r\nNT: urn:x:dial:1\r\n\r\n";

static void ssdp(void **state)
{
	struct speech ask = {
		HOME, &owner, "192.168.60.10", "239.255.255.250", 40000, 1900};
	struct speech reply = {
		THINGS, &camera, "192.168.50.11", "192.168.50.1", 1900, 18200};
	struct speech tell = {THINGS, &camera, "192.168.50.11",
		"239.255.255.250", 1900, 1900};

	(void)state;
	start(new_plan(DISCOVERY_PROTOCOL_SSDP, 1900), 1, 2, "urn:x:dial");
	assert_int_equal(hear(&reply, found, sizeof(found) - 1, 0), 0);
	assert_int_equal(hear(&ask, search, sizeof(search) - 1, 0), 1);
	assert_int_equal(world.said[0].link, THINGS);
	assert_int_equal(hear(&reply, found, sizeof(found) - 1, 10), 1);
	assert_int_equal(world.said[0].link, HOME);
	assert_int_equal(world.said[0].port, 40000);
	/* An answer to all, or something to all that is said to us alone. */
	assert_int_equal(hear(&tell, found, sizeof(found) - 1, 20), 0);
	assert_int_equal(hear(&reply, alive, sizeof(alive) - 1, 20), 0);
	assert_int_equal(hear(&tell, alive, sizeof(alive) - 1, 30), 2);
	assert_int_equal(
		hear(&reply, found, sizeof(found) - 1, REFLECT_ASKER_MS + 10),
		0);
}

static void floods(void **state)
{
	size_t passed = 0;

	(void)state;
	start(new_plan(DISCOVERY_PROTOCOL_MDNS, 5353), 1, 2, "_ipp._tcp");
	for (unsigned i = 0; i < 1000; i++)
		passed += speak(&camera_says, true, (uint8_t)i, i) != 0;
	assert_true(
		passed >= PACE_BURST && passed <= PACE_BURST + PACE_RATE + 1);
	assert_int_equal(speak(&phone_asks, true, 1, 1000), 2);
}

static void pacing(void **state)
{
	static struct pace pace;
	struct mac mac = {{2}};
	unsigned allowed = 0;

	(void)state;
	for (unsigned i = 0; i < PACE_SENDERS_MAX; i++) {
		mac.b[4] = (uint8_t)(i >> 8);
		mac.b[5] = (uint8_t)i;
		allowed += pace_allows(&pace, &mac, NOW);
	}
	assert_int_equal(allowed, PACE_BURST_ALL);
	assert_int_equal(pace.n, PACE_SENDERS_MAX);
	/* No bucket, no word; later there is one. */
	mac.b[3] = 1;
	assert_false(pace_allows(&pace, &mac, NOW + 5000));
	assert_true(pace_allows(&pace, &mac, NOW + PACE_FORGET_MS + 1));
	/* What one says too much does not use up everybody's. */
	for (int i = 0; i < 5000; i++)
		(void)pace_allows(&pace, &mac, NOW + 2 * PACE_FORGET_MS);
	mac.b[3] = 2;
	assert_true(pace_allows(&pace, &mac, NOW + 2 * PACE_FORGET_MS));
}

static void refused_items(void **state)
{
	struct plan *plan = new_plan(DISCOVERY_PROTOCOL_UDP, 9999);
	struct discovery_channel c = {
		.place = 1, .protocol = 9, .port = 1, .own_port = 1};
	struct discovery_link l = {.place = 7, .interface = "x"};
	struct discovery_reflect r = {.from_links = 4, .name = "r"};
	struct discovery_service s = {.text = "_x._tcp"};
	struct discovery_device d = {0};
	struct discovery_may m = {.device = 1, .length = 33};

	(void)state;
	assert_int_equal(plan_add_channel(plan, &c), -EINVAL);
	assert_int_equal(plan_add_link(plan, &l), -EINVAL);
	l.place = 2;
	memset(l.interface, 'x', sizeof(l.interface));
	assert_int_equal(plan_add_link(plan, &l), -EINVAL);
	assert_int_equal(plan_add_reflect(plan, &r), -EINVAL);
	r.from_links = 1;
	r.channel = 1;
	assert_int_equal(plan_add_reflect(plan, &r), -EINVAL);
	assert_int_equal(plan_add_service(plan, &s), -EINVAL);
	r.channel = 0;
	assert_int_equal(plan_add_reflect(plan, &r), 0);
	assert_int_equal(plan_add_service(plan, &s), -EINVAL);
	assert_int_equal(plan_add_device(plan, &d), -EINVAL);
	m.to.family = AF_INET;
	assert_int_equal(plan_add_may(plan, &m), -EINVAL);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(between_zones, end),
		cmocka_unit_test_teardown(strangers, end),
		cmocka_unit_test_teardown(same_words_again, end),
		cmocka_unit_test_teardown(neighbours, end),
		cmocka_unit_test(who_may),
		cmocka_unit_test_teardown(single_devices, end),
		cmocka_unit_test_teardown(crowded_askers, end),
		cmocka_unit_test_teardown(ssdp, end),
		cmocka_unit_test_teardown(floods, end),
		cmocka_unit_test(pacing),
		cmocka_unit_test(refused_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
