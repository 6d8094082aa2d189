/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks, the routing guard's rules and who changed nftables: as words, and
 * the rules in a real kernel, in a network namespace of this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>

#include "modules/isolation/agent/marks_conf.h"
#include "modules/isolation/changer.h"
#include "modules/isolation/kernel/guard.h"
#include "modules/isolation/marks.h"

static bool in_namespace;

static int set_up(void **state)
{
	(void)state;
	in_namespace = geteuid() == 0 && unshare(CLONE_NEWNET) == 0;
	return 0;
}

static void add_zone(struct policy *policy, const char *interface, uint8_t role,
	uint8_t mode)
{
	struct isolation_zone z = {.role = role, .mode = mode, .zone = 1};

	memcpy(z.interface, interface, strlen(interface));
	assert_int_equal(policy_add_zone(policy, &z), 0);
}

static void seal(struct policy *policy)
{
	char reason[POLICY_REASON];

	assert_int_equal(policy_seal(policy, reason), 0);
}

/* Two zones with devices, one of each mode, and one without. */
static void make_policy(struct policy *policy)
{
	add_zone(policy, "br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE);
	add_zone(policy, "br1", ISOLATION_ROLE_DEVICES, RECORD_MODE_OBSERVE);
	add_zone(policy, "lan0", ISOLATION_ROLE_OWNER, RECORD_MODE_ENFORCE);
}

static void test_sane_marks(void **state)
{
	struct isolation_marks m = marks_usual;

	(void)state;
	assert_true(marks_sane(&m));
	assert_int_equal(marks_shift(&m), 16);
	assert_int_equal(marks_generation(&m, 0x12345678), 0x34 >> 4);
	assert_int_equal(marks_generation_mask(&m), 0x00f00000);
	assert_int_equal(marks_judged(&m, 15), 0x00f00000);
	assert_int_equal(marks_judged(&m, 1), 0x00100000);
	/* A settled connection is of the same one. */
	assert_int_equal(marks_settled(&m), 0x00080000);
	assert_int_equal(marks_generation(&m, 0x00180000), 1);
	assert_false(marks_sane_packet(0));
	assert_false(marks_sane_packet(3));
	assert_true(marks_sane_packet(0x80000000));
	assert_false(marks_sane_connection(0));
	assert_false(marks_sane_connection(0x7f));
	assert_false(marks_sane_connection(0x1ff));
	assert_false(marks_sane_connection(0xff00ff));
	assert_true(marks_sane_connection(0xff000000));
	assert_true(marks_sane_connection(0x1fe));
	m.priority = 0;
	assert_false(marks_sane(&m));
	m.priority = 32766;
	assert_false(marks_sane(&m));
}

/*
 * A rule of others that copies packets' marks to their connections must not
 * make judged connections of them.
 */
static void test_generations(void **state)
{
	struct isolation_marks m = marks_usual;
	uint8_t g = 0;

	(void)state;
	for (int i = 0; i < 600; i++) {
		g = marks_next(&m, g);
		assert_in_range(g, 1, MARKS_GENERATIONS);
		assert_int_not_equal(g, 0x80 >> 4);
	}
	assert_int_equal(marks_next(&m, 7), 9);
	assert_int_equal(marks_next(&m, 15), 1);
	assert_int_equal(marks_next(&m, 255), 1); /* an older version's */
	m.packet = 1;
	assert_int_equal(marks_next(&m, 7), 8);
}

/*
 * Looking for one group finds what has its mark and what has none, whatever
 * generation judged it, and leaves out the other groups.
 */
static void test_groups(void **state)
{
	const struct isolation_marks *m = &marks_usual;
	struct mac mac = {{2, 0, 0, 0, 0, 0xfe}};

	(void)state;
	assert_int_equal(marks_group_of(&mac), 2);
	for (uint8_t a = 0; a < MARKS_GROUPS; a++) {
		uint32_t others = marks_other_groups(m, a);

		assert_int_equal(others & marks_generation_mask(m), 0);
		assert_int_equal(others & ~m->connection, 0);
		for (uint8_t b = 0; b < MARKS_GROUPS; b++) {
			uint32_t mark = marks_judged(m, 15) | marks_settled(m) |
					marks_group(m, b);

			assert_int_equal(marks_generation(m, mark), 15);
			assert_int_equal(!(mark & others), a == b || !b);
		}
	}
}

static void check_conf(
	const char *text, size_t problems, struct isolation_marks *ret_marks)
{
	static const struct conf_schema schema = {
		"gateway", false, marks_conf_keys, MARKS_CONF_KEYS};
	const struct conf_schema *schemas[] = {&schema};
	struct conf *conf;

	assert_int_equal(conf_new(schemas, 1, &conf), 0);
	assert_int_equal(conf_parse(conf, "t", text, strlen(text)), 0);
	assert_int_equal(conf_problem_count(conf), problems);
	if (ret_marks)
		marks_conf_read(conf, ret_marks);
	conf_free(conf);
}

static void test_configured_marks(void **state)
{
	static const char *const wrong[] = {"mark = 0x3", "mark = 8388608",
		"mark = 0x", "mark = 0x100000000", "mark = 0xg",
		"connection-mark = 0x1ff", "connection-mark = 0xf",
		"rule-priority = 0", "rule-priority = 32766",
		"rule-priority = x"};
	struct isolation_marks m;

	(void)state;
	check_conf("[gateway]\n", 0, &m);
	assert_memory_equal(&m, &marks_usual, sizeof(m));
	check_conf("[gateway]\nmark = 0x40000000\nconnection-mark = 0xFF00\n"
		   "rule-priority = 1234\n",
		0, &m);
	assert_int_equal(m.packet, 0x40000000);
	assert_int_equal(m.connection, 0xff00);
	assert_int_equal(m.priority, 1234);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char text[80];

		snprintf(text, sizeof(text), "[gateway]\n%s\n", wrong[i]);
		check_conf(text, 1, NULL);
	}
}

static void test_marks_once(void **state)
{
	struct isolation_marks m = marks_usual;
	struct policy policy = {0};

	(void)state;
	m.connection = 1;
	assert_int_equal(policy_set_marks(&policy, &m), -EINVAL);
	m.connection = 0xff;
	assert_int_equal(policy_set_marks(&policy, &m), 0);
	assert_int_equal(policy_set_marks(&policy, &m), -EINVAL);
	seal(&policy);
	assert_int_equal(policy.marks.connection, 0xff);
	policy_free(&policy);
	seal(&policy);
	assert_int_equal(policy.marks.connection, MARKS_CONNECTION);
	policy_free(&policy);
}

/* Only what enforces is guarded; an enforced device may be anywhere. */
static void test_wanted(void **state)
{
	struct isolation_device d = {.id = 1,
		.mac = {{2, 0, 0, 0, 0, 1}},
		.mode = RECORD_MODE_ENFORCE};
	struct guard_rule rules[GUARD_RULES_MAX];
	struct policy policy = {0};

	(void)state;
	seal(&policy);
	assert_int_equal(guard_rules_wanted(&policy, rules), 0);
	make_policy(&policy);
	seal(&policy);
	assert_int_equal(guard_rules_wanted(&policy, rules), 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(rules[i].interface, "br0");
		assert_int_equal(rules[i].family, i ? AF_INET6 : AF_INET);
		assert_int_equal(rules[i].mask, MARKS_PACKET);
		assert_int_equal(rules[i].mark, 0);
		assert_int_equal(rules[i].priority, MARKS_PRIORITY);
		assert_int_equal(rules[i].action, FR_ACT_UNREACHABLE);
		assert_true(guard_rules_ours(&rules[i]));
	}
	assert_int_equal(policy_add_device(&policy, &d), 0);
	seal(&policy);
	assert_int_equal(guard_rules_wanted(&policy, rules), 4);
	assert_string_equal(rules[2].interface, "br1");
	policy_free(&policy);
}

static void test_parse(void **state)
{
	char bytes[512] __attribute__((aligned(8)));
	struct guard_rule rules[GUARD_RULES_MAX], back;
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct policy policy = {0};

	(void)state;
	make_policy(&policy);
	seal(&policy);
	assert_int_equal(guard_rules_wanted(&policy, rules), 2);
	m->nlmsg_type = RTM_NEWRULE;
	guard_rules_build(m, &rules[1]);
	assert_int_equal(guard_rules_parse(m, &back), 0);
	assert_true(guard_rules_same(&back, &rules[1]));
	assert_false(guard_rules_same(&back, &rules[0]));
	assert_true(guard_rules_ours(&back));
	/* Says more than ours do: not ours. */
	mnl_attr_put_u32(m, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	assert_int_equal(guard_rules_parse(m, &back), 0);
	assert_true(guard_rules_ours(&back));
	mnl_attr_put_strz(m, FRA_OIFNAME, "wan0");
	assert_int_equal(guard_rules_parse(m, &back), 0);
	assert_false(guard_rules_ours(&back));
	/* A mark without a mask is compared whole. */
	m = mnl_nlmsg_put_header(bytes);
	m->nlmsg_type = RTM_NEWRULE;
	((struct fib_rule_hdr *)mnl_nlmsg_put_extra_header(
		 m, sizeof(struct fib_rule_hdr)))
		->family = AF_INET;
	mnl_attr_put_u32(m, FRA_FWMARK, 100);
	assert_int_equal(guard_rules_parse(m, &back), 0);
	assert_int_equal(back.mask, UINT32_MAX);
	m->nlmsg_type = RTM_DELRULE;
	assert_int_equal(guard_rules_parse(m, &back), -EBADMSG);
	m->nlmsg_type = RTM_NEWRULE;
	m->nlmsg_len = NLMSG_LENGTH(4);
	assert_int_equal(guard_rules_parse(m, &back), -EBADMSG);
	policy_free(&policy);
}

static unsigned restored;

static void on_restored(struct guard *guard)
{
	(void)guard;
	restored++;
}

static size_t count_ours(struct guard *guard, size_t *ret_all)
{
	struct guard_rule *rules;
	size_t n, ours = 0;

	assert_int_equal(guard_list(guard, &rules, &n), 0);
	for (size_t i = 0; i < n; i++)
		ours += guard_rules_ours(&rules[i]);
	*ret_all = n;
	free(rules);
	return ours;
}

/* As "ip rule flush" does, but for the rules of this policy only. */
static void lose(const struct policy *policy)
{
	struct guard thief = {0};
	struct policy none = {.marks = policy->marks};

	assert_int_equal(guard_open(&thief), 0);
	assert_int_equal(guard_apply(&thief, &none), 0);
	guard_close(&thief);
}

static void turn(struct loop *loop, int ms)
{
	for (int64_t end = clock_ms() + ms; clock_ms() < end;)
		loop_turn(loop, 10);
}

static void test_kernel(void **state)
{
	struct guard guard = {.on_restored = on_restored};
	struct policy policy = {0};
	size_t all, before;
	struct loop *loop;

	(void)state;
	if (!in_namespace)
		skip();
	make_policy(&policy);
	seal(&policy);
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(guard_open(&guard), 0);
	assert_int_equal(guard_start(&guard, loop), 0);
	assert_int_equal(count_ours(&guard, &before), 0);
	assert_int_equal(guard_apply(&guard, &policy), 0);
	assert_int_equal(guard_apply(&guard, &policy), 0);
	assert_int_equal(count_ours(&guard, &all), 2);
	assert_int_equal(all, before + 2);
	/* Other marks: other rules, not more. */
	policy.marks.packet = 0x100;
	policy.marks.priority = 70;
	assert_int_equal(guard_apply(&guard, &policy), 0);
	assert_int_equal(count_ours(&guard, &all), 2);
	assert_int_equal(all, before + 2);
	turn(loop, 50);
	assert_int_equal(restored, 0);
	for (unsigned i = 1; i <= GUARD_RESTORES_AT_ONCE; i++) {
		lose(&policy);
		turn(loop, 20);
		assert_int_equal(restored, i);
		assert_int_equal(count_ours(&guard, &all), 2);
	}
	/* That is enough for the moment; but they do come back. */
	lose(&policy);
	turn(loop, 20);
	assert_int_equal(restored, GUARD_RESTORES_AT_ONCE);
	assert_int_equal(count_ours(&guard, &all), 0);
	turn(loop, GUARD_RETRY_MS * 2);
	assert_int_equal(count_ours(&guard, &all), 2);
	assert_int_equal(guard_remove(&guard), 2);
	assert_int_equal(guard_remove(&guard), 0);
	assert_int_equal(count_ours(&guard, &all), 0);
	assert_int_equal(all, before);
	guard_close(&guard);
	loop_free(loop);
	policy_free(&policy);
}

static struct nlmsghdr *newgen(char *bytes, const char *name, uint32_t pid)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);

	m->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN;
	mnl_nlmsg_put_extra_header(m, sizeof(struct nfgenmsg));
	mnl_attr_put_u32(m, NFTA_GEN_ID, htonl(7));
	if (pid)
		mnl_attr_put_u32(m, NFTA_GEN_PROC_PID, htonl(pid));
	if (name)
		mnl_attr_put_strz(m, NFTA_GEN_PROC_NAME, name);
	return m;
}

static void test_changer(void **state)
{
	char bytes[256] __attribute__((aligned(8))), by[ISOLATION_BY] = "old";
	struct nlmsghdr *m;

	(void)state;
	assert_true(changer_read(newgen(bytes, "nft", 123), by));
	assert_string_equal(by, "nft (pid 123)");
	assert_true(changer_read(newgen(bytes, "a\nb\x80", 4294967295u), by));
	assert_string_equal(by, "a?b? (pid 4294967295)");
	assert_true(changer_read(
		newgen(bytes, "much-longer-than-a-name-may-be", 1), by));
	assert_string_equal(by, "much-longer-tha (pid 1)");
	assert_true(changer_read(newgen(bytes, NULL, 1), by));
	assert_string_equal(by, "");
	m = newgen(bytes, "nft", 1);
	m->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE;
	assert_false(changer_read(m, by));
	m = newgen(bytes, "nft", 1);
	m->nlmsg_len = NLMSG_LENGTH(1);
	assert_false(changer_read(m, by));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sane_marks),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_configured_marks),
		cmocka_unit_test(test_marks_once),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_changer),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
