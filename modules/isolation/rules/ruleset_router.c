/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that may tell of routes, as a Thread border router does: their
 * router advertisements are no claim to be the router as long as their
 * lifetime says that they are none. Touches memory only; must never let
 * anybody become a default router.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ICMP6_IS_ROUTER 134
#define HOPS_OF_THE_LINK 255

void ruleset_add_router_sets(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "routers",
		.key_type = NFT_TYPE_ETHER,
		.key_length = sizeof(struct mac)};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->routers.n);
	policy_each(struct isolation_router, r, &policy->routers)
		set_put(&filler, &r->mac);
	set_end(&filler);
}

/* The lifetime as a router stands six bytes behind the type. */
static void match_routes_only(struct ruleset *rs)
{
	const uint16_t none = 0;
	const uint8_t hops = HOPS_OF_THE_LINK;

	rule_is(rs, RULE_RA_LIFETIME, &none, sizeof(none));
	rule_is(rs, RULE_HOP_LIMIT, &hops, sizeof(hops));
	rule_in(rs, "routers", RULE_SOURCE_MAC, RULE_END);
}

void rules_judge_router(struct ruleset *rs)
{
	rule_begin(rs, "routers");
	match_routes_only(rs);
	rule_return(rs);
	rule_begin(rs, "routers");
	rule_goto(rs, "caught_kind");
}

void rules_accept_router(struct ruleset *rs)
{
	const uint8_t type = ICMP6_IS_ROUTER;

	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_is(rs, RULE_ICMP_TYPE, &type, sizeof(type));
	match_routes_only(rs);
	rule_accept(rs);
}
