/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ruleset in a real kernel, in a network namespace of this test: loaded,
 * read back, replaced, refused as a whole, removed. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/engine.h"

static bool in_namespace;
static const struct engine none;

static int set_up(void **state)
{
	(void)state;
	in_namespace = geteuid() == 0 && unshare(CLONE_NEWNET) == 0;
	if (!in_namespace)
		print_message("needs root and network namespaces\n");
	return 0;
}

#define NEED_NAMESPACE()           \
	do {                       \
		if (!in_namespace) \
			skip();    \
	} while (0)

static void add_allow(struct policy *p, uint32_t device, uint8_t protocol,
	uint16_t first, uint16_t last, const char *to)
{
	struct isolation_allow a = {.device = device,
		.protocol = protocol,
		.first = first,
		.last = last};

	if (to)
		assert_int_equal(ip_parse_prefix(to, &a.to, &a.length), 0);
	assert_int_equal(policy_add_allow(p, &a), 0);
}

static void add_device(struct policy *p, uint32_t id, uint8_t mode)
{
	struct isolation_device d = {.id = id, .mode = mode};

	d.mac = (struct mac){{2, 0, 0, (uint8_t)(id >> 16), (uint8_t)(id >> 8),
		(uint8_t)id}};
	assert_int_equal(policy_add_device(p, &d), 0);
}

static void add_address(
	int (*add)(struct policy *, const struct isolation_address *),
	struct policy *p, const char *text)
{
	struct isolation_address a;

	assert_int_equal(ip_parse(text, &a.ip), 0);
	assert_int_equal(add(p, &a), 0);
}

static void add_pin(struct policy *p, uint32_t device, const char *text)
{
	struct isolation_pin pin = {.device = device};

	assert_int_equal(ip_parse(text, &pin.ip), 0);
	assert_int_equal(policy_add_pin(p, &pin), 0);
}

/* Something in every set. */
static void fill(struct policy *p)
{
	static const struct isolation_zone zones[] = {
		{"br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1},
		{"br1", ISOLATION_ROLE_DEVICES, RECORD_MODE_OBSERVE, 2},
		{"lan0", ISOLATION_ROLE_OWNER, RECORD_MODE_ENFORCE, 3},
	};
	static const struct isolation_redirect redirects[] = {
		{1, 1883, 18100}, {2, 80, 18101}, {3, 80, 18101}};
	char reason[POLICY_REASON];

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		assert_int_equal(policy_add_zone(p, &zones[i]), 0);
	for (uint32_t id = 1; id <= 3; id++)
		add_device(p, id, (uint8_t)(id - 1));
	for (size_t i = 0; i < ARRAY_SIZE(redirects); i++)
		assert_int_equal(policy_add_redirect(p, &redirects[i]), 0);
	add_allow(p, 1, 6, 443, 443, "203.0.113.10");
	add_allow(p, 1, 6, 443, 443, "2001:db8::10");
	add_allow(p, 2, 17, 123, 123, NULL);
	add_allow(p, 2, 17, 5000, 5010, "198.51.100.0/24");
	add_allow(p, 2, 17, 5005, 6000, "198.51.100.128/25");
	add_allow(p, 2, 0, 0, 65535, "198.51.0.0/16");
	add_allow(p, 3, 1, 0, 65535, "2001:db8::/32");
	add_allow(p, 3, 1, 0, 65535, NULL);
	add_address(policy_add_name_server, p, "192.168.1.1");
	add_address(policy_add_name_server, p, "2001:db8::53");
	add_address(policy_add_admin, p, "192.168.1.9");
	add_address(policy_add_admin, p, "2001:db8::9");
	add_pin(p, 1, "192.168.50.11");
	add_pin(p, 1, "192.168.50.12");
	add_pin(p, 1, "fd00:50::11");
	add_pin(p, 3, "fd00:50::13");
	assert_int_equal(policy_seal(p, reason), 0);
}

static const struct topology_port ports[] = {
	{"p1", "br0", 1, 1, RECORD_MODE_ENFORCE, false},
	{"p2", "br1", 2, 2, RECORD_MODE_OBSERVE, false},
	{"br0", "br0", 3, 1, RECORD_MODE_ENFORCE, true, true},
	{"wlan1", "wlan1", 4, 2, RECORD_MODE_OBSERVE, true, false},
};

static int load(struct nft *nft, const struct policy *p,
	const struct ruleset_carry *carry, uint8_t generation, char *reason)
{
	struct ip own[] = {{AF_INET, {192, 168, 50, 1}},
		{AF_INET6, {0xfe, 0x80, [15] = 1}}};
	struct topology t = {.ports = (struct topology_port *)(uintptr_t)ports,
		.n_ports = ARRAY_SIZE(ports),
		.addresses = own,
		.n_addresses = ARRAY_SIZE(own)};
	struct ruleset_input input = {p, &t, carry, generation,
		{.sees_arp = nft_probe(nft).sees_arp}};
	struct ruleset rs;
	int r;

	assert_int_equal(ruleset_build(&input, nft_seq(nft), &rs, reason), 0);
	r = nft_commit(nft, &rs.batch, reason);
	if (r == 0)
		r = nft_verify(nft, &rs, reason);
	ruleset_free(&rs);
	return r;
}

static bool there(struct nft *nft, uint16_t family)
{
	bool found = false;

	assert_int_equal(nft_has_table(nft, family, &found), 0);
	return found;
}

static void test_load_and_remove(void **state)
{
	struct policy p = {0};
	struct batch removal;
	char reason[POLICY_REASON] = "";
	uint8_t generation = 9;
	struct nft nft;

	(void)state;
	NEED_NAMESPACE();
	fill(&p);
	assert_int_equal(nft_open(&nft), 0);
	assert_int_equal(nft_read_generation(&nft, &generation), 0);
	assert_int_equal(generation, 0);
	if (load(&nft, &p, NULL, 7, reason) < 0)
		fail_msg("%s", reason);
	assert_true(there(&nft, NFPROTO_INET));
	assert_true(there(&nft, NFPROTO_BRIDGE));
	assert_int_equal(there(&nft, NFPROTO_ARP), nft_probe(&nft).sees_arp);
	assert_int_equal(nft_read_generation(&nft, &generation), 0);
	assert_int_equal(generation, 7);
	/* Once more over what is there. */
	if (load(&nft, &p, NULL, 255, reason) < 0)
		fail_msg("%s", reason);
	for (int i = 0; i < 2; i++) {
		ruleset_build_removal(nft_seq(&nft), true, &removal);
		assert_int_equal(nft_commit(&nft, &removal, reason), 0);
		batch_free(&removal);
		assert_false(there(&nft, NFPROTO_INET));
		assert_false(there(&nft, NFPROTO_BRIDGE));
		assert_false(there(&nft, NFPROTO_ARP));
	}
	nft_close(&nft);
	policy_free(&p);
}

static void test_empty_policy(void **state)
{
	struct policy p = {0};
	char reason[POLICY_REASON] = "";
	struct nft nft;

	(void)state;
	NEED_NAMESPACE();
	assert_int_equal(policy_seal(&p, reason), 0);
	assert_int_equal(nft_open(&nft), 0);
	if (load(&nft, &p, NULL, 1, reason) < 0)
		fail_msg("%s", reason);
	nft_close(&nft);
	policy_free(&p);
}

/* What was counted goes on in the new tables. */
static void test_carry(void **state)
{
	struct ruleset_attempt attempts[] = {
		{{{2, 0, 0, 0, 0, 1}}, {AF_INET, {192, 0, 2, 1}}, 6, 80,
			{3, 180}},
		{{{2, 0, 0, 0, 0, 9}}, {AF_INET6, {0x20, 1}}, 58, 0x8000,
			{4, 240}},
	};
	struct ruleset_tally tallies[] = {
		{{{2, 0, 0, 0, 0, 1}}, {5, 300}},
		{{{2, 0, 0, 0, 0, 9}}, {6, 360}},
	};
	struct ruleset_carry carry = {.attempts = attempts,
		.n_attempts = 2,
		.tallies = tallies,
		.n_tallies = 2};
	struct ruleset_count counters[RULESET_COUNTERS];
	struct ruleset_attempt *a;
	struct ruleset_tally *t;
	struct policy p = {0};
	char reason[POLICY_REASON] = "";
	struct nft nft;
	size_t n;

	(void)state;
	NEED_NAMESPACE();
	fill(&p);
	for (int c = 0; c < RULESET_COUNTERS; c++)
		carry.counters[c].packets = 1ull << (33 + c);
	assert_int_equal(nft_open(&nft), 0);
	if (load(&nft, &p, &carry, 7, reason) < 0)
		fail_msg("%s", reason);
	assert_int_equal(nft_read_counters(&nft, counters), 0);
	for (int c = 0; c < RULESET_COUNTERS; c++)
		assert_int_equal(counters[c].packets, 1ull << (33 + c));
	assert_int_equal(nft_read_attempts(&nft, &a, &n), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_true(mac_equal(&a[i].mac, &attempts[i].mac));
		assert_true(ip_equal(&a[i].to, &attempts[i].to));
		assert_int_equal(a[i].protocol, attempts[i].protocol);
		assert_int_equal(a[i].port, attempts[i].port);
		assert_int_equal(a[i].count.packets, attempts[i].count.packets);
		assert_int_equal(a[i].count.bytes, attempts[i].count.bytes);
	}
	free(a);
	assert_int_equal(nft_read_tallies(&nft, &t, &n), 0);
	assert_int_equal(n, 4); /* three devices, one stranger */
	assert_int_equal(t[0].count.packets, 5);
	assert_int_equal(t[1].count.packets, 0);
	assert_int_equal(t[3].count.packets, 6);
	free(t);
	nft_close(&nft);
	policy_free(&p);
}

static bool run(const char *command)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execlp("sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* Both tables' counts become one, and never more than there is place for. */
static void test_carry_spoofs(void **state)
{
	size_t n = RULESET_SPOOFS_MAX + 5, found;
	struct ruleset_spoof *many = calloc(n, sizeof(*many)), *s;
	struct ruleset_carry carry = {.spoofs = many, .n_spoofs = 3};
	struct policy p = {0};
	char reason[POLICY_REASON] = "";
	struct nft nft;

	(void)state;
	NEED_NAMESPACE();
	assert_non_null(many);
	for (size_t i = 0; i < n; i++)
		many[i] = (struct ruleset_spoof){
			.mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
			.ip = {AF_INET, {192, 168, 50, 1}},
			.count = {i + 1, 60 * (i + 1)}};
	many[1].ip = (struct ip){AF_INET6, {0xfe, 0x80, [15] = 1}};
	many[2].ip = (struct ip){0};
	many[2].protocol = IPPROTO_UDP;
	many[2].what = 67;
	fill(&p);
	assert_int_equal(nft_open(&nft), 0);
	if (load(&nft, &p, &carry, 7, reason) < 0)
		fail_msg("%s", reason);
	assert_int_equal(nft_read_spoofs(&nft, &s, &found), 0);
	assert_int_equal(found, 3);
	assert_memory_equal(s, many, 3 * sizeof(*s));
	free(s);
	/* The same claim, seen on a bridge as well. */
	if (run("nft add element bridge gatehouse spoofs4 '{ 02:00:00:00:00:00 "
		". 192.168.50.1 counter packets 4 bytes 8 }'")) {
		assert_int_equal(nft_read_spoofs(&nft, &s, &found), 0);
		assert_int_equal(found, 3);
		assert_int_equal(s[0].count.packets, 5);
		free(s);
	}
	carry.n_spoofs = n;
	if (load(&nft, &p, &carry, 8, reason) < 0)
		fail_msg("%s", reason);
	assert_int_equal(nft_read_spoofs(&nft, &s, &found), 0);
	assert_int_equal(found, RULESET_SPOOFS_MAX + 2);
	free(s);
	free(many);
	nft_close(&nft);
	policy_free(&p);
}

/* Names in attributes begin at multiples of four. */
static bool misspell_last(struct batch *batch, const char *name)
{
	size_t size = strlen(name) + 1;

	for (size_t at = (batch->length - size) & ~(size_t)3; at; at -= 4)
		if (!memcmp(batch->bytes + at, name, size)) {
			batch->bytes[at] = '?';
			return true;
		}
	return false;
}

/* The reason names what was refused, and nothing at all has changed. */
static void test_all_or_nothing(void **state)
{
	struct policy p = {0}, q = {0};
	struct topology t = {0};
	struct ruleset_input input = {&q, &t, NULL, 99};
	struct ruleset rs;
	char reason[POLICY_REASON] = "";
	uint8_t generation = 0;
	struct nft nft;

	(void)state;
	NEED_NAMESPACE();
	fill(&p);
	assert_int_equal(policy_seal(&q, reason), 0);
	assert_int_equal(nft_open(&nft), 0);
	assert_int_equal(load(&nft, &p, NULL, 7, reason), 0);
	/* One rule of more than a hundred names a set that is not there. */
	assert_int_equal(ruleset_build(&input, nft_seq(&nft), &rs, reason), 0);
	assert_true(misspell_last(&rs.batch, "wide6"));
	assert_true(nft_commit(&nft, &rs.batch, reason) < 0);
	if (!strstr(reason, "rule ") || !strstr(reason, "here6"))
		fail_msg("'%s' does not name the rule", reason);
	ruleset_free(&rs);
	assert_int_equal(nft_read_generation(&nft, &generation), 0);
	assert_int_equal(generation, 7);
	nft_close(&nft);
	policy_free(&p);
}

/* Somebody else's change is seen by reading back. */
static void test_verify_finds_loss(void **state)
{
	static const char *const changes[] = {
		"nft delete element inet gatehouse known { 02:00:00:00:00:01 }",
		"nft flush chain inet gatehouse input",
		"nft add chain bridge gatehouse more",
		"nft delete table bridge gatehouse",
	};
	static const char *const found[] = {"elements in known",
		"rules in the inet table", "chains in the bridge table",
		"chains in the bridge table"};
	struct policy p = {0};
	struct topology t = {0};
	struct ruleset_input input = {&p, &t, NULL, 3};
	char reason[POLICY_REASON] = "";
	struct nft nft;

	(void)state;
	NEED_NAMESPACE();
	fill(&p);
	assert_int_equal(nft_open(&nft), 0);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct ruleset rs;

		assert_int_equal(
			ruleset_build(&input, nft_seq(&nft), &rs, reason), 0);
		assert_int_equal(nft_commit(&nft, &rs.batch, reason), 0);
		assert_int_equal(nft_verify(&nft, &rs, reason), 0);
		if (!run(changes[i]))
			skip();
		assert_int_equal(nft_verify(&nft, &rs, reason), -EIO);
		if (!strstr(reason, found[i]))
			fail_msg("'%s' does not say '%s'", reason, found[i]);
		ruleset_free(&rs);
	}
	nft_close(&nft);
	policy_free(&p);
}

/* Elements over many netlink messages, and a big transaction. */
static void test_many(void **state)
{
	struct policy p = {0};
	char reason[POLICY_REASON] = "";
	struct nft nft;

	(void)state;
	NEED_NAMESPACE();
	for (uint32_t id = 1; id <= 3000; id++) {
		add_device(&p, id, 0);
		for (uint16_t port = 1; port <= 5; port++)
			add_allow(&p, id, 6, port, port, "203.0.113.10");
		add_allow(&p, id, 17, 100, 200, "2001:db8::/32");
	}
	assert_int_equal(policy_seal(&p, reason), 0);
	assert_int_equal(nft_open(&nft), 0);
	if (load(&nft, &p, NULL, 7, reason) < 0)
		fail_msg("%s", reason);
	nft_close(&nft);
	policy_free(&p);
}

/* Intervals have a limit, which names the device that passes it. */
static void test_wide_limit(void **state)
{
	struct policy p = {0};
	char reason[POLICY_REASON] = "";

	(void)state;
	for (uint32_t id = 1; id <= BOXES_MAX / 4 + 1; id++) {
		add_device(&p, id, 0);
		for (uint16_t i = 0; i < 4; i++)
			add_allow(&p, id, 17, (uint16_t)(10 * i + 1),
				(uint16_t)(10 * i + 5), "203.0.113.0/24");
		assert_int_equal(policy_seal(&p, reason), 0);
		if (id == BOXES_MAX / 4)
			assert_int_equal(engine_check(&none, &p, reason), 0);
	}
	assert_int_equal(engine_check(&none, &p, reason), -ENOSPC);
	if (!strstr(reason, "device number 2049"))
		fail_msg("'%s' names nobody", reason);
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_and_remove),
		cmocka_unit_test(test_empty_policy),
		cmocka_unit_test(test_carry),
		cmocka_unit_test(test_carry_spoofs),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_verify_finds_loss),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_wide_limit),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
