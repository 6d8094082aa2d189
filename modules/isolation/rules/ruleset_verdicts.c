/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of what is denied: counted, listed, and then, by the mode of
 * the device or its zone, refused or let through. Touches memory only; must
 * never drop anything of whoever only observes.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define NEW NF_CT_STATE_BIT(IP_CT_NEW)
#define INVALID NF_CT_STATE_INVALID_BIT

/* One line of the list of attempts. */
static void itemise(struct ruleset *rs, const struct rules_family *f,
	uint8_t protocol, enum rule_field port)
{
	/* Known already: counting it costs nobody a place. */
	rule_begin(rs, "itemise");
	rule_family(rs, f->nfproto);
	if (protocol)
		rule_protocol(rs, protocol);
	rule_in(rs, f->attempts, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL, port,
		RULE_END);
	rule_return(rs);
	rule_begin(rs, "itemise");
	rule_family(rs, f->nfproto);
	if (protocol)
		rule_protocol(rs, protocol);
	rule_limit(rs, "attempt_limit", RULESET_NEW_ATTEMPTS, 3600,
		RULESET_NEW_BURST, RULE_SOURCE_MAC, RULE_END);
	rule_remember(rs, f->attempts, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL,
		port, RULE_END);
	rule_return(rs);
	if (protocol) {
		rule_begin(rs, "itemise");
		rule_family(rs, f->nfproto);
		rule_protocol(rs, protocol);
		rule_return(rs);
	}
}

static void add_itemise(struct ruleset *rs)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		const struct rules_family *f = &rules_families[i];

		itemise(rs, f, IPPROTO_TCP, RULE_PORT);
		itemise(rs, f, IPPROTO_UDP, RULE_PORT);
		itemise(rs, f, f->icmp, RULE_ICMP);
		itemise(rs, f, 0, RULE_NOTHING);
	}
}

/* Counts and lists; the last rule decides what becomes of it. */
static void add_denied(struct ruleset *rs)
{
	rule_begin(rs, "count_denied");
	rule_count(rs, "denied");
	rule_end(rs);
	rule_begin(rs, "count_denied");
	rule_in(rs, "tally", RULE_SOURCE_MAC, RULE_END);
	rule_end(rs);
	rules_add_log(rs, "count_denied");
	rule_begin(rs, "count_denied");
	rule_ct_state(rs, NEW);
	rule_jump(rs, "itemise");

	rule_begin(rs, "denied");
	rule_jump(rs, "count_denied");
	rule_begin(rs, "denied");
	rule_ct_state(rs, INVALID);
	rule_goto(rs, "silently");
	rule_begin(rs, "denied");
	rule_goto(rs, "with_answer");

	rule_begin(rs, "quarantined");
	rule_count(rs, "quarantined");
	rule_end(rs);
	rule_begin(rs, "quarantined");
	rule_remember(rs, "strangers", RULE_SOURCE_MAC, RULE_END);
	rule_end(rs);
	rules_add_log(rs, "quarantined");
	rule_begin(rs, "quarantined");
	rule_ct_state(rs, NEW);
	rule_jump(rs, "itemise");
	rule_begin(rs, "quarantined");
	rule_goto(rs, "silently");

	rule_begin(rs, "noise");
	rule_count(rs, "noise");
	rule_goto(rs, "silently");
}

/* A device's own mode goes before its zone's. */
static void by_mode(struct ruleset *rs, const char *chain, const char *then)
{
	rule_begin(rs, chain);
	rule_in(rs, "observed", RULE_SOURCE_MAC, RULE_END);
	rule_accept(rs);
	rule_begin(rs, chain);
	rule_in(rs, "enforced", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, then);
	rule_begin(rs, chain);
	rule_in(rs, "enforce_if", RULE_IIF, RULE_END);
	rule_goto(rs, then);
	rule_begin(rs, chain);
	rule_accept(rs);
}

static void add_modes(struct ruleset *rs)
{
	by_mode(rs, "silently", "refused");
	rule_begin(rs, "refused");
	rule_drop(rs);
	by_mode(rs, "with_answer", "answered");
	/* An answer costs more than all before it: not to whoever asks a lot. */
	rule_begin(rs, "answered");
	rule_in(rs, "answers", RULE_SOURCE_MAC, RULE_END);
	rule_limit_all(rs, RULESET_ANSWERS, RULESET_ANSWERS);
	rule_goto(rs, "answer");
	rule_begin(rs, "answered");
	rule_drop(rs);
	/* It carries bytes of the packet, and to whom that names. */
	rule_begin(rs, "answer");
	rules_not_from_there(rs);
	rule_drop(rs);
	rule_begin(rs, "answer");
	rule_reject_tcp(rs);
	rule_begin(rs, "answer");
	rule_reject(rs);
	/* Was counted in prerouting if it is only observed. */
	by_mode(rs, "not_allowed", "denied");
}

void ruleset_add_verdicts(struct ruleset *rs)
{
	add_modes(rs);
	add_itemise(rs);
	add_denied(rs);
}
