/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes through the gateway, after prerouting has judged it: only what
 * was judged may go out, only answers, the owner and what is published may
 * come in. Touches memory only. Must never drop anything of an interface
 * outside the devices zones that does not lead into one.
 */
#include <netinet/in.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define RELATED NF_CT_STATE_BIT(IP_CT_RELATED)

static void add_from_devices(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "from_devices";

	rules_settle(rs, chain, generation);
	rule_begin(rs, chain);
	rule_in(rs, "devices_if", RULE_OIF, RULE_END);
	rule_goto(rs, "between");
	/* Answers to the owner, also right after a reload. */
	rule_begin(rs, chain);
	rule_ct_state(rs, ESTABLISHED | RELATED);
	rule_ct_direction(rs, true);
	rule_in(rs, "owner_if", RULE_OIF, RULE_END);
	rule_accept(rs);
	for (int own = 0; own < 2; own++) {
		rules_begin_upgraded(rs, chain, own);
		rule_goto(rs, "denied");
	}
	rules_pass_judged(rs, chain, generation);
	rules_pass_answers(rs, chain);
	rule_begin(rs, chain);
	rule_goto(rs, "not_allowed");
}

static void add_to_devices(struct ruleset *rs)
{
	const char *chain = "to_devices";

	rule_begin(rs, chain);
	rule_in(rs, "owner_if", RULE_IIF, RULE_END);
	rule_goto(rs, "granted");
	rules_pass_published(rs, chain);
	rule_begin(rs, chain);
	rule_count(rs, "denied");
	rule_end(rs);
	rules_drop_unpublished(rs, chain);
}

void ruleset_add_forward(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "forward";

	rules_forward_settled(rs, generation);
	ruleset_add_offload(rs);
	rule_begin(rs, chain);
	rule_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_goto(rs, "from_devices");
	/* Answers from elsewhere may pass, whomever they are for. */
	rules_pass_replies(rs, chain);
	rule_begin(rs, chain);
	rule_in(rs, "devices_if", RULE_OIF, RULE_END);
	rule_goto(rs, "to_devices");
	add_from_devices(rs, generation);
	add_to_devices(rs);
}
