/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules for what is meant for the gateway itself. Touches memory only. Must
 * never cut what every host needs of its gateway (neighbour discovery, DHCP),
 * nor the owner's own computers.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ECHO_RATE 10 /* per second and device, to the gateway */
#define ECHO_BURST 20

/* The proxy's ports lead in by a redirect only; they are ours anywhere. */
static void guard_proxy(struct ruleset *rs)
{
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_TCP);
	rule_in(rs, "proxy_ports", RULE_PORT, RULE_END);
	rule_ct_direction(rs, false);
	rule_ct_redirected(rs, false);
	rule_goto(rs, "proxy_refused");
	rule_begin(rs, "proxy_refused");
	rule_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_count(rs, "denied");
	rule_drop(rs);
	rule_begin(rs, "proxy_refused");
	rule_drop(rs);
}

/* What every host on a link must be able to say to its gateway. */
static void pass_housekeeping(struct ruleset *rs)
{
	const uint8_t hops = 255;

	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_in(rs, "icmp6_neighbours", RULE_ICMP_TYPE, RULE_END);
	rule_is(rs, RULE_HOP_LIMIT, &hops, sizeof(hops));
	rule_accept(rs);
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_in(rs, "icmp6_groups", RULE_ICMP_TYPE, RULE_END);
	rule_accept(rs);
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_IGMP);
	rule_accept(rs);
	/* DHCP, also for strangers. */
	rule_begin(rs, "input");
	rule_family(rs, NFPROTO_IPV4);
	rule_protocol(rs, IPPROTO_UDP);
	rule_ports(rs, 68, 67);
	rule_accept(rs);
	rule_begin(rs, "input");
	rule_family(rs, NFPROTO_IPV6);
	rule_protocol(rs, IPPROTO_UDP);
	rule_ports(rs, 546, 547);
	rule_accept(rs);
}

/* Broadcasts and group addresses that nobody here waits for. */
static void pass_by_noise(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_not_to_host(rs);
	rule_goto(rs, "noise");
}

static void add_here(struct ruleset *rs, const struct rules_family *f)
{
	const char *chain = f->here;

	rule_begin(rs, chain);
	rule_protocol(rs, f->icmp);
	rules_not_from_there(rs);
	rule_goto(rs, "denied");
	rule_begin(rs, chain);
	rule_protocol(rs, f->icmp);
	rule_is(rs, RULE_ICMP_TYPE, &f->echo, sizeof(f->echo));
	rule_limit(rs, "echo_limit", ECHO_RATE, 1, ECHO_BURST, RULE_SOURCE_MAC,
		RULE_END);
	rule_accept(rs);
	pass_by_noise(rs, chain);
	rule_begin(rs, chain);
	rules_not_from_there(rs);
	rule_goto(rs, "denied");
	rules_add_dns(rs, chain, f);
	for (int own = 0; own < 2; own++) {
		rules_begin_upgraded(rs, chain, own);
		rule_goto(rs, "denied");
	}
	/* "any" means the world outside, not the gateway. */
	rules_allow_listed(rs, chain, f);
	rule_begin(rs, chain);
	rule_goto(rs, "denied");
}

void ruleset_add_input(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "input";

	for (size_t i = 0; i < RULES_FAMILIES; i++)
		add_here(rs, &rules_families[i]);
	if (rs->reflects)
		rules_show_reflected(rs);
	guard_proxy(rs);
	rule_begin(rs, chain);
	rule_not_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_accept(rs);
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		rule_begin(rs, chain);
		rule_family(rs, rules_families[i].nfproto);
		rule_in(rs, rules_families[i].admins, rules_families[i].from,
			RULE_END);
		rule_accept(rs);
	}
	rules_pass_replies(rs, chain);
	rules_pass_judged(rs, chain, generation);
	rules_drop_blocked(rs, chain);
	rules_leave_probes(rs, chain);
	pass_housekeeping(rs);
	rules_accept_reflected(rs);
	rules_accept_router(rs);
	rule_begin(rs, chain);
	rule_protocol(rs, IPPROTO_TCP);
	rule_in(rs, "proxy_ports", RULE_PORT, RULE_END);
	rule_ct_redirected(rs, true);
	rule_accept(rs);
	rules_go_paced(rs, chain, true);
	rules_go_strangers(rs, chain, true);
	pass_by_noise(rs, chain);
	rule_begin(rs, chain);
	rule_goto(rs, "quarantined");
}
