/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From evidence to a product: lists of vendors, rules, how sure an answer is,
 * when it is a question; evidence kept within limits; heads of capture files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modules/discovery/discover/pcap.h"
#include "modules/discovery/match/book.h"
#include "modules/discovery/match/evidence.h"
#include "modules/discovery/match/match.h"
#include "modules/discovery/match/oui.h"

#define HOSTNAME DISCOVERY_EVIDENCE_DHCP_HOSTNAME
#define CLASS DISCOVERY_EVIDENCE_DHCP_VENDOR
#define VENDOR DISCOVERY_EVIDENCE_MAC_VENDOR
#define SERVICE DISCOVERY_EVIDENCE_MDNS_SERVICE
#define TEXT DISCOVERY_EVIDENCE_MDNS_TEXT
#define AGENT DISCOVERY_EVIDENCE_HTTP_AGENT

static const char list[] =
	"Registry,Assignment,Organization Name,Organization Address\n"
	"MA-L,0055DA,IEEE Registration Authority,445 Hoes Lane\r\n"
	"MA-M,0055DA1,\"Smart, \"\"Lamps\"\" Ltd\",\"A street\nin two lines\"\n"
	"MA-S,0055DA123,Plugs,x\n"
	"MA-L,021122,Nobody,x\n"
	"MA-L,0055D,Too short,x\n"
	"MA-L,0055DG,No number,x\n"
	"IAB,0050C2123,Old kind,x\n"
	"MA-L,AABBCC,\n"
	"half a line\n"
	"\n"
	"MA-L,00AABB,Last without an end";

static void look_up(
	size_t step, struct oui_wanted *wanted, size_t n, uint64_t *ret_refused)
{
	struct oui_reader reader = {.wanted = wanted, .n = n};

	oui_sort(wanted, n);
	for (size_t at = 0; at < strlen(list); at += step)
		oui_feed(&reader, list + at,
			strlen(list) - at < step ? strlen(list) - at : step);
	oui_finish(&reader);
	*ret_refused = reader.refused;
}

static void test_vendors(void **state)
{
	/* However the file comes in pieces. */
	static const size_t steps[] = {1, 7, 4096};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct oui_wanted wanted[] = {
			{.mac = {{0x02, 0x11, 0x22, 0, 0, 1}}},
			{.mac = {{0x00, 0xaa, 0xbb, 0, 0, 1}}},
			{.mac = {{0x00, 0x55, 0xda, 0x12, 0x3f, 0xff}}},
			{.mac = {{0x00, 0x55, 0xda, 0x12, 0x40, 0x00}}},
			{.mac = {{0x00, 0x55, 0xda, 0x20, 0, 0}}},
			{.mac = {{0x00, 0x55, 0xdb, 0, 0, 0}}},
		};
		uint64_t refused;

		look_up(steps[i], wanted, ARRAY_SIZE(wanted), &refused);
		assert_string_equal(wanted[0].name, "Plugs");
		assert_int_equal(wanted[0].bits, 36);
		assert_string_equal(wanted[1].name, "Smart, \"Lamps\" Ltd");
		assert_int_equal(wanted[1].bits, 28);
		assert_string_equal(
			wanted[2].name, "IEEE Registration Authority");
		assert_int_equal(wanted[2].bits, 24);
		assert_int_equal(wanted[3].bits, 0);
		assert_string_equal(wanted[4].name, "Last without an end");
		/* Locally administered: a list has nothing to say. */
		assert_int_equal(wanted[5].mac.b[0], 2);
		assert_int_equal(wanted[5].bits, 0);
		/* The heading, two numbers, a list, no name, half a line. */
		assert_int_equal(refused, 6);
	}
}

static struct conf *rules(const char *text)
{
	struct conf *conf;

	assert_int_equal(products_new(&conf), 0);
	assert_int_equal(conf_parse(conf, "x", text, strlen(text)), 0);
	products_check(conf);
	for (size_t i = 0; i < conf_problem_count(conf); i++)
		print_message("%s\n", conf_problem(conf, i)->text);
	return conf;
}

static const char shop[] =
	"[product lamp]\nname = Lamp\nvendor = Maker\n"
	"all-of = mac.vendor \"Maker*\"\n"
	"[product lamp-two]\nname = Lamp Two\nvendor = Maker\nkind-of = lamp\n"
	"all-of = mac.vendor \"Maker*\", dhcp.hostname \"lamp-2\"\n"
	"all-of = mdns.txt \"_lamp._tcp md=2\"\n"
	"[product plug]\nname = Plug\n"
	"all-of = dhcp.hostname \"plug-*\", dhcp.vendor-class \"udhcp*\"\n"
	"[product socket]\nname = Socket\n"
	"all-of = dhcp.hostname \"plug-*\", dhcp.vendor-class \"*1.30\"\n"
	"[product phone]\nname = Phone\n"
	"all-of = http.user-agent \"*Mobile*\"\n";

static struct match match;

static void find(const struct match_item *items, size_t n)
{
	struct conf *conf = rules(shop);

	assert_int_equal(conf_problem_count(conf), 0);
	match_find(conf, items, n, &match);
	/* Names stay while the rules do, so they are looked at here. */
	for (size_t i = 0; i < match.n; i++)
		match.candidates[i].product = NULL;
	conf_free(conf);
}

/* Like find(), and which product is the best. */
static void find_best(
	const struct match_item *items, size_t n, const char *expected)
{
	struct conf *conf = rules(shop);

	match_find(conf, items, n, &match);
	assert_true(match.n_best);
	assert_string_equal(match.candidates[0].product->name, expected);
	conf_free(conf);
}

static void test_most_specific_wins(void **state)
{
	const struct match_item items[] = {
		{VENDOR, "Maker Inc."},
		{HOSTNAME, "LAMP-2"},
	};

	(void)state;
	find_best(items, 1, "lamp");
	assert_int_equal(match.candidates[0].confidence, 30);
	find_best(items, 2, "lamp-two");
	/* Its own kind speaks not against it. */
	assert_int_equal(match.n, 1);
	assert_int_equal(match.candidates[0].confidence, 72);
	assert_int_equal(match.candidates[0].n_because, 2);
	assert_int_equal(match.candidates[0].because[1], 1);
	assert_false(match.candidates[0].hint);
	find(items, 0);
	assert_int_equal(match.n, 0);
	assert_int_equal(match.n_best, 0);
}

static void test_hints_stay_hints(void **state)
{
	const struct match_item item = {TEXT, "_lamp._tcp md=2"};

	(void)state;
	find_best(&item, 1, "lamp-two");
	assert_true(match.candidates[0].hint);
	assert_int_equal(match.candidates[0].confidence, EVIDENCE_HINT_MOST);
}

static void test_which_of_these(void **state)
{
	const struct match_item items[] = {
		{HOSTNAME, "plug-7"}, {CLASS, "udhcp 1.30"}};

	(void)state;
	find(items, 2);
	assert_int_equal(match.n_best, 2);
	/* One source (60 %) for either, and it is one of two. */
	assert_int_equal(match.candidates[0].confidence, 30);
	assert_int_equal(match.candidates[1].confidence, 30);
}

/* What a phone says through a device that it sets up never adds up. */
static void test_contradictions_lower(void **state)
{
	const struct match_item items[] = {
		{VENDOR, "Maker Inc."},
		{HOSTNAME, "lamp-2"},
		{AGENT, "Mozilla (Mobile)"},
		{HOSTNAME, "annas-phone"},
	};

	(void)state;
	find_best(items, 2, "lamp-two");
	assert_int_equal(match.candidates[0].confidence, 72);
	find_best(items, 3, "lamp-two");
	assert_int_equal(match.n, 2);
	assert_int_equal(match.n_best, 1);
	assert_int_equal(match.candidates[0].confidence, 48);
	assert_int_equal(match.contradiction, 0);
	find_best(items, 4, "lamp-two");
	assert_int_equal(match.contradiction, HOSTNAME);
	assert_int_equal(match.candidates[0].confidence, 32);
}

static void test_many_fit(void **state)
{
	const struct match_item item = {HOSTNAME, "x"};
	struct conf *conf;
	char text[4096] = "";

	(void)state;
	for (int i = 0; i < MATCH_CANDIDATES_MAX + 3; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used,
			"[product p%d]\nname = P\n"
			"all-of = dhcp.hostname \"%s\"\n",
			i, i == MATCH_CANDIDATES_MAX + 2 ? "x" : "*x*");
	}
	conf = rules(text);
	match_find(conf, &item, 1, &match);
	assert_int_equal(match.n, MATCH_CANDIDATES_MAX);
	assert_int_equal(match.more, 3);
	/* The best came last and has its place. */
	assert_int_equal(match.n_best, 1);
	assert_string_equal(match.candidates[0].product->name, "p10");
	conf_free(conf);
}

static void test_patterns(void **state)
{
	(void)state;
	assert_true(products_fits("Philips*", "philips lighting"));
	assert_true(products_fits("*a*b*c", "xxaybbzc"));
	assert_true(products_fits("*", ""));
	assert_true(products_fits("a**", "a"));
	assert_false(products_fits("a", "ab"));
	assert_false(products_fits("ab", "a"));
	assert_false(products_fits("*a*b*c", "xxaybbz"));
	assert_false(products_fits("", "a"));
}

static void refuse(const char *text, const char *expected)
{
	struct conf *conf = rules(text);

	assert_int_equal(conf_problem_count(conf), 1);
	assert_non_null(strstr(conf_problem(conf, 0)->text, expected));
	conf_free(conf);
}

static void test_rules_are_strict(void **state)
{
	static const char *const bad[] = {"dhcp.hostname x",
		"dhcp.hostname \"x", "dhcp.hostname \"\"", "dhcp.host \"x\"",
		"dhcp.hostname \"x\",", "dhcp.hostname \"x\" mac.vendor \"y\"",
		/* Says nothing of identity, so nothing may lean on it. */
		"arp.address \"10.0.0.2\"", "nd.address \"fe80::1\"",
		"mac.randomised \"yes\""};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text),
			"[product a]\nname = A\nall-of = %s\n", bad[i]);
		refuse(text, "expected up to 8 conditions");
	}
	snprintf(text, sizeof(text), "[product a]\nname = A\nall-of = ");
	for (int i = 0; i <= PRODUCTS_CONDITIONS_MAX; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%stls.sni \"a\"",
			i ? ", " : "");
	}
	strncat(text, "\n", sizeof(text) - strlen(text) - 1);
	refuse(text, "expected up to 8 conditions");
	refuse("[product a]\nname = A\n", "no all-of");
	refuse("[product a]\nall-of = tls.sni \"a\"\n", "no name");
	refuse("[product a]\nname = A\nall-of = tls.sni \"a\"\nkind-of = b\n",
		"there is no [product b]");
	refuse("[product a]\nname = A\nall-of = tls.sni \"a\"\nkind-of = a\n",
		"a kind of itself");
	refuse("[product a]\nname = A\nall-of = tls.sni \"a\"\nsome-of = x\n",
		"some-of");
}

static void test_book(void **state)
{
	struct book book = {0};
	struct mac mac = {{2}};
	char value[16];

	(void)state;
	for (int i = 0; i < BOOK_KIND_MAX + 2; i++) {
		snprintf(value, sizeof(value), "%d", i);
		assert_int_equal(
			book_add(&book, &mac, HOSTNAME, value, 10 + i), 0);
	}
	assert_int_equal(book_add(&book, &mac, HOSTNAME, "0", 99), 0);
	assert_int_equal(book_add(&book, &mac, VENDOR, "x", 99), 0);
	assert_int_equal(book.n, 1);
	assert_int_equal(book.devices[0]->n_items, BOOK_KIND_MAX + 1);
	assert_int_equal(book.devices[0]->left_out, 2);
	/* In the order of kinds. */
	assert_int_equal(book.devices[0]->items->kind, VENDOR);
	assert_int_equal(book.devices[0]->items->next->times, 2);
	assert_int_equal(book.devices[0]->items->next->first, 10);
	assert_int_equal(book.devices[0]->items->next->last, 99);
	book_clear(&book);
	/* As many as may be, and one more. */
	for (unsigned i = 0; i <= BOOK_DEVICES_MAX; i++) {
		memcpy(mac.b + 2, &i, sizeof(i));
		assert_int_equal(book_add(&book, &mac, SERVICE, "a", 1), 0);
	}
	assert_int_equal(book.n, BOOK_DEVICES_MAX);
	assert_int_equal(book.left_out, 1);
	for (unsigned i = 0; i < BOOK_ITEMS_MAX - BOOK_DEVICES_MAX + 5; i++) {
		unsigned which = i % BOOK_DEVICES_MAX;

		memcpy(mac.b + 2, &which, sizeof(which));
		snprintf(value, sizeof(value), "%u", i);
		assert_int_equal(book_add(&book, &mac, SERVICE, value, 1), 0);
	}
	assert_int_equal(book.n_items, BOOK_ITEMS_MAX);
	book_sort(&book);
	for (size_t i = 1; i < book.n; i++)
		assert_true(memcmp(&book.devices[i - 1]->mac,
				    &book.devices[i]->mac, 6) < 0);
	book_clear(&book);
}

static void put32(uint8_t *at, uint32_t value, bool little)
{
	for (int i = 0; i < 4; i++)
		at[little ? i : 3 - i] = (uint8_t)(value >> 8 * i);
}

static void test_capture(void **state)
{
	struct pcap_record record;
	struct pcap pcap;

	(void)state;
	for (int i = 0; i < 4; i++) {
		bool little = i & 1, nano = i & 2;
		uint8_t head[PCAP_HEAD] = {0}, one[PCAP_RECORD] = {0};

		put32(head, nano ? 0xa1b23c4d : 0xa1b2c3d4, little);
		head[little ? 4 : 5] = 2;
		put32(head + 20, 1, little);
		assert_int_equal(pcap_read_head(head, &pcap), 0);
		put32(one, 1700000000, little);
		put32(one + 4, nano ? 999999999 : 999999, little);
		put32(one + 8, PCAP_FRAME_MAX, little);
		put32(one + 12, PCAP_FRAME_MAX, little);
		assert_int_equal(pcap_read_record(&pcap, one, &record), 0);
		assert_int_equal(record.time, 1700000000);
		assert_int_equal(record.size, PCAP_FRAME_MAX);
		assert_false(record.cut);
		put32(one + 12, PCAP_FRAME_MAX + 1, little);
		assert_int_equal(pcap_read_record(&pcap, one, &record), 0);
		assert_true(record.cut);
		put32(one + 8, PCAP_FRAME_MAX + 1, little);
		assert_int_equal(
			pcap_read_record(&pcap, one, &record), -EBADMSG);
		put32(one + 8, 60, little);
		put32(one + 4, nano ? 1000000000 : 1000000, little);
		assert_int_equal(
			pcap_read_record(&pcap, one, &record), -EBADMSG);
		put32(head + 20, 113, little);
		assert_int_equal(pcap_read_head(head, &pcap), -EAFNOSUPPORT);
		assert_int_equal(pcap.link, 113);
		head[little ? 4 : 5] = 3;
		assert_int_equal(pcap_read_head(head, &pcap), -EBADMSG);
		put32(head, 0x0a0d0d0a, little);
		assert_int_equal(pcap_read_head(head, &pcap), -EPROTONOSUPPORT);
		put32(head, 0xa1b2c3d5, little);
		assert_int_equal(pcap_read_head(head, &pcap), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vendors),
		cmocka_unit_test(test_most_specific_wins),
		cmocka_unit_test(test_hints_stay_hints),
		cmocka_unit_test(test_which_of_these),
		cmocka_unit_test(test_contradictions_lower),
		cmocka_unit_test(test_many_fit),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_rules_are_strict),
		cmocka_unit_test(test_book),
		cmocka_unit_test(test_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
