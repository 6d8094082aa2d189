/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the rules in the kernel equal to the policy: loads them, changes
 * single devices in them, reads back what it loaded, carries what was counted
 * over, and puts them back when somebody else took them away.
 */
#ifndef GATEHOUSE_ISOLATION_ENGINE_H
#define GATEHOUSE_ISOLATION_ENGINE_H

#include "agent/lib/loop.h"
#include "modules/isolation/kernel/nft.h"
#include "modules/isolation/learned.h"

/* Somebody who fights for our tables does not get all of the processor. */
#define ENGINE_RESTORES_AT_ONCE 10 /* within ... */
#define ENGINE_RESTORE_WINDOW_MS 10000
#define ENGINE_RETRY_MS 1000

struct engine {
	struct loop *loop;
	struct nft nft;
	int monitor; /* hears of changes to nftables */
	struct watch watch;
	struct timer retry;
	struct policy policy; /* in force */
	struct topology topology; /* in force */
	struct ruleset_carry carry;
	/* Whose addresses were, for the first load if no tables are there. */
	struct isolation_bound *known;
	size_t n_known;
	bool in_force;
	uint8_t generation; /* of the marks; grows with each whole policy */
	struct ruleset_kernel kernel;
	/* The sets in force, and how much is in them. */
	struct ruleset_set sets[RULESET_SETS_MAX];
	size_t n_sets;
	/* Whom the last change was about; not if all were loaded anew. */
	struct mac *touched;
	size_t n_touched;
	int64_t again_until_ms; /* somebody is judged again */
	struct learned learned;
	/* What the flowtable in force looks at (engine_offload.h). */
	struct topology_hook hooked[TOPOLOGY_HOOKS_MAX];
	size_t n_hooked;
	uint32_t restored;
	char by[ISOLATION_BY]; /* who made that necessary last */
	bool meddled; /* the transaction that is being told does */
	bool others; /* rules that are not ours have changed */
	int64_t window_ms;
	unsigned in_window;
	/* The tables were put back. */
	void (*on_restored)(struct engine *engine);
	/* Rules, chains or tables of others came or went. May be NULL. */
	void (*on_others)(struct engine *engine);
};

/* Opens the sockets. -errno. */
_must_check_ int engine_open(struct engine *engine);
/* Starts to listen for other people's changes. */
_must_check_ int engine_start(struct engine *engine, struct loop *loop);
/* Can it be put in force? Changes nothing. */
_must_check_ int engine_check(const struct engine *engine,
	const struct policy *policy, char *ret_reason);
/*
 * Replaces policy and topology, which it takes over if it succeeds. On error
 * everything is as before. If only single devices differ, the rest is not
 * touched and the generation stays.
 */
_must_check_ int engine_apply(struct engine *engine, struct policy *policy,
	struct topology *topology, char *ret_reason);
/* The same policy on other bridge ports; takes topology over. */
void engine_move(struct engine *engine, struct topology *topology);
/* Loads what is in force anew; tries again later if that fails. */
int engine_reload(struct engine *engine);
/* One of known; -EINVAL for one that no agent sends, -ENOSPC. */
_must_check_ int engine_know_bound(
	struct engine *engine, const struct isolation_bound *bound);
/* Makes what is known, and fits, whose addresses are. */
void engine_restore_bound(struct engine *engine, const struct policy *policy,
	const struct topology *topology);
void engine_forget_known(struct engine *engine);
/* Reads what was counted into engine->carry. */
int engine_count(struct engine *engine);
/* Only whose addresses are. -errno; then as it was. */
_must_check_ int engine_read_bound(struct engine *engine);

#endif
