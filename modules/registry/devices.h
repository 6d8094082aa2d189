/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that were seen: who stays when there are too many, and when. */
#ifndef GATEHOUSE_REGISTRY_DEVICES_H
#define GATEHOUSE_REGISTRY_DEVICES_H

#include "agent/lib/net.h"
#include "modules/registry/registry_proto.h"
#include "modules/registry/store.h"

#define DEVICES_SEEN_S 900 /* last_seen is written this often at most */
#define DEVICES_LONG_S 86400 /* known for so long: no flood pushes it out */
#define DEVICES_OLD_S (30 * 86400) /* a stranger not seen for so long may go */

#define DEVICES_PSEUDONYM 8 /* bytes, by chance; the log's name of a device */

/* How much a device means, in the column kept. */
enum devices_kept {
	DEVICES_KEPT_NEW = 0,
	DEVICES_KEPT_LONG = 1,
	DEVICES_KEPT_DECIDED = 2,
};

/* New strangers are taken on at a pace; in whole ones. */
struct devices_pace {
	int64_t left, since; /* seconds; since 0: nothing was taken yet */
};

struct devices_row {
	int64_t id;
	struct mac mac;
	int64_t first_seen, last_seen;
	uint8_t kept;
	char name[RECORD_NAME];
};

/* -ENOENT: nobody knows it. */
_must_check_ int devices_find(struct store *store, const struct mac *mac,
	struct devices_row *ret_row);
/*
 * It is there now. *ret_fresh: it was not known. -ENOSPC: a stranger that is
 * one too many, and is not remembered.
 */
_must_check_ int devices_saw(struct store *store, struct devices_pace *pace,
	const struct registry_seen *seen, int64_t now,
	struct devices_row *ret_row, bool *ret_fresh);
/* For a decision: the device, made if nobody has seen it. -ENOSPC. */
_must_check_ int devices_get(struct store *store, const struct mac *mac,
	int64_t now, struct devices_row *ret_row);
/* -EEXIST: another device has that name. */
_must_check_ int devices_rename(
	struct store *store, int64_t device, const char *name);
/* Works out again how much it means. */
_must_check_ int devices_weigh(
	struct store *store, int64_t device, int64_t now);
/* All that is known of it. */
_must_check_ int devices_forget(struct store *store, int64_t device);

#endif
