/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of changes: lines are added and never changed; each has a hash over
 * itself and the hash before. That finds what was changed by accident or by
 * hand later; whoever can write the file can also make a new chain.
 */
#ifndef GATEHOUSE_REGISTRY_JOURNAL_H
#define GATEHOUSE_REGISTRY_JOURNAL_H

#include "modules/registry/store.h"

/* What can happen; their names are for good. */
enum journal_event {
	JOURNAL_DEVICE_NEW,
	JOURNAL_DEVICE_APPROVED,
	JOURNAL_DEVICE_QUARANTINED,
	JOURNAL_DEVICE_BLOCKED,
	JOURNAL_DEVICE_RENAMED,
	JOURNAL_DEVICE_PROFILE,
	JOURNAL_DEVICE_FORGOTTEN,
	JOURNAL_DEVICE_PAUSED,
	JOURNAL_DEVICE_RESUMED,
	JOURNAL_DEVICE_EXPIRED,
	JOURNAL_REGISTRY_REBUILT,
};

/* "device.new" */
const char *journal_event_name(enum journal_event event);
/*
 * Adds a line; it joins the batch. device is an id, 0: all of them or none.
 * detail must not name anybody. -errno.
 */
_must_check_ int journal_add(struct store *store, int64_t now,
	enum journal_event event, int64_t device, const char *actor,
	const char *detail);
/*
 * Follows the chain and readies it for more. *ret_bad: the first line that
 * does not fit, 0: all do. -errno.
 */
_must_check_ int journal_open(struct store *store, int64_t *ret_bad);

#endif
