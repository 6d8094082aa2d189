/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gateway must not say or answer where it stands in for devices
 * (standins_plan.h). Touches memory only; must never drop anything of an
 * interface that is not enforced, nor an answer about the gateway's own.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ICMP_IS_REDIRECT 5
#define ICMP6_IS_SOLICITATION 135
#define ICMP6_IS_REDIRECT 137

static void drop_redirect(
	struct ruleset *rs, uint8_t nfproto, uint8_t protocol, uint8_t type)
{
	rule_begin(rs, "output");
	rule_family(rs, nfproto);
	rule_protocol(rs, protocol);
	rule_is(rs, RULE_ICMP_TYPE, &type, sizeof(type));
	rule_in(rs, "enforce_if", RULE_OIF, RULE_END);
	rule_drop(rs);
}

/* That the neighbour is nearer than the gateway is not for devices. */
void ruleset_add_no_redirects(struct ruleset *rs)
{
	drop_redirect(rs, NFPROTO_IPV4, IPPROTO_ICMP, ICMP_IS_REDIRECT);
	drop_redirect(rs, NFPROTO_IPV6, IPPROTO_ICMPV6, ICMP6_IS_REDIRECT);
}

/*
 * Who has no address yet asks whether one is free. The kernel would answer
 * for those it stands in for, and their owners could never take them.
 */
void rules_leave_probes(struct ruleset *rs, const char *chain)
{
	static const uint8_t nobody[16];
	const uint8_t type = ICMP6_IS_SOLICITATION;

	rule_begin(rs, chain);
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_is(rs, RULE_ICMP_TYPE, &type, sizeof(type));
	rule_family(rs, NFPROTO_IPV6);
	rule_is(rs, RULE_IP6_FROM, nobody, sizeof(nobody));
	rule_in(rs, "enforce_if", RULE_IIF, RULE_END);
	rule_not_in(rs, "gateway6", RULE_ND_TARGET, RULE_END);
	rule_drop(rs);
}
