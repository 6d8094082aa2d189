/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routing guard's rules. What comes in by an interface of a zone that
 * enforces, without the mark that our tables put on it, has no way to
 * anywhere:
 *
 *	90: from all fwmark 0/0x800000 iif br0 unreachable
 *
 * So nothing of a device is forwarded while our tables are gone. Whatever has
 * the mark goes on to everybody else's rules as ever; what is for the gateway
 * itself was found by the kernel's first rule. Rules of others with a lower
 * number are asked before ours: who routes devices' packets there is not
 * guarded, so the number is low.
 *
 * Pure: rules as the policy wants them and as the kernel tells them.
 */
#ifndef GATEHOUSE_ISOLATION_GUARD_RULES_H
#define GATEHOUSE_ISOLATION_GUARD_RULES_H

#include "modules/isolation/policy.h"

/* Who made a rule: a number of ours, beside those of iproute2. */
#define GUARD_PROTOCOL 103
#define GUARD_RULES_MAX (ISOLATION_ZONES_MAX * 2) /* both families */

struct nlmsghdr;

/* A rule of the kernel's, as far as it concerns us. */
struct guard_rule {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t action; /* FR_ACT_... */
	uint8_t protocol; /* who made it; 0 = unknown */
	bool other; /* says more than is written here */
	uint32_t priority;
	uint32_t mark, mask; /* mask 0: any mark */
	uint32_t table;
	char interface[16]; /* where it comes in; empty = anywhere */
};

/* One rule out of the kernel's list. -EBADMSG. */
_must_check_ int guard_rules_parse(
	const struct nlmsghdr *message, struct guard_rule *ret_rule);
/* Fills m, which has 256 bytes of room, for NEWRULE or DELRULE. */
void guard_rules_build(struct nlmsghdr *m, const struct guard_rule *rule);
/* What a sealed policy wants: none where nothing is enforced. How many. */
size_t guard_rules_wanted(const struct policy *policy,
	struct guard_rule ret_rules[static GUARD_RULES_MAX]);
/* Made by us, now or by a version before. */
bool guard_rules_ours(const struct guard_rule *rule);
bool guard_rules_same(const struct guard_rule *a, const struct guard_rule *b);

#endif
