/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel what it can do, by transactions that take back all that
 * they add. Must never leave anything behind.
 */
#include <netinet/in.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/flowtable.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/kernel/nft.h"

#define TABLE "gatehouse_probe"
#define CHAIN "probe"
#define FLOWTABLE "probe"

static void add_table(struct batch *batch, uint16_t family, uint16_t type)
{
	struct nftnl_table *t = must_have(nftnl_table_alloc());
	struct nlmsghdr *m = batch_message(batch, type, family,
		type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, "a probe");

	nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, family);
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, TABLE);
	nftnl_table_nlmsg_build_payload(m, t);
	batch_add(batch, m);
	nftnl_table_free(t);
}

static void add_chain(struct batch *batch, uint16_t family)
{
	struct nftnl_chain *c = must_have(nftnl_chain_alloc());
	struct nlmsghdr *m = batch_message(
		batch, NFT_MSG_NEWCHAIN, family, NLM_F_CREATE, "a probe");

	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, CHAIN);
	nftnl_chain_nlmsg_build_payload(m, c);
	batch_add(batch, m);
	nftnl_chain_free(c);
}

static void add_rule(struct batch *batch, uint16_t family, struct nftnl_expr *e)
{
	struct nftnl_rule *rule = must_have(nftnl_rule_alloc());
	struct nlmsghdr *m = batch_message(batch, NFT_MSG_NEWRULE, family,
		NLM_F_CREATE | NLM_F_APPEND, "a probe");

	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN);
	nftnl_rule_add_expr(rule, e);
	nftnl_rule_nlmsg_build_payload(m, rule);
	batch_add(batch, m);
	nftnl_rule_free(rule);
}

/* On no interface: a kernel that wants one cannot add others later. */
static void add_flowtable(struct batch *batch, uint16_t family)
{
	struct nftnl_flowtable *f = must_have(nftnl_flowtable_alloc());
	struct nlmsghdr *m = batch_message(
		batch, NFT_MSG_NEWFLOWTABLE, family, NLM_F_CREATE, "a probe");

	nftnl_flowtable_set_str(f, NFTNL_FLOWTABLE_TABLE, TABLE);
	nftnl_flowtable_set_str(f, NFTNL_FLOWTABLE_NAME, FLOWTABLE);
	nftnl_flowtable_set_u32(f, NFTNL_FLOWTABLE_HOOKNUM, NF_NETDEV_INGRESS);
	nftnl_flowtable_set_s32(
		f, NFTNL_FLOWTABLE_PRIO, RULESET_FLOWTABLE_PRIORITY);
	nftnl_flowtable_nlmsg_build_payload(m, f);
	batch_add(batch, m);
	nftnl_flowtable_free(f);
}

/* Takes the expression over, which may be NULL. */
static bool knows(struct nft *nft, uint16_t family, struct nftnl_expr *e,
	void (*add_before)(struct batch *batch, uint16_t family))
{
	char reason[POLICY_REASON];
	struct batch batch;
	int r;

	batch_begin(&batch, nft_seq(nft));
	add_table(&batch, family, NFT_MSG_NEWTABLE);
	if (add_before)
		add_before(&batch, family);
	add_chain(&batch, family);
	if (e)
		add_rule(&batch, family, e);
	add_table(&batch, family, NFT_MSG_DELTABLE);
	batch_end(&batch);
	r = nft_commit(nft, &batch, reason);
	batch_free(&batch);
	return r == 0;
}

struct ruleset_kernel nft_probe(struct nft *nft)
{
	struct nftnl_expr *count = must_have(nftnl_expr_alloc("connlimit"));
	struct nftnl_expr *bridge = must_have(nftnl_expr_alloc("meta"));
	struct nftnl_expr *flow = must_have(nftnl_expr_alloc("flow_offload"));

	nftnl_expr_set_str(flow, NFTNL_EXPR_FLOW_TABLE_NAME, FLOWTABLE);
	nftnl_expr_set_u32(count, NFTNL_EXPR_CONNLIMIT_COUNT, 1);
	nftnl_expr_set_u32(bridge, NFTNL_EXPR_META_KEY, NFT_META_BRI_IIFNAME);
	nftnl_expr_set_u32(bridge, NFTNL_EXPR_META_DREG, NFT_REG_1);
	return (struct ruleset_kernel){
		.counts_connections = knows(nft, NFPROTO_INET, count, NULL),
		.names_bridges = knows(nft, NFPROTO_BRIDGE, bridge, NULL),
		.sees_arp = knows(nft, NFPROTO_ARP, NULL, NULL),
		.offloads = knows(nft, NFPROTO_INET, flow, add_flowtable),
	};
}
