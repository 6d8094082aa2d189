/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse self-test: what a stranger on the bridge of a zone can do, tried
 * with real frames against the rules that are in force. Root only. Writes
 * what it found into the daemon's state folder; changes nothing else that
 * outlives it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/ctl.h"
#include "agent/ctl/plan.h"
#include "agent/ctl/procnet.h"
#include "agent/ctl/say.h"
#include "agent/ctl/selftest.h"
#include "agent/ctl/table.h"
#include "agent/lib/probe.h"

/* A zone's bridge, as far as frames for it need to know. */
struct place {
	char bridge[16];
	struct mac mac;
	struct ip ip4, link6, global6; /* the gateway's; family 0: none */
	uint8_t length4;
};

struct list {
	struct selftest_probe probes[SELFTEST_PROBES_MAX];
	size_t n;
};

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac all_nodes = {{0x33, 0x33, 0, 0, 0, 1}};

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};

	if (ip_parse(text, &ip) < 0)
		abort();
	return ip;
}

static bool read_mac(const char *interface, struct mac *ret_mac)
{
	char path[64], text[MAC_TEXT] = "";
	_cleanup_(cleanup_close) int fd = -1;

	snprintf(path, sizeof(path), "/sys/class/net/%s/address", interface);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) != sizeof(text) - 1)
		return false;
	return mac_parse(text, ret_mac) == 0;
}

static uint8_t length_of(const struct sockaddr *mask)
{
	uint32_t bits = mask ? ((const struct sockaddr_in *)(const void *)mask)
					->sin_addr.s_addr
			     : 0;

	return (uint8_t)__builtin_popcount(bits);
}

static bool look_at(const char *bridge, struct place *place)
{
	struct ifaddrs *all = NULL;

	memset(place, 0, sizeof(*place));
	memcpy(place->bridge, bridge, strlen(bridge));
	if (!read_mac(bridge, &place->mac) || getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *a = all; a; a = a->ifa_next) {
		uint16_t port;
		struct ip ip;

		if (strcmp(a->ifa_name, bridge) != 0 || !a->ifa_addr ||
			ip_from_sockaddr(a->ifa_addr, &ip, &port) < 0)
			continue;
		if (ip.family == AF_INET) {
			place->ip4 = ip;
			place->length4 = length_of(a->ifa_netmask);
		} else if (ip_is_link_local(&ip)) {
			place->link6 = ip;
		} else {
			place->global6 = ip;
		}
	}
	freeifaddrs(all);
	return true;
}

/* Another address of the same network. */
static struct ip beside(const struct ip *ip, uint8_t last)
{
	struct ip other = *ip;
	size_t at = ip->family == AF_INET ? 3 : 15;

	other.b[at] = other.b[at] == last ? (uint8_t)(last - 1) : last;
	return other;
}

static struct ip link_local(const struct mac *mac)
{
	struct ip ip = {AF_INET6, {0xfe, 0x80}};

	memcpy(ip.b + 8, mac->b, 3);
	ip.b[8] ^= 2;
	ip.b[11] = 0xff;
	ip.b[12] = 0xfe;
	memcpy(ip.b + 13, mac->b + 3, 3);
	return ip;
}

static struct selftest_probe *add(struct list *list,
	const struct selftest_net *net, const char *what,
	enum selftest_kind kind, enum selftest_want want,
	const struct mac *to_mac, const struct ip *from, const struct ip *to)
{
	static struct selftest_probe spare;
	struct selftest_probe *p = list->n < SELFTEST_PROBES_MAX
					   ? &list->probes[list->n]
					   : &spare;

	memset(p, 0, sizeof(*p));
	snprintf(p->what, sizeof(p->what), "%s", what);
	p->kind = kind;
	p->want = want;
	p->from_mac = net->mac;
	p->to_mac = *to_mac;
	if (from)
		p->from = *from;
	if (to)
		p->to = *to;
	p->port = 9;
	p->number = (uint8_t)(1 + list->n);
	p->source_port = (uint16_t)(SELFTEST_SOURCE_PORT + list->n);
	if (p != &spare)
		list->n++;
	return p;
}

#define NEIGHBOUR SELFTEST_STAYS

static void add_neighbours(struct list *l, const struct selftest_net *net,
	const struct place *place, const struct ip *own)
{
	const struct mac *other = &net->other_mac;
	struct ip six = link_local(&net->mac), target = link_local(other);
	struct ip group = ip_of("ff02::1"), all = ip_of("255.255.255.255");
	struct ip neighbour = beside(own, 252), fake = place->link6;

	add(l, net, "neighbour: another ethertype", SELFTEST_ETHERTYPE,
		NEIGHBOUR, other, NULL, NULL);
	add(l, net, "neighbour: IPv4", SELFTEST_UDP, NEIGHBOUR, other, own,
		&neighbour);
	add(l, net, "neighbours: IPv4 broadcast", SELFTEST_UDP, NEIGHBOUR,
		&everybody, own, &all);
	add(l, net, "neighbour: IPv6", SELFTEST_UDP, NEIGHBOUR, other, &six,
		&target);
	add(l, net, "neighbours: IPv6 multicast", SELFTEST_ECHO, NEIGHBOUR,
		&all_nodes, &six, &group);
	add(l, net, "neighbours: ARP", SELFTEST_ARP, NEIGHBOUR, &everybody, own,
		&neighbour);
	add(l, net, "neighbours: ARP in the gateway's name", SELFTEST_ARP,
		NEIGHBOUR, &everybody, &place->ip4, &neighbour);
	add(l, net, "neighbours: as a router (RA)", SELFTEST_ROUTER, NEIGHBOUR,
		&all_nodes, &six, &group);
	if (fake.family)
		add(l, net, "neighbours: as the gateway's router",
			SELFTEST_ROUTER, NEIGHBOUR, &all_nodes, &fake, &group);
	add(l, net, "neighbours: as a DHCP server", SELFTEST_UDP, NEIGHBOUR,
		&everybody, own, &all)
		->port = 68;
	l->probes[l->n - 1].source_port = 67;
}

static void add_detours(struct list *l, const struct selftest_net *net,
	const struct place *place, const struct ip *own)
{
	static const char *const outside[] = {"192.0.2.77", "10.255.255.77"};
	struct ip to = ip_of("2001:db8:ffff::77"), six;

	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		struct ip ip = ip_of(outside[i]);
		char what[80];

		snprintf(what, sizeof(what), "outside: %s", outside[i]);
		add(l, net, what, SELFTEST_UDP, SELFTEST_STAYS, &place->mac,
			own, &ip);
		l->probes[l->n - 1].port = 443;
		snprintf(what, sizeof(what), "outside: DNS at %s", outside[i]);
		add(l, net, what, SELFTEST_UDP, SELFTEST_STAYS, &place->mac,
			own, &ip);
		l->probes[l->n - 1].port = 53;
	}
	if (!place->global6.family)
		return;
	six = beside(&place->global6, 251);
	add(l, net, "outside: IPv6", SELFTEST_UDP, SELFTEST_STAYS, &place->mac,
		&six, &to);
}

static void add_gateway(struct list *l, const struct selftest_net *net,
	const struct place *place, const struct ip *own)
{
	static struct procnet_socket sockets[PROCNET_SOCKETS_MAX];
	struct ip six = link_local(&net->mac), nobody = {.family = AF_INET};
	char *text = NULL, what[80];
	size_t n = 0, tried = 0;

	add(l, net, "control: the gateway answers ARP", SELFTEST_ARP,
		SELFTEST_ANSWER, &everybody, &nobody, &place->ip4);
	add(l, net, "gateway: ping", SELFTEST_ECHO, SELFTEST_NO_ANSWER,
		&place->mac, own, &place->ip4);
	if (place->link6.family)
		add(l, net, "gateway: ping, IPv6", SELFTEST_ECHO,
			SELFTEST_NO_ANSWER, &place->mac, &six, &place->link6);
	if (procnet_read("/proc/net/tcp", &text) == 0)
		n = procnet_parse_sockets(
			text, true, false, sockets, n, PROCNET_SOCKETS_MAX);
	free(text);
	text = NULL;
	if (procnet_read("/proc/net/tcp6", &text) == 0)
		n = procnet_parse_sockets(
			text, true, true, sockets, n, PROCNET_SOCKETS_MAX);
	free(text);
	for (size_t i = 0; i < n && tried < SELFTEST_SERVICES_MAX; i++) {
		if (sockets[i].ip.b[0] == 127 || sockets[i].ip.b[15] == 1)
			continue;
		snprintf(
			what, sizeof(what), "gateway: tcp/%u", sockets[i].port);
		add(l, net, what, SELFTEST_TCP, SELFTEST_NO_ANSWER, &place->mac,
			own, &place->ip4)
			->port = sockets[i].port;
		tried++;
	}
}

/* An address of that network that this host knows nobody to have. */
static struct ip free_address(const struct place *place)
{
	_cleanup_(cleanup_free) char *text = NULL;
	struct ip ip = place->ip4;
	char word[IP_TEXT + 1];

	if (procnet_read("/proc/net/arp", &text) < 0)
		return beside(&place->ip4, 251);
	for (uint8_t last = 250; last > 100; last--) {
		ip.b[3] = last;
		ip_format(&ip, word);
		word[strlen(word) + 1] = 0;
		word[strlen(word)] = ' ';
		if (last != place->ip4.b[3] && !strstr(text, word))
			break;
	}
	return ip;
}

/* 0, or -errno: it could not be tried. */
static int try_place(const struct place *place, struct list *list)
{
	struct selftest_net net;
	struct ip own = free_address(place);
	int r = selftest_open(&net, place->bridge, &own, place->length4);

	if (r < 0)
		return r;
	add_gateway(list, &net, place, &own);
	add_neighbours(list, &net, place, &own);
	add_detours(list, &net, place, &own);
	r = selftest_run(&net, list->probes, list->n);
	selftest_close(&net);
	return r;
}

static const char *outcome(const struct selftest_probe *p)
{
	if (p->want == SELFTEST_ANSWER)
		return p->passed ? "answered" : "NOT ANSWERED";
	return p->passed ? "GOT THROUGH" : "stopped";
}

static void print(const struct list *list)
{
	static const struct table_column columns[] = {
		{.heading = "WHAT WAS TRIED"},
		{.heading = "OUTCOME"},
		{.heading = "BY"},
	};
	_cleanup_(table_clear) struct table table = {
		.columns = columns, .n_columns = ARRAY_SIZE(columns)};

	for (size_t i = 0; i < list->n; i++) {
		const struct selftest_probe *p = &list->probes[i];
		const char *cells[] = {p->what, outcome(p), p->where};

		table_add(&table, cells);
	}
	table_print(&table, stdout, say_width());
}

static json_t *to_json(const char *zone, const char *bridge,
	const struct list *list, int error)
{
	json_t *probes = json_array();

	for (size_t i = 0; i < list->n; i++) {
		const struct selftest_probe *p = &list->probes[i];

		json_array_append_new(probes,
			json_pack("{s:s, s:b, s:b, s:s}", "what", p->what,
				"control", p->want == SELFTEST_ANSWER, "passed",
				p->passed, "by", p->where));
	}
	return json_pack("{s:s, s:s, s:b, s:b, s:s, s:o}", "zone", zone,
		"interface", bridge, "probed", !error, "held",
		!error && selftest_held(list->probes, list->n), "error",
		error ? strerror(-error) : "", "probes", probes);
}

/* One zone may have several bridges: all have to hold. */
static void note(struct probe_results *results, const char *zone, bool held)
{
	for (size_t i = 0; i < results->n; i++)
		if (!strcmp(results->zones[i].name, zone)) {
			results->zones[i].held &= held;
			return;
		}
	if (results->n == PROBE_ZONES_MAX)
		return;
	snprintf(results->zones[results->n].name,
		sizeof(results->zones[0].name), "%s", zone);
	results->zones[results->n++].held = held;
}

struct test {
	const struct plan *plan;
	bool json, failed;
	unsigned probed, unprobed; /* interfaces of enforced zones */
	json_t *all;
	struct probe_results results;
};

static void skip(struct test *test, const char *zone, const char *interface,
	const char *why)
{
	json_array_append_new(
		test->all, json_pack("{s:s, s:s, s:b, s:b, s:s, s:[]}", "zone",
				   zone, "interface", interface, "probed", 0,
				   "held", 0, "error", why, "probes"));
	if (!test->json)
		say("Zone %s, %s: not probed: %s", zone, interface, why);
}

static void test_interface(
	struct test *test, const char *zone, const char *interface)
{
	static struct list list;
	struct place place;
	char path[64];
	bool held;
	int r;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/bridge", interface);
	if (strcmp(plan_mode(test->plan, zone, ""), "enforce") != 0) {
		skip(test, zone, interface,
			"it is only observed, nothing is blocked.");
		return;
	}
	if (access(path, F_OK) < 0) {
		test->unprobed++;
		skip(test, zone, interface,
			"it is not a bridge, so no port can be put beside the "
			"devices. Try with a device of your own there.");
		return;
	}
	list.n = 0;
	r = look_at(interface, &place) && place.ip4.family
		    ? try_place(&place, &list)
		    : -EADDRNOTAVAIL;
	held = r == 0 && selftest_held(list.probes, list.n);
	test->failed |= !held;
	if (r == 0)
		note(&test->results, zone, held);
	test->probed += r == 0;
	test->unprobed += r < 0;
	json_array_append_new(test->all, to_json(zone, interface, &list, r));
	if (test->json)
		return;
	if (r < 0)
		say("Zone %s, %s: could not be tried: %s.", zone, interface,
			strerror(-r));
	else
		say("Zone %s, %s: %s", zone, interface,
			held ? "a stranger got nothing through."
			     : "ISOLATION DOES NOT HOLD.");
	print(&list);
}

static void test_zone(struct test *test, const struct plan_section *zone)
{
	char *words = strdup(zone->interface ? zone->interface : "");
	char *rest = words, *word;

	if (!words)
		abort();
	while ((word = strsep(&rest, " \t,")) != NULL)
		if (*word && strlen(word) < 16 && !strchr(word, '/'))
			test_interface(test, zone->name, word);
	free(words);
}

static void keep(const char *folder, struct probe_results *results)
{
	_cleanup_(cleanup_close) int fd = open(
		folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	results->when = time(NULL);
	r = fd < 0 ? -errno : probe_store(fd, results);
	if (r < 0)
		say_errorf(NULL,
			"The result could not be kept in %s (%s), so devices "
			"stay unverified.",
			folder, strerror(-r));
}

static void sum_up(const struct test *test)
{
	if (!test->probed)
		say("Nothing could be probed.");
	else if (test->unprobed)
		say("Probed: %u of %u interfaces of enforced zones. Nothing is "
		    "said about the others.",
			test->probed, test->probed + test->unprobed);
}

static int run(const struct ctl *ctl, const struct plan *plan)
{
	struct test test = {
		.plan = plan, .json = ctl->json, .all = json_array()};

	for (size_t i = 0; i < plan->n_sections; i++) {
		const struct plan_section *s = &plan->sections[i];

		if (strcmp(s->type, "zone") == 0 &&
			(!s->role || !*s->role || !strcmp(s->role, "devices")))
			test_zone(&test, s);
	}
	if (test.probed)
		keep(ctl->state, &test.results);
	if (!ctl->json)
		sum_up(&test);
	if (ctl->json && say_json(json_incref(test.all)) < 0)
		test.failed = true;
	json_decref(test.all);
	return test.failed || test.unprobed || !test.probed ? CTL_FAILED
							    : CTL_DONE;
}

int ctl_selftest(const struct ctl *ctl)
{
	_cleanup_(plan_clear) struct plan plan = {0};
	int r;

	if (geteuid() != 0) {
		say_error("Only root may send frames of others.", "Try sudo.");
		return CTL_FAILED;
	}
	r = plan_load(ctl->config, &plan);
	if (r < 0) {
		say_errorf(
			NULL, "Cannot read %s: %s.", ctl->config, strerror(-r));
		return CTL_FAILED;
	}
	return run(ctl, &plan);
}
