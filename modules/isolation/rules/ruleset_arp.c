/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARP on interfaces that are no bridge, which neither of the other tables
 * sees: it gets the mark that the routing guard asks for, so that the gateway
 * may stand in for devices there (standins_plan.h). Touches memory only; must
 * never drop anything.
 */
#include "modules/isolation/rules/ruleset_parts.h"

void ruleset_add_arp_sets(struct ruleset *rs, const struct topology *topology)
{
	rules_add_zones_if(rs, topology, false);
}

/* Gone with a flush, it leaves proxy ARP without a way, and silent. */
void ruleset_add_arp_rules(struct ruleset *rs)
{
	rule_begin(rs, "input");
	rule_in(rs, "routed_if", RULE_IIF, RULE_END);
	rule_mark(rs);
	rule_end(rs);
}
