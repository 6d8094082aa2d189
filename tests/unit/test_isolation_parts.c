/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small pure parts of isolation: boxes, topology, sightings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/claims.h"
#include "modules/isolation/sightings.h"
#include "modules/isolation/topology.h"

/* A small world, so that every point of it can be looked at. */
#define SPAN 6

static void set(uint8_t number[16], int value)
{
	memset(number, 0, 16);
	/* Over a byte's border, where carrying can go wrong. */
	number[14] = (uint8_t)((value + 253) >> 8);
	number[15] = (uint8_t)(value + 253);
}

static struct box random_box(void)
{
	struct box box;

	for (int s = 0; s < BOXES_SIDES; s++) {
		int a = rand() % SPAN, b = rand() % SPAN;

		set(box.side[s].first, a < b ? a : b);
		set(box.side[s].last, a < b ? b : a);
	}
	return box;
}

static bool covers(const struct box *box, const int point[BOXES_SIDES])
{
	for (int s = 0; s < BOXES_SIDES; s++) {
		uint8_t number[16];

		set(number, point[s]);
		if (memcmp(number, box->side[s].first, 16) < 0 ||
			memcmp(number, box->side[s].last, 16) > 0)
			return false;
	}
	return true;
}

static int count(
	const struct box *boxes, size_t n, const int point[BOXES_SIDES])
{
	int found = 0;

	for (size_t i = 0; i < n; i++)
		found += covers(&boxes[i], point);
	return found;
}

/* Whatever overlaps: the same points, none of them twice. */
static void test_boxes_same_points(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 300; round++) {
		struct box given[12];
		struct boxes cut = {0};

		for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
			given[i] = random_box();
			assert_int_equal(boxes_add(&cut, &given[i], 1000), 0);
		}
		for (int p = 0; p < SPAN * SPAN * SPAN; p++) {
			int point[] = {
				p % SPAN, p / SPAN % SPAN, p / SPAN / SPAN};
			int wanted = count(given, ARRAY_SIZE(given), point);

			assert_int_equal(
				count(cut.box, cut.n, point), wanted > 0);
		}
		boxes_free(&cut);
	}
}

static void test_boxes_repeated(void **state)
{
	struct boxes cut = {0};
	struct box box = random_box();

	(void)state;
	assert_int_equal(boxes_add(&cut, &box, 10), 0);
	assert_int_equal(boxes_add(&cut, &box, 10), 0);
	assert_int_equal(cut.n, 1);
	boxes_free(&cut);
}

static void test_boxes_limit(void **state)
{
	struct boxes cut = {0};
	struct box box = random_box();

	(void)state;
	for (int i = 0; i < 5; i++) {
		set(box.side[BOXES_PORT].first, i);
		set(box.side[BOXES_PORT].last, i);
		assert_int_equal(boxes_add(&cut, &box, 4), i < 4 ? 0 : -ENOSPC);
	}
	boxes_free(&cut);
}

static void test_boxes_ends_of_the_world(void **state)
{
	struct boxes cut = {0};
	struct box all = {0}, middle;

	(void)state;
	for (int s = 0; s < BOXES_SIDES; s++)
		memset(all.side[s].last, 0xff, 16);
	middle = all;
	memset(middle.side[0].first, 0x80, 16);
	assert_int_equal(boxes_add(&cut, &middle, 10), 0);
	assert_int_equal(boxes_add(&cut, &all, 10), 0);
	assert_int_equal(cut.n, 2);
	assert_int_equal(boxes_add(&cut, &all, 10), 0);
	assert_int_equal(cut.n, 2);
	boxes_free(&cut);
}

static void add_zone(struct policy *p, const char *name, uint8_t role,
	uint8_t mode, uint16_t place)
{
	struct isolation_zone z = {.role = role, .mode = mode, .zone = place};

	strncpy(z.interface, name, sizeof(z.interface) - 1);
	assert_int_equal(policy_add_zone(p, &z), 0);
}

static const struct topology_fact facts[] = {
	{"lo", 1, 0, false, false},
	{"br0", 9, 0, true, false},
	{"br1", 4, 0, true, false},
	{"port1", 7, 9, false, true},
	{"port0", 5, 9, false, true},
	{"other", 6, 4, false, true},
	{"wlan1", 8, 0, false, false},
	{"bond-slave", 11, 12, false, false},
	{"bond", 12, 9, false, true},
};

static void build(struct policy *p, struct topology *t)
{
	char reason[POLICY_REASON];

	assert_int_equal(policy_seal(p, reason), 0);
	topology_build(p, facts, ARRAY_SIZE(facts), t);
}

static void test_topology_ports(void **state)
{
	struct policy p = {0};
	struct topology t;

	(void)state;
	add_zone(&p, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1);
	add_zone(&p, "wlan1", ISOLATION_ROLE_DEVICES, RECORD_MODE_OBSERVE, 2);
	add_zone(&p, "br1", ISOLATION_ROLE_OWNER, RECORD_MODE_ENFORCE, 3);
	add_zone(&p, "eth9", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 4);
	add_zone(&p, "port0", ISOLATION_ROLE_UPLINK, RECORD_MODE_ENFORCE, 5);
	build(&p, &t);
	assert_int_equal(t.n_links, 5);
	for (size_t i = 0; i < t.n_links; i++) {
		const struct isolation_link *l = &t.links[i];

		assert_int_equal(l->present, strcmp(l->interface, "eth9") != 0);
		assert_int_equal(
			l->is_port, strcmp(l->interface, "port0") == 0);
	}
	/* br0, its three ports and wlan1; never the owner's. */
	assert_int_equal(t.n_ports, 5);
	assert_null(topology_port(&t, 6));
	assert_null(topology_port(&t, 4));
	assert_null(topology_port(&t, 11));
	assert_int_equal(topology_port(&t, 12)->zone, 1);
	assert_true(topology_port(&t, 9)->routed);
	assert_false(topology_port(&t, 7)->routed);
	assert_int_equal(topology_port(&t, 7)->mode, RECORD_MODE_ENFORCE);
	assert_int_equal(topology_port(&t, 8)->mode, RECORD_MODE_OBSERVE);
	topology_free(&t);
	policy_free(&p);
}

static void test_topology_same(void **state)
{
	struct policy p = {0}, q = {0};
	struct topology t, u;

	(void)state;
	add_zone(&p, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1);
	add_zone(&q, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_OBSERVE, 1);
	build(&p, &t);
	build(&p, &u);
	assert_true(topology_same_ports(&t, &u));
	topology_free(&u);
	build(&q, &u);
	assert_false(topology_same_ports(&t, &u));
	topology_free(&u);
	topology_build(&p, facts, 2, &u);
	assert_false(topology_same_ports(&t, &u));
	topology_free(&u);
	topology_free(&t);
	policy_free(&p);
	policy_free(&q);
}

static const char *gone_name(const struct topology *t)
{
	for (size_t i = 0; i < t->n_ports; i++)
		if (!t->ports[i].routed)
			return t->ports[i].name;
	return "";
}

/* A port that is away stays guarded, unless it is somebody else's now. */
static void test_topology_remember(void **state)
{
	struct topology_fact now[ARRAY_SIZE(facts)];
	const struct topology_port *gone;
	struct topology t, u;
	struct policy p = {0};
	size_t n = 0;

	(void)state;
	add_zone(&p, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1);
	build(&p, &t);
	assert_true(t.n_ports >= 3); /* the bridge and two ports at least */
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const struct topology_port *port = topology_port(
			&t, facts[i].index);

		if (!port || port->routed)
			now[n++] = facts[i];
	}
	topology_build(&p, now, n, &u);
	assert_int_equal(u.n_ports, 1);
	topology_remember(&u, &t, now, n);
	assert_int_equal(u.n_ports, t.n_ports);
	gone = &u.ports[0];
	assert_int_equal(gone->index, 0);
	for (size_t i = 1; i < u.n_ports && !u.ports[i].index; i++)
		assert_true(strcmp(u.ports[i - 1].name, u.ports[i].name) < 0);
	assert_int_equal(gone->mode, RECORD_MODE_ENFORCE);
	topology_free(&u);
	/* Back, on a bridge that is no zone's. */
	now[n] = (struct topology_fact){
		.index = 900, .master = 901, .bridged = true};
	snprintf(now[n].name, sizeof(now[n].name), "%s", gone_name(&t));
	topology_build(&p, now, n + 1, &u);
	topology_remember(&u, &t, now, n + 1);
	assert_int_equal(u.n_ports, t.n_ports - 1);
	topology_free(&u);
	topology_free(&t);
	policy_free(&p);
}

static void test_topology_limit(void **state)
{
	size_t n = TOPOLOGY_PORTS_MAX + 10;
	struct topology_fact *many = calloc(n, sizeof(*many));
	struct policy p = {0};
	struct topology t;
	char reason[POLICY_REASON];

	(void)state;
	assert_non_null(many);
	for (size_t i = 0; i < n; i++)
		many[i] = (struct topology_fact){
			"p", (int32_t)i + 1, 1, false, true};
	many[0] = (struct topology_fact){"br0", 1, 0, true, false};
	add_zone(&p, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1);
	assert_int_equal(policy_seal(&p, reason), 0);
	topology_build(&p, many, n, &t);
	assert_int_equal(t.n_ports, TOPOLOGY_PORTS_MAX);
	assert_true(t.full);
	topology_free(&t);
	topology_build(&p, many, TOPOLOGY_PORTS_MAX, &t);
	assert_false(t.full);
	topology_free(&t);
	policy_free(&p);
	free(many);
}

static struct topology_address address(const char *text, int32_t index)
{
	struct topology_address a = {.index = index};

	assert_int_equal(ip_parse(text, &a.ip), 0);
	return a;
}

static struct ip ip(const char *text)
{
	return address(text, 0).ip;
}

/* Of the devices' interfaces only, each once, in whatever order they come. */
static void test_topology_addresses(void **state)
{
	struct topology_address some[] = {address("192.168.50.1", 9),
		address("fe80::1", 8), address("203.0.113.1", 1),
		address("192.0.2.1", 4), address("192.0.2.7", 7),
		address("fe80::1", 9)};
	struct topology_address less[] = {some[5], some[0]};
	struct ip gateway = ip("192.168.50.1"), link = ip("fe80::1");
	struct ip outside = ip("203.0.113.1"), on_port = ip("192.0.2.7");
	struct policy p = {0};
	struct topology t, u;

	(void)state;
	add_zone(&p, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1);
	add_zone(&p, "wlan1", ISOLATION_ROLE_DEVICES, RECORD_MODE_OBSERVE, 2);
	add_zone(&p, "br1", ISOLATION_ROLE_OWNER, RECORD_MODE_ENFORCE, 3);
	build(&p, &t);
	assert_false(topology_is_gateway(&t, &gateway));
	topology_add_addresses(&t, some, ARRAY_SIZE(some));
	assert_int_equal(t.n_addresses, 2);
	assert_true(topology_is_gateway(&t, &gateway));
	assert_true(topology_is_gateway(&t, &link));
	assert_false(topology_is_gateway(&t, &outside));
	assert_false(topology_is_gateway(&t, &on_port));
	topology_build(&p, facts, ARRAY_SIZE(facts), &u);
	topology_add_addresses(&u, less, ARRAY_SIZE(less));
	assert_true(topology_same_ports(&t, &u));
	topology_free(&u);
	topology_build(&p, facts, ARRAY_SIZE(facts), &u);
	topology_add_addresses(&u, less, 1);
	assert_false(topology_same_ports(&t, &u));
	topology_free(&u);
	topology_build(&p, facts, ARRAY_SIZE(facts), &u);
	less[1] = address("192.168.50.2", 9);
	topology_add_addresses(&u, less, 2);
	assert_false(topology_same_ports(&t, &u));
	topology_free(&u);
	topology_free(&t);
	policy_free(&p);
}

static void test_topology_address_limit(void **state)
{
	size_t n = TOPOLOGY_ADDRESSES_MAX + 1;
	struct topology_address *many = calloc(n, sizeof(*many));
	struct policy p = {0};
	struct topology t;

	(void)state;
	assert_non_null(many);
	add_zone(&p, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1);
	for (size_t i = 0; i < n; i++) {
		many[i] = address("10.0.0.0", 9);
		many[i].ip.b[2] = (uint8_t)(i >> 8);
		many[i].ip.b[3] = (uint8_t)i;
	}
	build(&p, &t);
	topology_add_addresses(&t, many, n - 1);
	assert_false(t.addresses_full);
	topology_free(&t);
	topology_build(&p, facts, ARRAY_SIZE(facts), &t);
	topology_add_addresses(&t, many, n);
	assert_true(t.addresses_full);
	assert_int_equal(t.n_addresses, TOPOLOGY_ADDRESSES_MAX);
	topology_free(&t);
	policy_free(&p);
	free(many);
}

/* What is bound: 13 to the second device, fd00::13 to nobody known. */
static struct isolation_spoof explain(struct ruleset_spoof caught)
{
	struct ruleset_bound bound[] = {
		{.ip = ip("192.168.50.13"), .mac = {{2, 0, 0, 0, 0, 2}}},
		{.ip = ip("fd00::13"), .mac = {{2, 0, 0, 0, 0, 8}}}};
	struct ruleset_carry carry = {.bound = bound, .n_bound = 2};
	struct isolation_device d[] = {{.id = 1, .mac = {{2, 0, 0, 0, 0, 1}}},
		{.id = 2, .mac = {{2, 0, 0, 0, 0, 2}}}};
	struct topology_address gateway = address("192.168.50.1", 9);
	struct isolation_pin pin = {.ip = ip("192.168.50.11"), .device = 1};
	struct isolation_spoof s;
	struct policy p = {0};
	struct topology t;

	add_zone(&p, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1);
	assert_int_equal(policy_add_device(&p, &d[0]), 0);
	assert_int_equal(policy_add_device(&p, &d[1]), 0);
	assert_int_equal(policy_add_pin(&p, &pin), 0);
	build(&p, &t);
	topology_add_addresses(&t, &gateway, 1);
	s = claims_explain(&p, &t, &carry, &caught);
	topology_free(&t);
	policy_free(&p);
	return s;
}

static void test_claims(void **state)
{
	static const struct {
		uint8_t mac;
		const char *ip;
		uint8_t protocol;
		uint16_t what;
		uint8_t claim;
	} cases[] = {
		{2, "192.168.50.1", 0, 0, ISOLATION_CLAIM_GATEWAY},
		{1, "192.168.50.1", 0, 0, ISOLATION_CLAIM_GATEWAY},
		{2, "192.168.50.11", 0, 0, ISOLATION_CLAIM_PINNED},
		{9, "192.168.50.11", 0, 0, ISOLATION_CLAIM_PINNED},
		{1, "192.168.50.12", 0, 0, ISOLATION_CLAIM_NOT_PINNED},
		{1, "fd00::12", 0, 0, ISOLATION_CLAIM_MAC}, /* no such pin */
		{1, "192.168.50.11", 0, 0, ISOLATION_CLAIM_MAC},
		{2, "192.168.50.12", 0, 0, ISOLATION_CLAIM_MAC},
		{1, NULL, IPPROTO_UDP, 67, ISOLATION_CLAIM_DHCP},
		{1, NULL, IPPROTO_UDP, 547, ISOLATION_CLAIM_DHCP},
		{1, NULL, IPPROTO_ICMP, 0x501, ISOLATION_CLAIM_REDIRECT},
		{1, NULL, IPPROTO_ICMPV6, 0x8600, ISOLATION_CLAIM_ROUTER},
		{1, NULL, IPPROTO_ICMPV6, 0x8900, ISOLATION_CLAIM_REDIRECT},
		{1, NULL, 0, 0, ISOLATION_CLAIM_TAGS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ruleset_spoof caught = {
			.mac = {{2, 0, 0, 0, 0, cases[i].mac}},
			.protocol = cases[i].protocol,
			.what = cases[i].what,
			.count = {7, 700}};
		struct isolation_spoof s;

		if (cases[i].ip)
			caught.ip = ip(cases[i].ip);
		s = explain(caught);
		if (s.claim != cases[i].claim)
			fail_msg("%zu: claim %u", i, s.claim);
		assert_int_equal(
			s.device, cases[i].mac == 9 ? 0 : cases[i].mac);
		assert_int_equal(
			s.victim, s.claim == ISOLATION_CLAIM_PINNED ? 1 : 0);
		assert_int_equal(s.packets, 7);
	}
}

static void test_claims_bound(void **state)
{
	struct ruleset_spoof caught = {
		.mac = {{2, 0, 0, 0, 0, 1}}, .ip = ip("192.168.50.13")};
	struct isolation_spoof s = explain(caught);

	(void)state;
	assert_int_equal(s.claim, ISOLATION_CLAIM_BOUND);
	assert_int_equal(s.victim, 2);
	assert_int_equal(s.holder.b[5], 2);
	/* Its own, but not in this way. */
	caught.mac.b[5] = 2;
	assert_int_equal(explain(caught).claim, ISOLATION_CLAIM_MAC);
	caught.ip = ip("fd00::13");
	s = explain(caught);
	assert_int_equal(s.claim, ISOLATION_CLAIM_BOUND);
	assert_int_equal(s.victim, 0);
	assert_int_equal(s.holder.b[5], 8);
	/* Whatever is said of it elsewhere. */
	caught.list = RULESET_LIST_UNBOUND;
	assert_int_equal(explain(caught).claim, ISOLATION_CLAIM_UNBOUND);
	caught = (struct ruleset_spoof){.list = RULESET_LIST_SEATS,
		.mac = {{2, 0, 0, 0, 0, 1}},
		.port = "p-stranger"};
	s = explain(caught);
	assert_int_equal(s.claim, ISOLATION_CLAIM_PORT);
	assert_string_equal(s.interface, "p-stranger");
	assert_int_equal(s.device, 1);
}

static struct sightings sightings;

static bool seen(uint8_t last, int32_t index, bool is_port, int64_t now)
{
	struct mac mac = {{2, 0, 0, 0, 0, last}};

	return sightings_add(&sightings, &mac, is_port, now, &index);
}

static void test_sightings_once(void **state)
{
	struct mac mac = {{2, 0, 0, 0, 0, 1}};

	(void)state;
	sightings_forget(&sightings);
	assert_int_equal(sightings_where(&sightings, &mac), 0);
	assert_true(seen(1, 5, true, 1000));
	assert_false(seen(1, 5, true, 1001));
	assert_int_equal(sightings_where(&sightings, &mac), 5);
	assert_true(seen(1, 5, true, 1000 + SIGHTINGS_AGAIN_MS));
	assert_true(seen(1, 6, true, 1001 + SIGHTINGS_AGAIN_MS));
	assert_int_equal(sightings_where(&sightings, &mac), 6);
	sightings_forget(&sightings);
	assert_true(seen(1, 6, true, 1002 + SIGHTINGS_AGAIN_MS));
}

/* The bridge knows less than its port: it does not move the device. */
static void test_sightings_port_wins(void **state)
{
	struct mac mac = {{2, 0, 0, 0, 0, 1}};
	int32_t index = 9;

	(void)state;
	sightings_forget(&sightings);
	assert_true(seen(1, 9, false, 1000));
	assert_true(seen(1, 5, true, 1001));
	assert_int_equal(
		sightings_add(&sightings, &mac, false, 1002, &index), 0);
	assert_int_equal(index, 5);
	assert_int_equal(sightings_where(&sightings, &mac), 5);
	assert_true(seen(1, 6, true, 1003));
}

static void test_sightings_rate(void **state)
{
	unsigned told = 0;

	(void)state;
	sightings_forget(&sightings);
	for (int i = 0; i < 4 * SIGHTINGS_RATE; i++) {
		struct mac mac = {{2, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
		int32_t index = 5;

		told += sightings_add(&sightings, &mac, true, 5000, &index) > 0;
	}
	assert_int_equal(told, SIGHTINGS_RATE);
	assert_true(seen(77, 5, true, 6000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boxes_same_points),
		cmocka_unit_test(test_boxes_repeated),
		cmocka_unit_test(test_boxes_limit),
		cmocka_unit_test(test_boxes_ends_of_the_world),
		cmocka_unit_test(test_topology_ports),
		cmocka_unit_test(test_topology_same),
		cmocka_unit_test(test_topology_remember),
		cmocka_unit_test(test_topology_limit),
		cmocka_unit_test(test_topology_addresses),
		cmocka_unit_test(test_topology_address_limit),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_claims_bound),
		cmocka_unit_test(test_sightings_once),
		cmocka_unit_test(test_sightings_port_wins),
		cmocka_unit_test(test_sightings_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
