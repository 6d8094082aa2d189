/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the transaction together: away with our old tables, in with the
 * new ones, all or nothing. Touches memory only; must never name a table
 * that is not ours.
 */
#include "modules/isolation/rules/ruleset.h"

#include <assert.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_bridge.h>
#include <stddef.h>
#include <string.h>

#include "modules/isolation/rules/ruleset_parts.h"

const char *const ruleset_counters[RULESET_COUNTERS] = {
	[RULESET_DENIED] = "denied",
	[RULESET_QUARANTINED] = "quarantined",
	[RULESET_REDIRECTED] = "redirected",
	[RULESET_NOISE] = "noise",
	[RULESET_FENCED] = "fenced",
	[RULESET_SPOOFED] = "spoofed",
	[RULESET_LIMITED] = "limited",
	[RULESET_BRIDGED] = "bridged",
};

const struct ruleset_table_kind ruleset_tables[RULESET_TABLES] = {
	[RULESET_TABLE_BRIDGE] = {NFPROTO_BRIDGE, "bridge"},
	[RULESET_TABLE_INET] = {NFPROTO_INET, "inet"},
	[RULESET_TABLE_ARP] = {NFPROTO_ARP, "arp"},
};

enum ruleset_table ruleset_table_of(uint16_t family)
{
	for (int i = 0; i < RULESET_TABLES; i++)
		if (ruleset_tables[i].family == family)
			return i;
	assert(false);
	return RULESET_TABLE_INET;
}

/* Chains that packets enter by themselves, then those that rules name. */
static const struct chain {
	uint16_t family;
	const char *name, *type;
	uint32_t hook;
	int32_t priority;
} chains[] = {
	{NFPROTO_INET, "prerouting", "filter", NF_INET_PRE_ROUTING, -150},
	{NFPROTO_INET, "reverse", "filter", NF_INET_PRE_ROUTING, -90},
	{NFPROTO_INET, "redirect", "nat", NF_INET_PRE_ROUTING, -100},
	{NFPROTO_INET, "forward", "filter", NF_INET_FORWARD, 0},
	{NFPROTO_INET, "input", "filter", NF_INET_LOCAL_IN, 0},
	{NFPROTO_INET, "output", "filter", NF_INET_LOCAL_OUT, 0},
	{NFPROTO_INET, "postrouting", "filter", NF_INET_POST_ROUTING, 0},
	{NFPROTO_INET, "fence"},
	{NFPROTO_INET, "reflectors"},
	{NFPROTO_INET, "upgrade"},
	{NFPROTO_INET, "through4"},
	{NFPROTO_INET, "through6"},
	{NFPROTO_INET, "here4"},
	{NFPROTO_INET, "here6"},
	{NFPROTO_INET, "sent"},
	{NFPROTO_INET, "from_devices"},
	{NFPROTO_INET, "unmarked"},
	{NFPROTO_INET, "settled"},
	{NFPROTO_INET, "settled_flows"},
	{NFPROTO_INET, "settle"},
	{NFPROTO_INET, "offload"},
	{NFPROTO_INET, "to_devices"},
	{NFPROTO_INET, "between"},
	{NFPROTO_INET, "towards4"},
	{NFPROTO_INET, "towards6"},
	{NFPROTO_INET, "denied_inside"},
	{NFPROTO_INET, "denied_there"},
	{NFPROTO_INET, "to_gateway"},
	{NFPROTO_INET, "gate"},
	{NFPROTO_INET, "elsewhere"},
	{NFPROTO_INET, "strangers4"},
	{NFPROTO_INET, "strangers6"},
	{NFPROTO_INET, "strangers_here4"},
	{NFPROTO_INET, "strangers_here6"},
	{NFPROTO_INET, "stranger_allowed"},
	{NFPROTO_INET, "gate_open"},
	{NFPROTO_INET, "answers"},
	{NFPROTO_INET, "proxy_refused"},
	{NFPROTO_INET, "allowed"},
	{NFPROTO_INET, "bandwidth"},
	{NFPROTO_INET, "receiving"},
	{NFPROTO_INET, "received_pinned4"},
	{NFPROTO_INET, "received_pinned6"},
	{NFPROTO_INET, "received_held4"},
	{NFPROTO_INET, "received_held6"},
	{NFPROTO_INET, "granted"},
	{NFPROTO_INET, "limited"},
	{NFPROTO_INET, "over_here"},
	{NFPROTO_INET, "over_through"},
	{NFPROTO_INET, "denied"},
	{NFPROTO_INET, "count_denied"},
	{NFPROTO_INET, "quarantined"},
	{NFPROTO_INET, "noise"},
	{NFPROTO_INET, "itemise"},
	{NFPROTO_INET, "not_allowed"},
	{NFPROTO_INET, "with_answer"},
	{NFPROTO_INET, "answered"},
	{NFPROTO_INET, "answer"},
	{NFPROTO_INET, "silently"},
	{NFPROTO_INET, "refused"},
	{NFPROTO_INET, "claims4"},
	{NFPROTO_INET, "claims6"},
	{NFPROTO_INET, "claims_nd"},
	{NFPROTO_INET, "caught4"},
	{NFPROTO_INET, "caught6"},
	{NFPROTO_INET, "caught_nd"},
	{NFPROTO_INET, "caught_kind"},
	{NFPROTO_INET, "spoofed"},
	{NFPROTO_INET, "kinds4"},
	{NFPROTO_INET, "routers"},
	{NFPROTO_INET, "kinds6"},
	{NFPROTO_INET, "live4"},
	{NFPROTO_INET, "live6"},
	{NFPROTO_INET, "settled4"},
	{NFPROTO_INET, "settled6"},
	{NFPROTO_INET, "settled_nd"},
	{NFPROTO_INET, "unbound4"},
	{NFPROTO_INET, "unbound6"},
	{NFPROTO_INET, "unbound_nd"},
	{NFPROTO_INET, "acks"},
	{NFPROTO_INET, "replaced"},
	{NFPROTO_INET, "leased"},
	{NFPROTO_BRIDGE, "prerouting", "filter", NF_BR_PRE_ROUTING, -300},
	{NFPROTO_BRIDGE, "forward", "filter", NF_BR_FORWARD, -300},
	{NFPROTO_BRIDGE, "kept_apart"},
	{NFPROTO_BRIDGE, "output", "filter", NF_BR_LOCAL_OUT, 0},
	{NFPROTO_BRIDGE, "between_ports"},
	{NFPROTO_BRIDGE, "bandwidth"},
	{NFPROTO_BRIDGE, "claims_arp"},
	{NFPROTO_BRIDGE, "claims4"},
	{NFPROTO_BRIDGE, "claims6"},
	{NFPROTO_BRIDGE, "claims_nd"},
	{NFPROTO_BRIDGE, "caught_arp"},
	{NFPROTO_BRIDGE, "caught4"},
	{NFPROTO_BRIDGE, "caught6"},
	{NFPROTO_BRIDGE, "caught_nd"},
	{NFPROTO_BRIDGE, "caught_kind"},
	{NFPROTO_BRIDGE, "caught_tags"},
	{NFPROTO_BRIDGE, "spoofed"},
	{NFPROTO_BRIDGE, "kinds4"},
	{NFPROTO_BRIDGE, "routers"},
	{NFPROTO_BRIDGE, "kinds6"},
	{NFPROTO_BRIDGE, "quick4"},
	{NFPROTO_BRIDGE, "quick6"},
	{NFPROTO_BRIDGE, "live4"},
	{NFPROTO_BRIDGE, "live6"},
	{NFPROTO_BRIDGE, "settled_arp"},
	{NFPROTO_BRIDGE, "settled4"},
	{NFPROTO_BRIDGE, "settled6"},
	{NFPROTO_BRIDGE, "settled_nd"},
	{NFPROTO_BRIDGE, "unbound_arp"},
	{NFPROTO_BRIDGE, "unbound4"},
	{NFPROTO_BRIDGE, "unbound6"},
	{NFPROTO_BRIDGE, "unbound_nd"},
	{NFPROTO_BRIDGE, "acks"},
	{NFPROTO_BRIDGE, "replaced"},
	{NFPROTO_BRIDGE, "leased"},
	{NFPROTO_BRIDGE, "seats"},
	{NFPROTO_BRIDGE, "seated"},
	{NFPROTO_BRIDGE, "caught_seat"},
	{NFPROTO_ARP, "input", "filter", NF_ARP_IN, -300},
};

static void add_table(
	struct batch *batch, uint16_t type, uint16_t family, const char *what)
{
	struct nftnl_table *t = must_have(nftnl_table_alloc());
	struct nlmsghdr *m;

	nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, family);
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, RULESET_TABLE);
	m = batch_message(batch, type, family,
		type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, "%s the %s table",
		what, ruleset_tables[ruleset_table_of(family)].name);
	nftnl_table_nlmsg_build_payload(m, t);
	batch_add(batch, m);
	nftnl_table_free(t);
}

/* Adding first makes the removal right whether it was there or not. */
static void remove_table(struct batch *batch, uint16_t family)
{
	add_table(batch, NFT_MSG_NEWTABLE, family, "looking for");
	add_table(batch, NFT_MSG_DELTABLE, family, "removing");
}

static void begin_table(struct ruleset *rs, uint16_t family)
{
	rs->family = family;
	remove_table(&rs->batch, family);
	add_table(&rs->batch, NFT_MSG_NEWTABLE, family, "adding");
}

static void add_chain(struct ruleset *rs, const struct chain *chain)
{
	struct nftnl_chain *c = must_have(nftnl_chain_alloc());
	struct nlmsghdr *m;

	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, chain->family);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, RULESET_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain->name);
	if (chain->type) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, chain->type);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, chain->hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, chain->priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	m = batch_message(&rs->batch, NFT_MSG_NEWCHAIN, rs->family,
		NLM_F_CREATE, "the chain %s", chain->name);
	nftnl_chain_nlmsg_build_payload(m, c);
	batch_add(&rs->batch, m);
	nftnl_chain_free(c);
	rs->chains[ruleset_table_of(rs->family)]++;
}

static void add_chains(struct ruleset *rs)
{
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		if (chains[i].family == rs->family)
			add_chain(rs, &chains[i]);
}

/* Goes on counting where the old tables stopped. */
static void add_counter(struct ruleset *rs, enum ruleset_counter which,
	const struct ruleset_carry *carry)
{
	struct nftnl_obj *o = must_have(nftnl_obj_alloc());
	struct ruleset_count start = {0};
	struct nlmsghdr *m;

	if (carry)
		start = carry->counters[which];
	nftnl_obj_set_u32(o, NFTNL_OBJ_FAMILY, rs->family);
	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, RULESET_TABLE);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, ruleset_counters[which]);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_PKTS, start.packets);
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_BYTES, start.bytes);
	m = batch_message(&rs->batch, NFT_MSG_NEWOBJ, rs->family, NLM_F_CREATE,
		"the counter %s", ruleset_counters[which]);
	nftnl_obj_nlmsg_build_payload(m, o);
	batch_add(&rs->batch, m);
	nftnl_obj_free(o);
}

int ruleset_build(const struct ruleset_input *input, uint32_t first_seq,
	struct ruleset *ret_ruleset, char *ret_reason)
{
	struct ruleset *rs = ret_ruleset;
	int r;

	memset(rs, 0, sizeof(*rs));
	policy_each(struct isolation_log, l, &input->policy->logs) {
		rs->logs = true;
		rs->log_group = l->group;
	}
	rs->marks = input->policy->marks;
	rs->offloads = input->kernel.offloads && input->policy->offloads.n;
	policy_each(struct isolation_reflect, x, &input->policy->reflects) {
		rs->reflects = rs->reflects || x->port;
		rs->reflect_group = x->group;
	}
	batch_begin(&rs->batch, first_seq);
	begin_table(rs, NFPROTO_BRIDGE);
	add_chains(rs);
	add_counter(rs, RULESET_BRIDGED, input->carry);
	/* What it had counted goes on in the other table: they add up. */
	add_counter(rs, RULESET_SPOOFED, NULL);
	add_counter(rs, RULESET_LIMITED, NULL);
	ruleset_add_bridge_sets(rs, input);
	ruleset_add_bridge_rules(rs, input->kernel.names_bridges);
	begin_table(rs, NFPROTO_INET);
	ruleset_add_flowtable(rs);
	add_chains(rs);
	for (int c = 0; c < RULESET_BRIDGED; c++)
		add_counter(rs, c, input->carry);
	r = ruleset_add_inet_sets(rs, input, ret_reason);
	if (r < 0) {
		ruleset_free(rs);
		return r;
	}
	ruleset_add_inet_rules(rs, input);
	if (input->kernel.sees_arp) {
		begin_table(rs, NFPROTO_ARP);
		add_chains(rs);
		ruleset_add_arp_sets(rs, input->topology);
		ruleset_add_arp_rules(rs);
	}
	batch_end(&rs->batch);
	return 0;
}

int ruleset_image(const struct ruleset_input *input, struct image *ret_image,
	char *ret_reason)
{
	struct ruleset rs = {.image = ret_image, .family = NFPROTO_BRIDGE};
	int r;

	ret_image->n = 0;
	ruleset_add_bridge_sets(&rs, input);
	rs.family = NFPROTO_INET;
	r = ruleset_add_inet_sets(&rs, input, ret_reason);
	if (r < 0) {
		image_free(ret_image);
		return r;
	}
	rs.family = NFPROTO_ARP;
	if (input->kernel.sees_arp)
		ruleset_add_arp_sets(&rs, input->topology);
	return 0;
}

void ruleset_build_removal(
	uint32_t first_seq, bool arp, struct batch *ret_batch)
{
	batch_begin(ret_batch, first_seq);
	remove_table(ret_batch, NFPROTO_BRIDGE);
	remove_table(ret_batch, NFPROTO_INET);
	if (arp)
		remove_table(ret_batch, NFPROTO_ARP);
	batch_end(ret_batch);
}

void ruleset_free(struct ruleset *ruleset)
{
	batch_free(&ruleset->batch);
}

int ruleset_spoof_order(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct ruleset_spoof, count));
}

void ruleset_carry_free(struct ruleset_carry *carry)
{
	free(carry->attempts);
	free(carry->tallies);
	free(carry->spoofs);
	for (int i = 0; i < RULESET_OVERS; i++)
		free(carry->overs[i].rows);
	free(carry->bound);
	free(carry->seats);
	memset(carry, 0, sizeof(*carry));
}
