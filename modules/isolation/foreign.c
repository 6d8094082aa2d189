/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks other people's chains with a packet that is not there. Touches memory
 * only; must never go on for ever: depth and steps are bounded.
 */
#include "modules/isolation/foreign.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/foreign_match.h"
#include "modules/isolation/rules/ruleset.h"

static bool concerns_us(uint32_t family, const char *table)
{
	if (!table)
		return false;
	if (family == NFPROTO_INET)
		return strcmp(table, RULESET_TABLE) != 0;
	return family == NFPROTO_IPV4 || family == NFPROTO_IPV6;
}

int foreign_add_chain(struct foreign *foreign, const struct nlmsghdr *message)
{
	struct nftnl_chain *c = must_have(nftnl_chain_alloc());
	bool full = foreign->n_chains == FOREIGN_CHAINS_MAX;
	int r = nftnl_chain_nlmsg_parse(message, c);

	foreign->cut |= full;
	if (r < 0 || full || !nftnl_chain_get_str(c, NFTNL_CHAIN_NAME) ||
		!concerns_us(nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY),
			nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE))) {
		nftnl_chain_free(c);
		return r < 0 ? -EBADMSG : 0;
	}
	if (foreign->n_chains == foreign->chains_room) {
		foreign->chains_room = foreign->chains_room * 2 + 64;
		foreign->chains = must_have(realloc(foreign->chains,
			foreign->chains_room * sizeof(*foreign->chains)));
	}
	foreign->chains[foreign->n_chains++] = c;
	return 0;
}

int foreign_add_rule(struct foreign *foreign, const struct nlmsghdr *message)
{
	struct nftnl_rule *rule = must_have(nftnl_rule_alloc());
	bool full = foreign->n_rules == FOREIGN_RULES_MAX;
	int r = nftnl_rule_nlmsg_parse(message, rule);

	foreign->cut |= full;
	if (r < 0 || full || !nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN) ||
		!concerns_us(nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
			nftnl_rule_get_str(rule, NFTNL_RULE_TABLE))) {
		nftnl_rule_free(rule);
		return r < 0 ? -EBADMSG : 0;
	}
	if (foreign->n_rules == foreign->rules_room) {
		foreign->rules_room = foreign->rules_room * 2 + 256;
		foreign->rules = must_have(realloc(foreign->rules,
			foreign->rules_room * sizeof(*foreign->rules)));
	}
	foreign->rules[foreign->n_rules++] = rule;
	return 0;
}

void foreign_free(struct foreign *foreign)
{
	for (size_t i = 0; i < foreign->n_chains; i++)
		nftnl_chain_free(foreign->chains[i]);
	for (size_t i = 0; i < foreign->n_rules; i++)
		nftnl_rule_free(foreign->rules[i]);
	free(foreign->chains);
	free(foreign->rules);
	memset(foreign, 0, sizeof(*foreign));
}

struct walk {
	const struct foreign *foreign;
	struct foreign_packet packet;
	uint32_t family;
	const char *table;
	unsigned steps;
	bool doubt; /* it might have left before */
	struct foreign_cause found, perhaps; /* what 0: none */
};

enum end {
	END_CONTINUE, /* the chain's end, or returned */
	END_ACCEPTED,
	END_DROPPED,
};

static void note(struct walk *w, const char *chain, uint64_t handle,
	enum foreign_what what, bool certain)
{
	struct foreign_cause *cause = certain ? &w->found : &w->perhaps;

	if (cause->what)
		return;
	cause->what = what;
	cause->certain = certain;
	cause->family = (uint8_t)w->family;
	cause->handle = handle;
	snprintf(cause->table, sizeof(cause->table), "%s", w->table);
	snprintf(cause->chain, sizeof(cause->chain), "%s", chain);
}

static bool is_in(
	const struct walk *w, const struct nftnl_rule *r, const char *chain)
{
	return nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY) == w->family &&
	       !strcmp(nftnl_rule_get_str(r, NFTNL_RULE_TABLE), w->table) &&
	       !strcmp(nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), chain);
}

static enum end walk_chain(struct walk *w, const char *chain, unsigned depth);

/* -1: goes on with the next rule. */
static int follow(struct walk *w, const char *chain, uint64_t handle,
	const struct foreign_verdict *v, bool sure, unsigned depth)
{
	int end;

	switch (v->code) {
	case NFT_CONTINUE:
		return -1;
	case NF_DROP:
		note(w, chain, handle,
			v->reject ? FOREIGN_REJECT : FOREIGN_DROP,
			sure && !w->doubt);
		w->doubt |= !sure;
		return sure ? END_DROPPED : -1;
	case NFT_JUMP:
	case NFT_GOTO:
		/* What happens there happens perhaps only. */
		w->doubt |= !sure;
		end = walk_chain(w, v->chain, depth + 1);
		if (!sure)
			return -1;
		if (end == END_CONTINUE && v->code == NFT_JUMP)
			return -1;
		return end;
	case NFT_RETURN:
		w->doubt |= !sure;
		return sure ? END_CONTINUE : -1;
	default:
		w->doubt |= !sure;
		return sure ? END_ACCEPTED : -1;
	}
}

static enum end walk_chain(struct walk *w, const char *chain, unsigned depth)
{
	if (depth > FOREIGN_DEPTH_MAX) {
		w->doubt = true;
		return END_CONTINUE;
	}
	for (size_t i = 0; i < w->foreign->n_rules; i++) {
		const struct nftnl_rule *rule = w->foreign->rules[i];
		struct foreign_verdict v;
		enum foreign_match match;
		int end;

		if (++w->steps > FOREIGN_STEPS_MAX) {
			w->doubt = true;
			return END_CONTINUE;
		}
		if (!is_in(w, rule, chain))
			continue;
		match = foreign_match_rule(&w->packet, rule, &v);
		if (match == FOREIGN_NO)
			continue;
		end = follow(w, chain,
			nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE), &v,
			match == FOREIGN_YES, depth);
		if (end >= 0)
			return (enum end)end;
	}
	return END_CONTINUE;
}

/* Filters that a packet of this family meets on its way. */
static bool is_on_the_way(
	const struct nftnl_chain *c, const struct foreign_flow *flow)
{
	uint32_t family = nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY);
	uint32_t hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
	const char *type = nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE);

	if (!nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) || !type ||
		strcmp(type, "filter") != 0)
		return false;
	if (family ==
		(flow->to.family == AF_INET6 ? NFPROTO_IPV4 : NFPROTO_IPV6))
		return false;
	return hook == NF_INET_PRE_ROUTING ||
	       hook == (flow->oif[0] ? NF_INET_FORWARD : NF_INET_LOCAL_IN) ||
	       (flow->oif[0] && hook == NF_INET_POST_ROUTING);
}

static void walk_base(struct walk *w, const struct nftnl_chain *c)
{
	const char *name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
	enum end end;

	w->family = nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY);
	w->table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
	w->doubt = w->foreign->cut;
	end = walk_chain(w, name, 0);
	if (end == END_CONTINUE &&
		nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP)
		note(w, name, 0, FOREIGN_POLICY, !w->doubt);
}

int foreign_judge(const struct foreign *foreign,
	const struct foreign_flow *flow, foreign_lookup lookup, void *arg,
	struct foreign_cause *ret_cause)
{
	struct walk w = {.foreign = foreign};

	foreign_packet_fill(&w.packet, flow);
	w.packet.lookup = lookup;
	w.packet.arg = arg;
	for (size_t i = 0; i < foreign->n_chains && !w.found.what; i++)
		if (is_on_the_way(foreign->chains[i], flow))
			walk_base(&w, foreign->chains[i]);
	if (!w.found.what && !w.perhaps.what)
		return 0;
	*ret_cause = w.found.what ? w.found : w.perhaps;
	return 1;
}
