/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routing rules through netlink. May add and remove rules with our own number
 * as their maker; must never touch any other, and never remove one of ours
 * before what replaces it is there.
 */
#include "modules/isolation/kernel/guard.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "modules/isolation/kernel/guard_priv.h"
#include "modules/isolation/rules/batch.h"

int guard_open(struct guard *guard)
{
	const int groups[] = {
		RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_NETCONF};

	return rtsock_open(&guard->rtsock, groups, ARRAY_SIZE(groups));
}

void guard_close(struct guard *guard)
{
	rtsock_close(&guard->rtsock);
}

struct rule_list {
	struct guard_rule *rules;
	size_t n, room;
};

static int note(const struct nlmsghdr *m, void *arg)
{
	struct rule_list *list = arg;
	struct guard_rule rule;

	if (guard_rules_parse(m, &rule) < 0 || list->n == GUARD_LIST_MAX)
		return 0;
	if (list->n == list->room) {
		list->room = list->room * 2 + 32;
		list->rules = must_have(realloc(
			list->rules, list->room * sizeof(*list->rules)));
	}
	list->rules[list->n++] = rule;
	return 0;
}

static int list_family(
	struct guard *guard, uint8_t family, struct rule_list *list)
{
	char bytes[256] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct fib_rule_hdr *head;

	m->nlmsg_type = RTM_GETRULE;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->family = family;
	return rtsock_ask(&guard->rtsock, m, note, list);
}

int guard_list(
	struct guard *guard, struct guard_rule **ret_rules, size_t *ret_n)
{
	struct rule_list list = {0};
	int r = list_family(guard, AF_INET, &list);

	if (r == 0)
		r = list_family(guard, AF_INET6, &list);
	/* A kernel without IPv6 has none of its rules. */
	if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP)
		r = list.n ? 0 : r;
	if (r < 0) {
		free(list.rules);
		return r;
	}
	*ret_rules = list.rules;
	*ret_n = list.n;
	return 0;
}

static int change(
	struct guard *guard, const struct guard_rule *rule, uint16_t type)
{
	char bytes[256] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (type == RTM_NEWRULE)
		m->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	guard_rules_build(m, rule);
	return rtsock_ask(&guard->rtsock, m, NULL, NULL);
}

static bool has(
	const struct guard_rule *rules, size_t n, const struct guard_rule *rule)
{
	for (size_t i = 0; i < n; i++)
		if (guard_rules_same(&rules[i], rule))
			return true;
	return false;
}

static int add_missing(struct guard *guard, const struct guard_rule *there,
	size_t n, unsigned *added)
{
	int first = 0;

	for (size_t i = 0; i < guard->n_wanted; i++) {
		const struct guard_rule *rule = &guard->wanted[i];
		int r;

		if (has(there, n, rule))
			continue;
		r = change(guard, rule, RTM_NEWRULE);
		if (r == -EAFNOSUPPORT && rule->family == AF_INET6)
			continue; /* nothing of it is forwarded, either */
		if (r == 0)
			++*added;
		else if (r != -EEXIST && !first)
			first = r;
	}
	return first;
}

static int remove_others(
	struct guard *guard, const struct guard_rule *there, size_t n)
{
	int removed = 0;

	for (size_t i = 0; i < n; i++) {
		int r;

		if (!guard_rules_ours(&there[i]) ||
			has(guard->wanted, guard->n_wanted, &there[i]))
			continue;
		r = change(guard, &there[i], RTM_DELRULE);
		if (r == 0)
			removed++;
		else if (r != -ENOENT)
			return r;
	}
	return removed;
}

static int settle(struct guard *guard, unsigned *added, int *removed)
{
	struct guard_rule *there = NULL;
	size_t n = 0;
	int r = guard_list(guard, &there, &n);

	if (r == 0 && guard->n_wanted)
		r = reverse_set(guard, true);
	if (r == 0)
		r = add_missing(guard, there, n, added);
	if (r == 0)
		*removed = remove_others(guard, there, n);
	free(there);
	return r < 0 ? r : *removed < 0 ? *removed : 0;
}

static int make_equal(struct guard *guard, unsigned *added)
{
	int removed = 0;

	guard->error = settle(guard, added, &removed);
	/* Nobody needs to have rules where none are wanted. */
	if (!guard->n_wanted && guard->error == -EOPNOTSUPP)
		guard->error = 0;
	if (guard->loop && guard->error)
		loop_set_timer(guard->loop, &guard->retry, GUARD_RETRY_MS);
	return guard->error;
}

int guard_apply(struct guard *guard, const struct policy *policy)
{
	unsigned added = 0;

	guard->n_wanted = guard_rules_wanted(policy, guard->wanted);
	return make_equal(guard, &added);
}

int guard_remove(struct guard *guard)
{
	unsigned added = 0;
	int removed = 0, r;

	guard->n_wanted = 0;
	r = settle(guard, &added, &removed);
	if (r == 0 && removed)
		r = reverse_set(guard, false);
	return r < 0 ? r : removed;
}

static bool may_restore(struct guard *guard)
{
	int64_t now = clock_ms();

	if (now - guard->window_ms > GUARD_RESTORE_WINDOW_MS) {
		guard->window_ms = now;
		guard->in_window = 0;
	}
	return guard->in_window < GUARD_RESTORES_AT_ONCE;
}

/* Looking costs little; what is limited is how often they are put back. */
static void restore(struct guard *guard)
{
	unsigned added = 0;

	(void)make_equal(guard, &added);
	if (!added)
		return;
	guard->in_window++;
	guard->restored++;
	guard->on_restored(guard);
}

static void on_event(struct watch *watch, uint32_t events)
{
	struct guard *guard = container_of(watch, struct guard, watch);
	char bytes[8];

	(void)events;
	/* Whatever happened is read from the kernel as a whole. */
	while (recv(watch->fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0 ||
		errno == ENOBUFS)
		;
	if (may_restore(guard))
		restore(guard);
	else if (!guard->retry.slot)
		loop_set_timer(guard->loop, &guard->retry, GUARD_RETRY_MS);
	if (guard->on_change)
		guard->on_change(guard);
}

static void on_retry(struct timer *timer)
{
	restore(container_of(timer, struct guard, retry));
}

int guard_start(struct guard *guard, struct loop *loop)
{
	guard->loop = loop;
	guard->watch.ready = on_event;
	guard->retry.fired = on_retry;
	return loop_add_watch(
		loop, &guard->watch, guard->rtsock.events, EPOLLIN);
}
