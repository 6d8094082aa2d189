/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that build the ruleset share. Not for others. */
#ifndef GATEHOUSE_ISOLATION_RULESET_PARTS_H
#define GATEHOUSE_ISOLATION_RULESET_PARTS_H

#include "modules/isolation/rules/rule.h"
#include "modules/isolation/rules/set.h"

/* Sets of the current table, filled from the policy. */
_must_check_ int ruleset_add_inet_sets(struct ruleset *rs,
	const struct ruleset_input *input, char *ret_reason);
void ruleset_add_bridge_sets(
	struct ruleset *rs, const struct ruleset_input *input);

/* ARP where no bridge is: the whole table. */
void ruleset_add_arp_sets(struct ruleset *rs, const struct topology *topology);
void ruleset_add_arp_rules(struct ruleset *rs);

/* Interfaces of devices zones that are (no) bridges. */
void rules_add_zones_if(
	struct ruleset *rs, const struct topology *topology, bool bridges);

/* Parts of the inet table's sets: what is allowed, what is counted. */
_must_check_ int ruleset_add_allow_sets(
	struct ruleset *rs, const struct policy *policy, char *ret_reason);
void ruleset_add_count_sets(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry);

/* What comes from outside. */
_must_check_ int ruleset_add_outside_sets(struct ruleset *rs,
	const struct ruleset_input *input, char *ret_reason);
void rules_pass_published(struct ruleset *rs, const char *chain);
/* What published ports answer, also right after a reload. */
void rules_pass_answers(struct ruleset *rs, const char *chain);
void rules_drop_unpublished(struct ruleset *rs, const char *chain);
/* The chain of what comes from no devices zone. */
void ruleset_add_elsewhere(struct ruleset *rs);

struct rules_family;

/* Strangers, in zones that do not keep them in quarantine. */
_must_check_ int ruleset_add_stranger_sets(
	struct ruleset *rs, const struct policy *policy, char *ret_reason);
/* At the end of the chains that judge what goes through. */
void rules_go_guests(
	struct ruleset *rs, const char *chain, const struct rules_family *f);
void rules_go_strangers(struct ruleset *rs, const char *chain, bool here);
/* Where the gateway stands in for devices (ruleset_standins.c). */
void ruleset_add_no_redirects(struct ruleset *rs);
void rules_leave_probes(struct ruleset *rs, const char *chain);
/* At the beginning of what strangers may say to the gateway. */
void rules_drop_blocked(struct ruleset *rs, const char *chain);
void ruleset_add_strangers(struct ruleset *rs, bool count_connections);

struct boxes;
/* What a line means, cut apart from what is in there. */
_must_check_ int rules_add_allow_boxes(
	struct boxes *boxes, const struct isolation_allow *allow, size_t most);

/* Who may what towards others inside and towards the gateway. */
_must_check_ int ruleset_add_zone_sets(
	struct ruleset *rs, const struct policy *policy, char *ret_reason);
/* The chains "between", for what goes from a device to a device, */
void ruleset_add_between(struct ruleset *rs, uint8_t generation);
/* and "to_gateway", for what was not judged yet. */
void ruleset_add_gate(struct ruleset *rs);

/* Addresses that names led to. */
void ruleset_add_learned_sets(
	struct ruleset *rs, const struct ruleset_input *input);
struct rules_family;
void rules_allow_learned(
	struct ruleset *rs, const char *chain, const struct rules_family *f);

/* Rules of the current table; the chains are there already. */
void ruleset_add_inet_rules(
	struct ruleset *rs, const struct ruleset_input *input);
void ruleset_add_bridge_rules(struct ruleset *rs, bool names_bridges);

/* What is shown of what is denied. */
void ruleset_add_log_sets(struct ruleset *rs);
void rules_add_log(struct ruleset *rs, const char *chain);

/* What discovery hears and says again. */
void ruleset_add_reflect_sets(struct ruleset *rs, const struct policy *policy);
void rules_show_reflected(struct ruleset *rs);
void rules_accept_reflected(struct ruleset *rs);
void ruleset_add_reflect_fence(struct ruleset *rs);

/* Who may tell of routes; rules_judge_router() fills the chain routers. */
void ruleset_add_router_sets(struct ruleset *rs, const struct policy *policy);
void rules_judge_router(struct ruleset *rs);
void rules_accept_router(struct ruleset *rs);

/* Our workers' fence. */
void ruleset_add_fence_sets(struct ruleset *rs, const struct policy *policy);
void ruleset_add_fence(struct ruleset *rs);

/* The short way: first in prerouting, reverse and forward. */
void rules_pass_settled(struct ruleset *rs, uint8_t generation);
void rules_leave_settled(
	struct ruleset *rs, const char *chain, uint8_t generation);
void rules_unsettle(struct ruleset *rs, const char *chain, uint8_t generation);
void rules_forward_settled(struct ruleset *rs, uint8_t generation);
/* In the chain of what devices send: which connections go on so. */
void rules_settle(struct ruleset *rs, const char *chain, uint8_t generation);

/* Parts of the inet table's rules: what goes through. */
void ruleset_add_forward(struct ruleset *rs, uint8_t generation);
/* What the kernel may forward by itself (ruleset_flowtable.c). */
void ruleset_add_flowtable(struct ruleset *rs);
/* In forward, ends a rule for later packets of what a device was allowed. */
void rules_pass_on(struct ruleset *rs);
void ruleset_add_offload(struct ruleset *rs);
/* For the gateway itself, what follows. */
void ruleset_add_input(struct ruleset *rs, uint8_t generation);
void ruleset_add_verdicts(struct ruleset *rs);

/* How much devices may. */
void ruleset_add_limit_sets(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry);
void ruleset_add_limit_rules(struct ruleset *rs, bool count_connections);

/* And how many bytes: for both tables. */
void ruleset_add_bandwidth_sets(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry);
void ruleset_add_bandwidth_rules(struct ruleset *rs);
void rules_measure_sent(struct ruleset *rs, const char *chain);
/* What devices receive behind interfaces that are no bridges. */
void ruleset_add_received_sets(struct ruleset *rs, const struct policy *policy);
void ruleset_add_received_rules(struct ruleset *rs);
/* Counters of devices over a limit, with what was counted before. */
void rules_add_over_set(struct ruleset *rs, enum ruleset_over which,
	const struct ruleset_carry *carry);

/* Who claims to be somebody else: for both tables. */
void ruleset_add_spoof_sets(
	struct ruleset *rs, const struct ruleset_input *input);
void ruleset_add_spoof_rules(struct ruleset *rs, bool names_bridges);

/* Whose an address is: for both tables; ports of MACs: for bridges. */
void ruleset_add_bind_sets(
	struct ruleset *rs, const struct ruleset_input *input);

/* Where an address stands and by which sets it is judged. */
struct rules_claim {
	enum rule_field field;
	bool six;
	const char *chain; /* that judges it */
	const char *caught; /* chains for what is found ... */
	const char *unbound; /* ... and for what cannot be bound */
	const char *settled; /* ... and for what is right */
	const char *gateway, *pins, *pinned, *macs; /* sets */
	const char *bound, *holders;
	const char *live; /* also the chain that adds to it; NULL: not kept */
};
/* Comes last in the chain of an address: it is the sender's, or caught. */
void ruleset_add_bound(struct ruleset *rs, const struct rules_claim *claim);
/* Who is judged already: the rules of prerouting of bridges. */
void ruleset_add_live(struct ruleset *rs);
/* A MAC is at one port at a time. */
void ruleset_add_seats(struct ruleset *rs);
/* What DHCP servers give. */
void ruleset_add_acks(struct ruleset *rs);
/* A rule that matches frames or packets of this kind only. */
void rules_begin_type(struct ruleset *rs, const char *chain, uint16_t type);
/* Lists in a set while there is room, and counts in any case. */
void rules_add_caught(struct ruleset *rs, const char *chain, const char *set,
	enum rule_field first, enum rule_field second);

/* The two families, so that both get the same rules. */
struct rules_family {
	uint8_t nfproto, icmp, echo;
	enum rule_field from, to;
	const char *through, *here; /* chains of known devices */
	const char *name_servers, *admins, *allow, *wide, *attempts, *dialled;
	const char *learned;
};
#define RULES_FAMILIES 2
extern const struct rules_family rules_families[RULES_FAMILIES];

/* Later packets of what this generation allowed. */
void rules_pass_judged(
	struct ruleset *rs, const char *chain, uint8_t generation);
void rules_pass_replies(struct ruleset *rs, const char *chain);
/* Known devices on to their family's chain, at the rate they may have. */
void rules_go_paced(struct ruleset *rs, const char *chain, bool here);
/* Port 53 leads to the name servers and nowhere else. */
void rules_add_dns(
	struct ruleset *rs, const char *chain, const struct rules_family *f);
void rules_allow_listed(
	struct ruleset *rs, const char *chain, const struct rules_family *f);
/*
 * Matches a source address that is not behind where the packet came in.
 * What answers it would send a device's bytes to whomever the device names.
 */
void rules_not_from_there(struct ruleset *rs);
/*
 * Begins a rule for ports that are for TLS only: matches if the device has
 * this one so, by its own mode or by its zone's.
 */
void rules_begin_upgraded(struct ruleset *rs, const char *chain, bool own);

#endif
