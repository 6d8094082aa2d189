/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose addresses are and where MACs are: what a new load takes over, what
 * the owner is told, what the configuration may say. The kernel's part runs
 * in a network namespace and needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/isolation/agent/binding.h"
#include "modules/isolation/agent/observe.h"
#include "modules/isolation/kernel/nft.h"

#define HOUR_MS (3600u * 1000)

static struct ruleset_bound bound(
	const char *text, uint8_t last, uint64_t rest_ms, bool leased)
{
	struct ruleset_bound b = {.mac = {{2, 0, 0, 0, 0, last}},
		.rest_ms = rest_ms,
		.leased = leased,
		.bridge = true};

	assert_int_equal(ip_parse(text, &b.ip), 0);
	return b;
}

static void test_settle(void **state)
{
	struct ruleset_bound b[] = {
		bound("fd00::2", 5, 10, false),
		bound("192.0.2.2", 1, 500, false),
		bound("192.0.2.2", 2, 100, true),
		bound("192.0.2.2", 2, 900, false),
		bound("192.0.2.1", 3, 100, false),
		bound("192.0.2.1", 4, 200, false),
		bound("192.0.2.1", 6, 1, false),
	};

	(void)state;
	b[6].bridge = false; /* another link: an address of its own */
	assert_int_equal(ruleset_settle_bound(b, 7), 4);
	assert_int_equal(b[0].mac.b[5], 6);
	assert_int_equal(b[1].mac.b[5], 4); /* used later */
	assert_int_equal(b[2].mac.b[5], 2); /* leased, whoever was later */
	assert_true(b[2].leased);
	assert_int_equal(b[3].mac.b[5], 5);
	assert_int_equal(ruleset_settle_bound(NULL, 0), 0);
}

static void test_settle_seats(void **state)
{
	struct ruleset_seat s[] = {
		{{{2, 0, 0, 0, 0, 2}}, "p1", 5},
		{{{2, 0, 0, 0, 0, 1}}, "p1", 10},
		{{{2, 0, 0, 0, 0, 1}}, "p2", 20},
	};

	(void)state;
	assert_int_equal(ruleset_settle_seats(s, 3), 2);
	assert_string_equal(s[0].port, "p2");
	assert_int_equal(s[1].mac.b[5], 2);
	assert_int_equal(ruleset_settle_seats(NULL, 0), 0);
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(binding_check_word("first"), 0);
	assert_int_equal(binding_check_word("strict"), 0);
	assert_int_equal(binding_check_word("off"), 0);
	assert_int_equal(binding_check_word("Strict"), -EINVAL);
	assert_int_equal(binding_check_word(""), -EINVAL);
	assert_int_equal(binding_check_roaming("free"), 0);
	assert_int_equal(binding_check_roaming("bound"), 0);
	assert_int_equal(binding_check_roaming("yes"), -EINVAL);
	assert_int_equal(binding_check_shared("yes"), 0);
	assert_int_equal(binding_check_shared("no"), 0);
	assert_int_equal(binding_check_shared("1"), -EINVAL);
}

/* What no agent sends. */
static void test_policy(void **state)
{
	struct isolation_zone zone = {.interface = "br0",
		.role = ISOLATION_ROLE_DEVICES,
		.mode = RECORD_MODE_ENFORCE,
		.zone = 1};
	struct isolation_device device = {
		.id = 1, .mac = {{2, 0, 0, 0, 0, 1}}, .shared = 2};
	struct policy p = {0};

	(void)state;
	zone.binding = ISOLATION_BINDING_OFF + 1;
	assert_int_equal(policy_add_zone(&p, &zone), -EINVAL);
	zone.binding = ISOLATION_BINDING_OFF;
	zone.roaming = 2;
	assert_int_equal(policy_add_zone(&p, &zone), -EINVAL);
	zone.roaming = 1;
	assert_int_equal(policy_add_zone(&p, &zone), 0);
	assert_int_equal(policy_add_device(&p, &device), -EINVAL);
	device.shared = 1;
	assert_int_equal(policy_add_device(&p, &device), 0);
	policy_free(&p);
}

static const struct record_warning *warning(
	const struct state *s, const char *code)
{
	const struct record_warning *w = NULL;

	for (uint32_t id = 0; (w = state_warning_after(s, id)); id = w->id)
		if (!strcmp(w->code, code))
			return w;
	return NULL;
}

static struct state *state_with_devices(void)
{
	struct record_device d[] = {
		{.id = 1, .mac = {{2, 0, 0, 0, 0, 1}}, .name = "camera"},
		{.id = RECORD_STRANGER_BASE,
			.mac = {{2, 0, 0, 0, 0, 9}},
			.name = "02:00:00:00:00:09"}};
	struct state *s = NULL;

	assert_int_equal(state_new(&s), 0);
	assert_int_equal(state_put_device(s, &d[0]), 0);
	assert_int_equal(state_put_device(s, &d[1]), 0);
	return s;
}

static void test_static_told(void **state)
{
	struct isolation_bound b = {.mac = {{2, 0, 0, 0, 0, 1}}, .device = 1};
	struct state *s = state_with_devices();
	const struct record_warning *w;

	(void)state;
	assert_int_equal(ip_parse("192.0.2.7", &b.ip), 0);
	observe_bound(s, &b);
	w = warning(s, "device.static-address");
	assert_non_null(w);
	assert_int_equal(w->severity, RECORD_SEVERITY_INFO);
	assert_non_null(strstr(w->text, "gatehouse pin camera 192.0.2.7"));
	b.leased = 1;
	observe_bound(s, &b);
	assert_null(warning(s, "device.static-address"));
	/* Nobody pins anything for a stranger. */
	b = (struct isolation_bound){.ip = b.ip, .mac = {{2, 0, 0, 0, 0, 9}}};
	observe_bound(s, &b);
	assert_null(warning(s, "device.static-address"));
	state_free(s);
}

static void test_theft_told(void **state)
{
	struct isolation_spoof spoof = {.claim = ISOLATION_CLAIM_BOUND,
		.mac = {{2, 0, 0, 0, 0, 9}},
		.holder = {{2, 0, 0, 0, 0, 1}},
		.victim = 1};
	struct state *s = state_with_devices();

	(void)state;
	assert_int_equal(ip_parse("192.0.2.7", &spoof.ip), 0);
	observe_spoof(s, &spoof);
	assert_non_null(strstr(warning(s, "device.spoof")->text,
		"used 192.0.2.7, which camera has"));
	spoof.victim = 0;
	observe_spoof(s, &spoof);
	assert_non_null(strstr(warning(s, "device.spoof")->text,
		"which 02:00:00:00:00:01 has"));
	spoof.claim = ISOLATION_CLAIM_UNBOUND;
	observe_spoof(s, &spoof);
	assert_non_null(strstr(
		warning(s, "device.spoof")->text, "one address too many"));
	assert_null(warning(s, "device.two-ports"));
	spoof = (struct isolation_spoof){.claim = ISOLATION_CLAIM_PORT,
		.mac = {{2, 0, 0, 0, 0, 1}},
		.interface = "lan4"};
	observe_spoof(s, &spoof);
	assert_non_null(strstr(warning(s, "device.two-ports")->text,
		"camera (02:00:00:00:00:01) came from lan4"));
	assert_int_equal(warning(s, "device.two-ports")->device, 1);
	state_free(s);
}

/* More than a message holds of each. */
#define MANY 3000

static void fill(struct ruleset_carry *carry)
{
	carry->bound = calloc(3 * MANY, sizeof(*carry->bound));
	carry->seats = calloc(MANY, sizeof(*carry->seats));
	assert_non_null(carry->bound);
	assert_non_null(carry->seats);
	for (uint32_t n = 0; n < MANY; n++) {
		struct ruleset_bound *b = &carry->bound[3 * n];
		struct ruleset_seat *s = &carry->seats[n];

		b[0] = bound("192.168.0.0", 1, HOUR_MS, n % 2);
		b[0].ip.b[2] = (uint8_t)(n >> 8);
		b[0].ip.b[3] = (uint8_t)n;
		b[1] = b[0]; /* the same elsewhere */
		b[1].bridge = false;
		b[1].mac.b[5] = 2;
		b[2] = bound("fd00::", 3, HOUR_MS, false);
		b[2].ip.b[14] = (uint8_t)(n >> 8);
		b[2].ip.b[15] = (uint8_t)n;
		*s = (struct ruleset_seat){.port = "p1", .rest_ms = 20000};
		s->mac = (struct mac){
			{2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
	}
	carry->n_bound = ruleset_settle_bound(carry->bound, 3 * MANY);
	carry->n_seats = ruleset_settle_seats(carry->seats, MANY);
	assert_int_equal(carry->n_bound, 3 * MANY);
	assert_int_equal(carry->n_seats, MANY);
}

static void load(struct nft *nft, const struct ruleset_carry *carry)
{
	char reason[POLICY_REASON] = "";
	struct topology topology = {0};
	struct policy policy = {0};
	struct ruleset_input input = {&policy, &topology, carry, 1};
	struct ruleset rs;

	assert_int_equal(policy_seal(&policy, reason), 0);
	assert_int_equal(ruleset_build(&input, nft_seq(nft), &rs, reason), 0);
	if (nft_commit(nft, &rs.batch, reason) < 0 ||
		nft_verify(nft, &rs, reason) < 0)
		fail_msg("%s", reason);
	ruleset_free(&rs);
}

/* It goes through the kernel and comes back as it was, but for its age. */
static void test_carried(void **state)
{
	struct ruleset_carry carry = {0};
	struct ruleset_bound *b = NULL;
	struct ruleset_seat *s = NULL;
	size_t n_bound = 0, n_seats = 0;
	struct nft nft;

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		skip();
	assert_int_equal(nft_open(&nft), 0);
	fill(&carry);
	load(&nft, &carry);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(nft_read_bound(&nft, &b, &n_bound), 0);
		assert_int_equal(nft_read_seats(&nft, &s, &n_seats), 0);
		assert_int_equal(n_bound, carry.n_bound);
		assert_int_equal(n_seats, carry.n_seats);
		for (size_t i = 0; i < n_bound; i++) {
			const struct ruleset_bound *was = &carry.bound[i];

			assert_int_equal(ruleset_bound_order(&b[i], was), 0);
			assert_true(mac_equal(&b[i].mac, &was->mac));
			assert_int_equal(b[i].leased, was->leased);
			assert_in_range(b[i].rest_ms, 1, was->rest_ms);
		}
		assert_memory_equal(&s[7].mac, &carry.seats[7].mac, 6);
		assert_string_equal(s[7].port, "p1");
		assert_in_range(s[7].rest_ms, 1, 20000);
		ruleset_carry_free(&carry);
		carry = (struct ruleset_carry){.bound = b,
			.n_bound = n_bound,
			.seats = s,
			.n_seats = n_seats};
		load(&nft, &carry); /* and by what was read as well */
	}
	ruleset_carry_free(&carry);
	nft_close(&nft);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_settle_seats),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_static_told),
		cmocka_unit_test(test_theft_told),
		cmocka_unit_test(test_carried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
