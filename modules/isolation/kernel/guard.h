/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routing guard in the kernel (guard_rules.h says what it is): sets its
 * rules, sees to it that they stay, and takes them away on purpose only. They
 * outlive the daemon, as the tables do.
 */
#ifndef GATEHOUSE_ISOLATION_GUARD_H
#define GATEHOUSE_ISOLATION_GUARD_H

#include "agent/lib/loop.h"
#include "modules/isolation/guard_rules.h"
#include "modules/isolation/kernel/rtsock.h"

/* Somebody who fights for our rules does not get all of the processor. */
#define GUARD_RESTORES_AT_ONCE 10 /* within ... */
#define GUARD_RESTORE_WINDOW_MS 10000
#define GUARD_RETRY_MS 1000
#define GUARD_LIST_MAX 16384 /* rules of both families that are looked at */

struct guard {
	struct rtsock rtsock;
	struct loop *loop;
	struct watch watch;
	struct timer retry;
	struct guard_rule wanted[GUARD_RULES_MAX];
	size_t n_wanted;
	int error; /* why the wanted rules are not there; 0: they are */
	uint32_t restored;
	int64_t window_ms;
	unsigned in_window;
	/* Our rules were put back. */
	void (*on_restored)(struct guard *guard);
	/* Rules came or went, whosoever they are. May be NULL. */
	void (*on_change)(struct guard *guard);
};

/* Opens the sockets. -errno. */
_must_check_ int guard_open(struct guard *guard);
void guard_close(struct guard *guard);
/* Begins to watch over the rules. */
_must_check_ int guard_start(struct guard *guard, struct loop *loop);
/*
 * Makes the rules those that a sealed policy wants, no more and no less.
 * -errno: some are missing; tried again later.
 */
_must_check_ int guard_apply(struct guard *guard, const struct policy *policy);
/* Takes all of ours away. How many there were, or -errno. */
_must_check_ int guard_remove(struct guard *guard);
/* All rules at this moment, whosoever they are; the caller frees the array. */
_must_check_ int guard_list(
	struct guard *guard, struct guard_rule **ret_rules, size_t *ret_n);

#endif
