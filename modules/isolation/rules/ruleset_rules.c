/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules, the same on every gateway; what differs lies in the sets of
 * ruleset_sets.c. Touches memory only. Must never drop, reject or redirect
 * anything of an interface outside the devices zones, nor of one that only
 * observes; the one exception is the proxy's own ports.
 *
 * prerouting judges what goes through, at its original destination; forward
 * lets pass only what was judged; input (ruleset_input.c) judges what is for
 * the gateway; ruleset_verdicts.c has what becomes of what is denied.
 * What was allowed carries the generation in its connection mark, so that
 * a new policy judges every connection again; where only single devices were
 * changed, a set names those whose connections are.
 */
#include "modules/isolation/rules/rule.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/marks.h"
#include "modules/isolation/rules/ruleset_parts.h"

#define NEW NF_CT_STATE_BIT(IP_CT_NEW)
#define ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define RELATED NF_CT_STATE_BIT(IP_CT_RELATED)

#define PORT_DNS 53

const struct rules_family rules_families[RULES_FAMILIES] = {
	{NFPROTO_IPV4, IPPROTO_ICMP, 8, RULE_IP_FROM, RULE_IP_TO, "through4",
		"here4", "name_servers4", "admins4", "allow4", "wide4",
		"attempts4", "dialled4", "learned4"},
	{NFPROTO_IPV6, IPPROTO_ICMPV6, 128, RULE_IP6_FROM, RULE_IP6_TO,
		"through6", "here6", "name_servers6", "admins6", "allow6",
		"wide6", "attempts6", "dialled6", "learned6"},
};

void rules_pass_judged(
	struct ruleset *rs, const char *chain, uint8_t generation)
{
	rule_begin(rs, chain);
	rule_ct_state(rs, NEW | ESTABLISHED);
	rule_ct_judged(rs, generation);
	rule_accept(rs);
	/* Errors about it; not what a helper let in on its account. */
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		rule_begin(rs, chain);
		rule_protocol(rs, rules_families[i].icmp);
		rule_ct_state(rs, RELATED);
		rule_ct_judged(rs, generation);
		rule_accept(rs);
	}
}

void rules_pass_replies(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_ct_state(rs, ESTABLISHED | RELATED);
	rule_ct_direction(rs, true);
	rule_accept(rs);
}

/* What a device was allowed before it was changed counts no more. */
static void judge_again(
	struct ruleset *rs, const char *chain, uint8_t generation)
{
	rule_begin(rs, chain);
	rule_ct_judged(rs, generation);
	rule_in(rs, RULESET_AGAIN, RULE_SOURCE_MAC, RULE_END);
	rule_ct_direction(rs, false);
	rule_ct_judge(rs, 0, 0);
	rule_end(rs);
}

/*
 * What answers for somebody else ends a connection that is not its own: an
 * answer comes from where its sender is, and an error about a neighbour's
 * connection is nobody's to tell.
 */
static void add_answers(struct ruleset *rs)
{
	rule_begin(rs, "answers");
	rules_not_from_there(rs);
	rule_goto(rs, "denied");
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		rule_begin(rs, "answers");
		rule_protocol(rs, rules_families[i].icmp);
		rule_ct_state(rs, RELATED);
		rule_in(rs, "devices_if", RULE_ROUTE_OUT, RULE_END);
		rule_goto(rs, "denied");
	}
	rule_begin(rs, "answers");
	rule_accept(rs);
}

/* What devices send, and its sender is judged. */
static void add_sent(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "sent";

	/* Without this the routing guard lets nothing through (guard.h). */
	rule_begin(rs, chain);
	rule_mark(rs);
	rule_end(rs);
	rules_measure_sent(rs, chain);
	judge_again(rs, chain, generation);
	rules_unsettle(rs, chain, generation);
	rule_begin(rs, chain);
	rule_ct_direction(rs, true);
	rule_goto(rs, "answers");
	rules_pass_judged(rs, chain, generation);
	rule_begin(rs, chain);
	rule_in(rs, "here", RULE_ADDRESS_TYPE, RULE_END);
	rule_goto(rs, "to_gateway");
	rules_go_paced(rs, chain, false);
	rules_go_strangers(rs, chain, false);
	rule_begin(rs, chain);
	rule_goto(rs, "quarantined");
}

/* Bridges come first: their ports have judged who sends. */
static void add_prerouting(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "prerouting";

	rules_pass_settled(rs, generation);
	rule_begin(rs, chain);
	rule_in(rs, "bridged_if", RULE_IIF, RULE_END);
	rule_goto(rs, "sent");
	rule_begin(rs, chain);
	rule_not_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_goto(rs, "elsewhere");
	ruleset_add_spoof_rules(rs, false);
	rule_begin(rs, chain);
	rule_goto(rs, "sent");
}

/*
 * For the reverse path filter: see kernel/guard_priv.h. What devices send is
 * marked already, so only the rest pays for the route.
 */
static void add_reverse(struct ruleset *rs, uint8_t generation)
{
	rule_begin(rs, "reverse");
	rule_unmarked(rs);
	rule_goto(rs, "unmarked");
	rules_leave_settled(rs, "unmarked", generation);
	rule_begin(rs, "unmarked");
	rule_family(rs, NFPROTO_IPV4);
	rule_in(rs, "devices_if", RULE_ROUTE_OUT, RULE_END);
	rule_mark(rs);
	rule_end(rs);
}

void rules_add_dns(
	struct ruleset *rs, const char *chain, const struct rules_family *f)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		rule_begin(rs, chain);
		rule_protocol(rs, protocols[i]);
		rule_port(rs, PORT_DNS);
		rule_in(rs, f->name_servers, f->to, RULE_END);
		rule_goto(rs, "allowed");
		rule_begin(rs, chain);
		rule_protocol(rs, protocols[i]);
		rule_port(rs, PORT_DNS);
		rule_goto(rs, "denied");
	}
}

void rules_allow_listed(
	struct ruleset *rs, const char *chain, const struct rules_family *f)
{
	rule_begin(rs, chain);
	rule_in(rs, f->allow, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
	rule_begin(rs, chain);
	rule_in(rs, f->wide, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
}

void rules_not_from_there(struct ruleset *rs)
{
	const uint32_t nowhere = 0;

	rule_is(rs, RULE_ROUTE_BACK, &nowhere, sizeof(nowhere));
}

static void add_through(struct ruleset *rs, const struct rules_family *f)
{
	const char *chain = f->through;

	rule_begin(rs, chain);
	rules_not_from_there(rs);
	rule_goto(rs, "denied");
	/* To another device: the forward chain judges. */
	rule_begin(rs, chain);
	rule_in(rs, "devices_if", RULE_ROUTE_OUT, RULE_END);
	rule_accept(rs);
	rules_add_dns(rs, chain, f);
	rules_allow_listed(rs, chain, f);
	/* "any" is the world outside; the owner's own must be named. */
	rule_begin(rs, chain);
	rule_in(rs, "owner_if", RULE_ROUTE_OUT, RULE_END);
	rule_goto(rs, "denied");
	rules_allow_learned(rs, chain, f);
	rule_begin(rs, chain);
	rule_in(rs, "allow_anywhere", RULE_SOURCE_MAC, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
	rule_begin(rs, chain);
	rule_in(rs, "wide_anywhere", RULE_SOURCE_MAC, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
	rules_go_guests(rs, chain, f);
	rule_begin(rs, chain);
	rule_goto(rs, "denied");
}

/* Who has no MAC address belongs to the first group. */
static void add_granted(struct ruleset *rs, uint8_t generation)
{
	for (uint8_t group = 1; group < MARKS_GROUPS; group++) {
		rule_begin(rs, "granted");
		rule_group(rs, group);
		rule_ct_judge(rs, generation, group);
		rule_accept(rs);
	}
	rule_begin(rs, "granted");
	rule_ct_judge(rs, generation, 0);
	rule_accept(rs);
}

void rules_begin_upgraded(struct ruleset *rs, const char *chain, bool own)
{
	rule_begin(rs, chain);
	rule_protocol(rs, IPPROTO_TCP);
	if (!own)
		rule_in(rs, "enforce_if", RULE_IIF, RULE_END);
	rule_map(rs, own ? "redirect_own" : "redirect_zone", RULE_SOURCE_MAC,
		RULE_PORT, RULE_END);
}

/* Connections to an address outside that were judged and allowed. */
static void add_redirect(struct ruleset *rs, uint8_t generation)
{
	/* Not to another device, which the proxy must not reach either. */
	rule_begin(rs, "redirect");
	rule_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_in(rs, "devices_if", RULE_ROUTE_OUT, RULE_END);
	rule_accept(rs);
	rule_begin(rs, "redirect");
	rule_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_ct_judged(rs, generation);
	rule_goto(rs, "upgrade");
	for (int own = 0; own < 2; own++) {
		for (size_t i = 0; i < RULES_FAMILIES; i++) {
			const struct rules_family *f = &rules_families[i];

			rules_begin_upgraded(rs, "upgrade", own);
			rule_family(rs, f->nfproto);
			rule_remember(rs, f->dialled, f->to, RULE_END);
			rule_end(rs);
		}
		rules_begin_upgraded(rs, "upgrade", own);
		rule_count(rs, "redirected");
		rule_redirect(rs);
	}
}

void ruleset_add_inet_rules(
	struct ruleset *rs, const struct ruleset_input *input)
{
	uint8_t generation = input->generation;

	ruleset_add_verdicts(rs);
	ruleset_add_limit_rules(rs, input->kernel.counts_connections);
	ruleset_add_bandwidth_rules(rs);
	add_granted(rs, generation);
	for (size_t i = 0; i < RULES_FAMILIES; i++)
		add_through(rs, &rules_families[i]);
	add_answers(rs);
	add_prerouting(rs, generation);
	add_sent(rs, generation);
	add_reverse(rs, generation);
	add_redirect(rs, generation);
	ruleset_add_fence(rs);
	ruleset_add_reflect_fence(rs);
	ruleset_add_forward(rs, generation);
	ruleset_add_between(rs, generation);
	ruleset_add_gate(rs);
	ruleset_add_elsewhere(rs);
	ruleset_add_strangers(rs, input->kernel.counts_connections);
	ruleset_add_input(rs, generation);
}

/*
 * Between two ports of one bridge, below the sight of the rules above.
 * Rejecting is not possible on every kernel, so it is dropped.
 */
void ruleset_add_bridge_rules(struct ruleset *rs, bool names_bridges)
{
	ruleset_add_spoof_rules(rs, names_bridges);
	/* The bridge keeps these apart by itself and tells nobody. */
	rule_begin(rs, "prerouting");
	/* Most is for us: a MAC is looked up sooner than a name. */
	rule_not_in(rs, "own_macs", RULE_TARGET_MAC, RULE_END);
	rule_in(rs, "ports_apart", RULE_IIF, RULE_END);
	rule_jump(rs, "kept_apart");
	rule_begin(rs, "kept_apart");
	rule_count(rs, "bridged");
	rule_end(rs);
	rules_add_log(rs, "kept_apart");
	ruleset_add_bandwidth_rules(rs);
	rule_begin(rs, "forward");
	rule_in(rs, "ports", RULE_IIF, RULE_END);
	rule_goto(rs, "between_ports");
	rule_begin(rs, "forward");
	rule_in(rs, "ports", RULE_OIF, RULE_END);
	rule_goto(rs, "between_ports");
	if (names_bridges) {
		rule_begin(rs, "forward");
		rule_in(rs, "devices_if", RULE_BRIDGE, RULE_END);
		rule_goto(rs, "between_ports");
	}

	rule_begin(rs, "between_ports");
	rule_count(rs, "bridged");
	rule_end(rs);
	rules_add_log(rs, "between_ports");
	rule_begin(rs, "between_ports");
	rule_in(rs, "enforced", RULE_SOURCE_MAC, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "enforced", RULE_TARGET_MAC, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "observed", RULE_SOURCE_MAC, RULE_END);
	rule_in(rs, "observed", RULE_TARGET_MAC, RULE_END);
	rule_accept(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "ports_enforce", RULE_IIF, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "ports_enforce", RULE_OIF, RULE_END);
	rule_drop(rs);
	if (names_bridges) {
		rule_begin(rs, "between_ports");
		rule_in(rs, "enforce_if", RULE_BRIDGE, RULE_END);
		rule_drop(rs);
	}
}
