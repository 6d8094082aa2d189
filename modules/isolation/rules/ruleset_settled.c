/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short way of most packets: a connection that a device began is settled
 * when it was judged in prerouting and nothing in forward was left to be asked
 * of it. Its later packets are asked two things only, by a rule each: who sent
 * them, and have we marked them for it. Touches memory only. Must never pass
 * anything that the long way would not: a connection is settled by its own
 * device's packets alone, and loses it with a new generation or when its
 * device is changed.
 */
#include <netinet/in.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define RELATED NF_CT_STATE_BIT(IP_CT_RELATED)

/* What a bridge's ports have judged; the long way takes what is slow. */
static void add_own(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_ct_direction(rs, false);
	rule_ct_state(rs, ESTABLISHED);
	rule_in(rs, "bridged_if", RULE_IIF, RULE_END);
	rule_not_in(rs, RULESET_AGAIN, RULE_SOURCE_MAC, RULE_END);
	rule_nor_in(rs, "bandwidth");
	rule_mark(rs);
	rule_accept(rs);
}

/* Marked for the reverse path filter: see kernel/guard_priv.h. */
static void add_answers(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_ct_state(rs, ESTABLISHED);
	rule_ct_direction(rs, true);
	rule_not_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_mark(rs);
	rule_accept(rs);
}

void rules_pass_settled(struct ruleset *rs, uint8_t generation)
{
	rule_begin(rs, "prerouting");
	rule_ct_settled(rs, generation);
	rule_jump(rs, "settled");
	add_own(rs, "settled");
	add_answers(rs, "settled");
}

/* In the name of a device, from where it is not: no mark opens it a way. */
void rules_leave_settled(
	struct ruleset *rs, const char *chain, uint8_t generation)
{
	rule_begin(rs, chain);
	rule_ct_settled(rs, generation);
	rule_ct_direction(rs, false);
	rule_accept(rs);
}

/* What a helper lets in begins with the mark of whom it is related to. */
void rules_unsettle(struct ruleset *rs, const char *chain, uint8_t generation)
{
	rule_begin(rs, chain);
	rule_ct_state(rs, RELATED);
	rule_ct_settled(rs, generation);
	rule_ct_settle(rs, false);
	rule_end(rs);
}

/* All that is marked came by the rules above; answers pass in any case. */
void rules_forward_settled(struct ruleset *rs, uint8_t generation)
{
	rule_begin(rs, "forward");
	rule_ct_settled(rs, generation);
	rule_marked(rs);
	rules_pass_on(rs);
}

/*
 * A connection that was judged and goes where it was judged to go may pass
 * wherever that is, without a look at the interface. Comes back for plaintext
 * that is to be upgraded: that may pass to other devices only.
 */
void rules_settle(struct ruleset *rs, const char *chain, uint8_t generation)
{
	const uint8_t tcp = IPPROTO_TCP;

	rule_begin(rs, chain);
	rule_ct_judged(rs, generation);
	rule_ct_state(rs, ESTABLISHED);
	rule_ct_redirected(rs, false);
	rule_jump(rs, "settled_flows");
	rule_begin(rs, "settled_flows");
	rule_is_not(rs, RULE_PROTOCOL, &tcp, sizeof(tcp));
	rule_goto(rs, "settle");
	rule_begin(rs, "settled_flows");
	rule_map(rs, "redirect_own", RULE_SOURCE_MAC, RULE_PORT, RULE_END);
	rule_return(rs);
	rule_begin(rs, "settled_flows");
	rule_map(rs, "redirect_zone", RULE_SOURCE_MAC, RULE_PORT, RULE_END);
	rule_return(rs);
	rule_begin(rs, "settled_flows");
	rule_goto(rs, "settle");
	rule_begin(rs, "settle");
	rule_ct_direction(rs, false);
	rule_ct_settle(rs, true);
	rule_end(rs);
	rule_begin(rs, "settle");
	rules_pass_on(rs);
}
