/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel may forward by itself: answers from an uplink to what a
 * device opened, as long as its connection lives. Touches memory only. Must
 * never let the kernel forward by itself what a device sends: it would do so
 * for whoever else on that interface names the same addresses and ports, and
 * whoever is denied by now would go on.
 *
 * So the flowtable looks at uplinks only. There the rules would let such an
 * answer pass without another question (rules_pass_replies()), and what the
 * device sends is judged, packet by packet, as ever: nothing is judged less
 * than without a flowtable. A connection that is taken out of the kernel's
 * table is not found in the flowtable any more, and a table that is flushed
 * takes its flowtable along.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/flowtable.h>
#include <libnftnl/rule.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

static void add_message(struct batch *batch, const char *interface)
{
	const char *devices[] = {interface, NULL};
	struct nftnl_flowtable *f = must_have(nftnl_flowtable_alloc());
	struct nlmsghdr *m;

	nftnl_flowtable_set_u32(f, NFTNL_FLOWTABLE_FAMILY, NFPROTO_INET);
	nftnl_flowtable_set_str(f, NFTNL_FLOWTABLE_TABLE, RULESET_TABLE);
	nftnl_flowtable_set_str(f, NFTNL_FLOWTABLE_NAME, RULESET_FLOWTABLE);
	nftnl_flowtable_set_u32(f, NFTNL_FLOWTABLE_HOOKNUM, NF_NETDEV_INGRESS);
	nftnl_flowtable_set_s32(
		f, NFTNL_FLOWTABLE_PRIO, RULESET_FLOWTABLE_PRIORITY);
	/* Who counts the bytes of connections still counts all of them. */
	nftnl_flowtable_set_u32(
		f, NFTNL_FLOWTABLE_FLAGS, NFT_FLOWTABLE_COUNTER);
	if (interface)
		(void)nftnl_flowtable_set_array(
			f, NFTNL_FLOWTABLE_DEVICES, devices);
	m = batch_message(batch, NFT_MSG_NEWFLOWTABLE, NFPROTO_INET,
		NLM_F_CREATE, "the flowtable %s", RULESET_FLOWTABLE);
	nftnl_flowtable_nlmsg_build_payload(m, f);
	batch_add(batch, m);
	nftnl_flowtable_free(f);
}

/* Without an interface: one that goes away may not undo all the rest. */
void ruleset_add_flowtable(struct ruleset *rs)
{
	if (rs->offloads)
		add_message(&rs->batch, NULL);
}

void ruleset_build_hook(
	const char *interface, uint32_t first_seq, struct batch *ret_batch)
{
	batch_begin(ret_batch, first_seq);
	add_message(ret_batch, interface);
	batch_end(ret_batch);
}

static void hand_over(struct ruleset *rs)
{
	struct nftnl_expr *e = must_have(nftnl_expr_alloc("flow_offload"));

	nftnl_expr_set_str(e, NFTNL_EXPR_FLOW_TABLE_NAME, RULESET_FLOWTABLE);
	nftnl_rule_add_expr(rs->rule, e);
}

void rules_pass_on(struct ruleset *rs)
{
	if (rs->offloads)
		rule_goto(rs, "offload");
	else
		rule_accept(rs);
}

/*
 * Once for a connection, and again when the kernel has let go of it; only if a
 * device opened it towards an uplink.
 * Whose bytes are limited goes the long way, where they are measured; where
 * there are no MAC addresses (VPNs) it would save nothing.
 */
void ruleset_add_offload(struct ruleset *rs)
{
	const uint16_t ether = ARPHRD_ETHER;

	if (!rs->offloads)
		return;
	rule_begin(rs, "offload");
	rule_ct_offloaded(rs, false);
	rule_ct_direction(rs, false);
	rule_is(rs, RULE_LINK_TYPE, &ether, sizeof(ether));
	rule_in(rs, "uplinks", RULE_OIF, RULE_END);
	rule_not_in(rs, "bandwidth", RULE_SOURCE_MAC, RULE_END);
	hand_over(rs);
	rule_end(rs);
	rule_begin(rs, "offload");
	rule_accept(rs);
}
