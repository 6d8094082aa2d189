/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decisions of the owner: what was decided about a device, for how long, and
 * what was before. Each is a change of the database and a line of its log.
 */
#ifndef GATEHOUSE_REGISTRY_DECISIONS_H
#define GATEHOUSE_REGISTRY_DECISIONS_H

#include "modules/registry/registry_proto.h"
#include "modules/registry/store.h"

/* What ends by itself. */
enum decisions_kind {
	DECISIONS_KIND_VERDICT = 1,
	DECISIONS_KIND_PAUSE = 2,
};

/* Time runs on a clock that nobody sets; now_ms is of clock_ms(). */
struct decisions_timed {
	int64_t device; /* 0: all */
	enum decisions_kind kind;
	int64_t due_ms;
};

struct decisions {
	struct store *store;
	struct decisions_timed timed[REGISTRY_TIMED_MAX];
	size_t n_timed;
};

/*
 * Reads what ends by itself: time during which nobody was running counts as
 * far as the clock can tell, and a clock that is behind gives nothing back.
 */
_must_check_ int decisions_open(struct decisions *decisions,
	struct store *store, int64_t now, int64_t now_ms);
/*
 * Decides, and is on the disk when it returns 0. -EEXIST: another device has
 * that name; -ENOENT: nobody decided about it (PROFILE), or nobody knows it
 * (FORGET); -ENOSPC: too many; -EINVAL; after -errno nothing has changed.
 */
_must_check_ int decisions_take(struct decisions *decisions,
	const struct registry_decide *decide, int64_t now, int64_t now_ms);
/* All about a device as it is told; -errno. mac zero: all devices. */
_must_check_ int decisions_read(struct decisions *decisions,
	const struct mac *mac, int64_t now_ms,
	struct registry_device *ret_told);
/* Each device about which there is something to tell. -errno. */
_must_check_ int decisions_each(struct decisions *decisions, int64_t now_ms,
	void (*tell)(void *arg, const struct registry_device *device),
	void *arg);
/*
 * Ends one that is due, on the disk; *ret_mac: whose (zero: all). 1: one has
 * ended; 0: none is due; -errno.
 */
_must_check_ int decisions_expire(struct decisions *decisions, int64_t now,
	int64_t now_ms, struct mac *ret_mac);
/* Milliseconds until the next ends; -1: none does. */
int64_t decisions_next_ms(const struct decisions *decisions, int64_t now_ms);
/* Writes down how much time is left of each. Joins the batch. -errno. */
_must_check_ int decisions_note(
	struct decisions *decisions, int64_t now, int64_t now_ms);

#endif
