/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routing rules to and from netlink's words. Touches memory only; must never
 * take a rule for ours that says more than ours do.
 */
#include "modules/isolation/guard_rules.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

static void read_name(const struct nlattr *a, char *name)
{
	size_t length = mnl_attr_get_payload_len(a);

	if (length > 16)
		length = 16;
	memcpy(name, mnl_attr_get_payload(a), length);
	name[15] = 0;
}

static uint32_t read_u32(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) == 4 ? mnl_attr_get_u32(a) : 0;
}

static void read_attribute(
	const struct nlattr *a, struct guard_rule *rule, bool *marked)
{
	switch (mnl_attr_get_type(a)) {
	case FRA_PRIORITY:
		rule->priority = read_u32(a);
		break;
	case FRA_FWMARK:
		rule->mark = read_u32(a);
		*marked = true;
		break;
	case FRA_FWMASK:
		rule->mask = read_u32(a);
		*marked = true;
		break;
	case FRA_TABLE:
		rule->table = read_u32(a);
		break;
	case FRA_IIFNAME:
		read_name(a, rule->interface);
		break;
	case FRA_PROTOCOL:
		if (mnl_attr_get_payload_len(a) == 1)
			rule->protocol = mnl_attr_get_u8(a);
		break;
	case FRA_SUPPRESS_PREFIXLEN:
	case FRA_SUPPRESS_IFGROUP:
		/* The kernel says these of every rule; -1 is "not at all". */
		rule->other |= read_u32(a) != UINT32_MAX;
		break;
	default:
		rule->other = true;
	}
}

int guard_rules_parse(
	const struct nlmsghdr *message, struct guard_rule *ret_rule)
{
	const struct fib_rule_hdr *head = mnl_nlmsg_get_payload(message);
	struct guard_rule rule = {0};
	const struct nlattr *a;
	bool marked = false;

	if (message->nlmsg_type != RTM_NEWRULE ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*head) ||
		(head->family != AF_INET && head->family != AF_INET6))
		return -EBADMSG;
	rule.family = head->family;
	rule.action = head->action;
	rule.table = head->table;
	rule.other = head->src_len || head->dst_len || head->tos ||
		     head->flags & FIB_RULE_INVERT;
	mnl_attr_for_each(a, message, sizeof(*head))
	{
		read_attribute(a, &rule, &marked);
	}
	if (marked && rule.mark && !rule.mask)
		rule.mask = UINT32_MAX;
	*ret_rule = rule;
	return 0;
}

void guard_rules_build(struct nlmsghdr *m, const struct guard_rule *rule)
{
	struct fib_rule_hdr *head = mnl_nlmsg_put_extra_header(
		m, sizeof(*head));

	head->family = rule->family;
	head->action = rule->action;
	mnl_attr_put_u32(m, FRA_PRIORITY, rule->priority);
	mnl_attr_put_strz(m, FRA_IIFNAME, rule->interface);
	mnl_attr_put_u32(m, FRA_FWMARK, rule->mark);
	mnl_attr_put_u32(m, FRA_FWMASK, rule->mask);
	mnl_attr_put_u8(m, FRA_PROTOCOL, rule->protocol);
}

/* Where a device that is enforced by itself turns up is not known before. */
static bool any_device_enforced(const struct policy *policy)
{
	policy_each(struct isolation_device, d, &policy->devices)
		if (d->mode == RECORD_MODE_ENFORCE)
			return true;
	return false;
}

size_t guard_rules_wanted(const struct policy *policy,
	struct guard_rule ret_rules[static GUARD_RULES_MAX])
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	bool everywhere = any_device_enforced(policy);
	size_t n = 0;

	policy_each(struct isolation_zone, z, &policy->zones) {
		if (z->role != ISOLATION_ROLE_DEVICES ||
			(z->mode != RECORD_MODE_ENFORCE && !everywhere))
			continue;
		for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
			struct guard_rule *rule = &ret_rules[n++];

			memset(rule, 0, sizeof(*rule));
			rule->family = families[f];
			rule->action = FR_ACT_UNREACHABLE;
			rule->protocol = GUARD_PROTOCOL;
			rule->priority = policy->marks.priority;
			rule->mask = policy->marks.packet;
			memcpy(rule->interface, z->interface,
				sizeof(rule->interface));
		}
	}
	return n;
}

bool guard_rules_ours(const struct guard_rule *rule)
{
	return rule->protocol == GUARD_PROTOCOL && !rule->other &&
	       rule->action == FR_ACT_UNREACHABLE && !rule->mark &&
	       rule->mask && rule->interface[0];
}

bool guard_rules_same(const struct guard_rule *a, const struct guard_rule *b)
{
	return a->family == b->family && a->action == b->action &&
	       a->protocol == b->protocol && a->other == b->other &&
	       a->priority == b->priority && a->mark == b->mark &&
	       a->mask == b->mask && !strcmp(a->interface, b->interface);
}
