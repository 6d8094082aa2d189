/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flowtable: when there is one, what it is told to look at, and that
 * only what a device opened towards an uplink gets into it. One test asks the
 * kernel, in a network namespace of its own.
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
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modules/isolation/kernel/nft.h"
#include "modules/isolation/saved.h"
#include "modules/isolation/saved_policy.h"
#include "modules/isolation/uplinks.h"

static const struct isolation_offload wanted = {1};

static void add_zone(struct policy *p, const char *name, uint8_t role)
{
	struct isolation_zone z = {
		.role = role, .mode = RECORD_MODE_ENFORCE, .zone = role};

	memcpy(z.interface, name, strlen(name));
	assert_int_equal(policy_add_zone(p, &z), 0);
}

static void make(struct policy *p, bool offload)
{
	char reason[POLICY_REASON] = "";

	memset(p, 0, sizeof(*p));
	add_zone(p, "br0", ISOLATION_ROLE_DEVICES);
	add_zone(p, "lan0", ISOLATION_ROLE_OWNER);
	add_zone(p, "wan0", ISOLATION_ROLE_UPLINK);
	add_zone(p, "wan1", ISOLATION_ROLE_UPLINK);
	if (offload)
		assert_int_equal(policy_add_offload(p, &wanted), 0);
	assert_int_equal(policy_seal(p, reason), 0);
}

/* The place of the n-th message of a type, from 1; 0: there is none. */
static size_t place(const struct batch *batch, uint8_t type, int nth,
	const struct nlmsghdr **ret_message)
{
	const struct nlmsghdr *m = (const void *)batch->bytes;
	int left = (int)batch->length;

	for (size_t at = 1; mnl_nlmsg_ok(m, left);
		at++, m = mnl_nlmsg_next(m, &left)) {
		if (NFNL_SUBSYS_ID(m->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
			NFNL_MSG_TYPE(m->nlmsg_type) != type || --nth)
			continue;
		if (ret_message)
			*ret_message = m;
		return at;
	}
	return 0;
}

static bool says(const void *bytes, size_t length, const char *word)
{
	return memmem(bytes, length, word, strlen(word) + 1) != NULL;
}

static void build(bool kernel, bool policy, struct ruleset *ret_rs)
{
	struct policy p;
	struct topology t = {0};
	struct ruleset_input input = {.policy = &p,
		.topology = &t,
		.generation = 1,
		.kernel = {.offloads = kernel}};
	char reason[POLICY_REASON] = "";

	make(&p, policy);
	assert_int_equal(ruleset_build(&input, 1, ret_rs, reason), 0);
	policy_free(&p);
}

static void test_message(void **state)
{
	const struct nlmsghdr *m = NULL;
	struct ruleset rs;
	size_t at;

	(void)state;
	build(true, true, &rs);
	at = place(&rs.batch, NFT_MSG_NEWFLOWTABLE, 1, &m);
	assert_true(at);
	assert_int_equal(place(&rs.batch, NFT_MSG_NEWFLOWTABLE, 2, NULL), 0);
	assert_true(says(m, m->nlmsg_len, RULESET_FLOWTABLE));
	/* An interface that has just gone would undo the whole load. */
	assert_false(says(m, m->nlmsg_len, "wan0"));
	assert_int_equal(
		((struct nfgenmsg *)mnl_nlmsg_get_payload(m))->nfgen_family,
		NFPROTO_INET);
	/* After the second table of ours, before the rules that name it. */
	assert_true(at > place(&rs.batch, NFT_MSG_NEWTABLE, 4, NULL));
	assert_true(says(rs.batch.bytes, rs.batch.length, "flow_offload"));
	ruleset_free(&rs);
}

static uint32_t count_rules(const struct ruleset *rs)
{
	uint32_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rs->rules); i++)
		n += rs->rules[i];
	return n;
}

/* Neither a kernel without, nor an owner who does not want it. */
static void test_without(void **state)
{
	uint32_t with, without;
	struct ruleset rs;

	(void)state;
	build(true, true, &rs);
	with = count_rules(&rs);
	ruleset_free(&rs);
	for (int i = 0; i < 3; i++) {
		build(i & 1, i & 2, &rs);
		assert_int_equal(
			place(&rs.batch, NFT_MSG_NEWFLOWTABLE, 1, NULL), 0);
		assert_false(
			says(rs.batch.bytes, rs.batch.length, "flow_offload"));
		without = count_rules(&rs);
		assert_int_equal(with - without, 2);
		ruleset_free(&rs);
	}
}

static void test_hook(void **state)
{
	const struct nlmsghdr *m = NULL;
	struct batch batch;

	(void)state;
	ruleset_build_hook("wan0", 7, &batch);
	assert_int_equal(place(&batch, NFT_MSG_NEWFLOWTABLE, 1, &m), 2);
	assert_true(says(m, m->nlmsg_len, "wan0"));
	assert_true(says(m, m->nlmsg_len, RULESET_FLOWTABLE));
	assert_true(m->nlmsg_flags & NLM_F_ACK);
	assert_false(m->nlmsg_flags & NLM_F_EXCL);
	batch_free(&batch);
}

/* Uplinks that are there, and nothing else. */
static void test_uplinks(void **state)
{
	const struct topology_fact facts[] = {
		{"br0", 3, 0, true, false, {{2}}, false, 0},
		{"lan0", 4, 0, false, false, {{2}}, false, 0},
		{"wan0", 5, 0, false, false, {{2}}, false, 0},
		{"eth9", 6, 0, false, false, {{2}}, false, 0},
	};
	struct topology t;
	struct policy p;

	(void)state;
	make(&p, true);
	topology_build(&p, facts, 4, &t);
	assert_int_equal(t.n_hooks, 1);
	assert_string_equal(t.hooks[0].name, "wan0");
	assert_int_equal(t.hooks[0].index, 5);
	/* One that the routes lead to, as well. */
	uplinks_find(&t, &p, facts, 4, &facts[3].index, 1);
	assert_int_equal(t.n_hooks, 2);
	assert_string_equal(t.hooks[1].name, "eth9");
	topology_free(&t);
	topology_build(&p, NULL, 0, &t);
	assert_int_equal(t.n_hooks, 0);
	topology_free(&t);
	policy_free(&p);
}

static void test_policy(void **state)
{
	const struct isolation_offload wrong = {2}, none = {0};
	char reason[POLICY_REASON] = "";
	struct saved saved = {0};
	struct policy p, q;

	(void)state;
	make(&p, true);
	make(&q, false);
	assert_false(policy_same(&p, &q));
	assert_int_equal(policy_add_offload(&q, &wrong), -EINVAL);
	assert_int_equal(policy_add_offload(&q, &none), -EINVAL);
	assert_int_equal(policy_add_offload(&p, &wanted), -ENOSPC);
	policy_free(&q);
	/* The next boot knows it. */
	assert_int_equal(
		saved_add(&saved, ISOLATION_OFFLOAD, &wanted, sizeof(wanted)),
		0);
	assert_int_equal(saved_seal(&saved), 0);
	assert_int_equal(
		saved_policy_read(saved.bytes, saved.length, &q, reason), 0);
	assert_int_equal(q.offloads.n, 1);
	saved_free(&saved);
	policy_free(&q);
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

/* What is probed is what nft can do; either way the rules are taken. */
static void test_in_kernel(void **state)
{
	struct topology t = {0};
	struct ruleset_input input = {.topology = &t, .generation = 1};
	char reason[POLICY_REASON] = "";
	struct policy p;
	struct ruleset rs;
	struct nft nft;

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		skip();
	make(&p, true);
	input.policy = &p;
	assert_int_equal(nft_open(&nft), 0);
	input.kernel = nft_probe(&nft);
	if (run("nft list tables >/dev/null"))
		assert_int_equal(input.kernel.offloads,
			run("nft 'add table inet t; add flowtable inet t f { "
			    "hook ingress priority 0; }' 2>/dev/null"));
	assert_int_equal(ruleset_build(&input, nft_seq(&nft), &rs, reason), 0);
	if (nft_commit(&nft, &rs.batch, reason) < 0)
		fail_msg("%s", reason);
	assert_int_equal(nft_verify(&nft, &rs, reason), 0);
	ruleset_free(&rs);
	nft_close(&nft);
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_hook),
		cmocka_unit_test(test_uplinks),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_in_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
