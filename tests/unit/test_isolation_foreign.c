/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other people's rules, as messages of the kernel's, and who drops by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/agent/because.h"
#include "modules/isolation/foreign.h"
#include "modules/isolation/rules/batch.h"

static char bytes[4096] __attribute__((aligned(8)));
static struct nftnl_rule *rule;
static uint64_t handle;

static void chain(struct foreign *f, const char *table, const char *name,
	bool base, uint32_t policy)
{
	struct nftnl_chain *c = must_have(nftnl_chain_alloc());
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_NEWCHAIN, NFPROTO_INET, 0, 1);

	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	if (base) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_INET_FORWARD);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, 0);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, policy);
	}
	nftnl_chain_nlmsg_build_payload(m, c);
	nftnl_chain_free(c);
	assert_int_equal(foreign_add_chain(f, m), 0);
}

static struct nftnl_expr *add(const char *kind)
{
	struct nftnl_expr *e = must_have(nftnl_expr_alloc(kind));

	nftnl_rule_add_expr(rule, e);
	return e;
}

static void begin(const char *table, const char *name)
{
	rule = must_have(nftnl_rule_alloc());
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, name);
	nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, ++handle);
}

static void meta_is(uint32_t key, const void *data, uint32_t length)
{
	struct nftnl_expr *e = add("meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	e = add("cmp");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, length);
}

static void by_port(uint16_t port)
{
	const uint16_t wire = htons(port);
	struct nftnl_expr *e = add("payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG32_02);
	nftnl_expr_set_u32(
		e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, 2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, 2);
	e = add("cmp");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG32_02);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &wire, sizeof(wire));
}

static void end(struct foreign *f, int code, const char *to)
{
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_NEWRULE, NFPROTO_INET, 0, 1);
	struct nftnl_expr *e = add("immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (to)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, to);
	nftnl_rule_nlmsg_build_payload(m, rule);
	nftnl_rule_free(rule);
	assert_int_equal(foreign_add_rule(f, m), 0);
}

static const struct foreign_flow flow = {.iif = "br0",
	.oif = "wan0",
	.to = {.family = AF_INET, .b = {203, 0, 113, 10}},
	.protocol = IPPROTO_TCP,
	.port = 443};

static void judge(const struct foreign *f, uint8_t what, bool certain,
	const char *where, uint64_t rule_handle)
{
	struct foreign_cause cause = {0};

	assert_int_equal(
		foreign_judge(f, &flow, NULL, NULL, &cause), what != 0);
	assert_int_equal(cause.what, what);
	if (!what)
		return;
	assert_int_equal(cause.certain, certain);
	assert_string_equal(cause.chain, where);
	assert_int_equal(cause.handle, rule_handle);
}

static void test_nobody(void **state)
{
	struct foreign f = {0};

	(void)state;
	judge(&f, 0, false, NULL, 0);
	/* Ours does not count, whatever it says. */
	chain(&f, "gatehouse", "forward", true, NF_DROP);
	chain(&f, "others", "forward", true, NF_ACCEPT);
	judge(&f, 0, false, NULL, 0);
	foreign_free(&f);
}

static void test_policy(void **state)
{
	struct foreign f = {0};

	(void)state;
	chain(&f, "fw", "forward", true, NF_DROP);
	judge(&f, FOREIGN_POLICY, true, "forward", 0);
	/* For another interface. */
	begin("fw", "forward");
	meta_is(NFT_META_IIFNAME, "lan0", 5);
	end(&f, NF_ACCEPT, NULL);
	judge(&f, FOREIGN_POLICY, true, "forward", 0);
	/* Perhaps accepted before: a mark is not known from outside. */
	begin("fw", "forward");
	meta_is(NFT_META_MARK, "\1\0\0\0", 4);
	end(&f, NF_ACCEPT, NULL);
	judge(&f, FOREIGN_POLICY, false, "forward", 0);
	begin("fw", "forward");
	meta_is(NFT_META_IIFNAME, "br0", 4);
	end(&f, NF_ACCEPT, NULL);
	judge(&f, 0, false, NULL, 0);
	foreign_free(&f);
}

static void test_jumps(void **state)
{
	struct foreign f = {0};
	uint64_t dropping;

	(void)state;
	chain(&f, "fw", "forward", true, NF_ACCEPT);
	chain(&f, "fw", "iot", false, 0);
	begin("fw", "forward");
	meta_is(NFT_META_IIFNAME, "br", 2); /* br* */
	end(&f, NFT_JUMP, "iot");
	judge(&f, 0, false, NULL, 0);
	begin("fw", "iot");
	by_port(80);
	end(&f, NF_DROP, NULL);
	judge(&f, 0, false, NULL, 0);
	begin("fw", "iot");
	by_port(443);
	dropping = handle;
	end(&f, NF_DROP, NULL);
	judge(&f, FOREIGN_DROP, true, "iot", dropping);
	foreign_free(&f);
}

/* One who perhaps drops gives way to one who does. */
static void test_certainty(void **state)
{
	struct foreign f = {0};
	uint64_t first;

	(void)state;
	chain(&f, "fw", "forward", true, NF_ACCEPT);
	begin("fw", "forward");
	meta_is(NFT_META_MARK, "\1\0\0\0", 4);
	first = handle;
	end(&f, NF_DROP, NULL);
	judge(&f, FOREIGN_DROP, false, "forward", first);
	chain(&f, "other", "last", true, NF_DROP);
	judge(&f, FOREIGN_POLICY, true, "last", 0);
	foreign_free(&f);
}

/* The kernel refuses such; here it must only end. */
static void test_loop(void **state)
{
	struct foreign f = {0};

	(void)state;
	chain(&f, "fw", "forward", true, NF_DROP);
	for (int i = 0; i < 8; i++) {
		begin("fw", "forward");
		end(&f, NFT_JUMP, "forward");
	}
	judge(&f, FOREIGN_POLICY, false, "forward", 0);
	foreign_free(&f);
}

static void test_words(void **state)
{
	struct isolation_foreign f = {.family = NFPROTO_INET,
		.what = FOREIGN_REJECT,
		.certain = 1,
		.handle = 12,
		.table = "fw4",
		.chain = "handle_reject"};
	char text[256];

	(void)state;
	because_foreign(&f, text, sizeof(text));
	assert_string_equal(text,
		"another firewall rejects it: table inet fw4, chain "
		"handle_reject, the rule with handle 12; see nft -a list chain "
		"inet fw4 handle_reject");
	memset(f.table, 'x', sizeof(f.table));
	memset(f.chain, 'y', sizeof(f.chain));
	f.family = NFPROTO_IPV6;
	f.handle = UINT64_MAX;
	f.certain = 0;
	because_foreign(&f, text, sizeof(text));
	assert_non_null(strstr(text, "perhaps rejects it: table ip6 xxx"));
	f.what = 0;
	because_foreign(&f, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_certainty),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
