/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several files and flat folders that take the place of others, all or none.
 * The new ones are made beside the old (TARGET.restoring), what was there
 * before stays beside (TARGET.before-restore).
 */
#ifndef GATEHOUSE_CTL_SWAP_H
#define GATEHOUSE_CTL_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/lib/cleanup.h"

#define SWAP_MAX 8

struct swap_item {
	char *target, *fresh, *kept;
	bool folder;
	bool had; /* there was a target */
	bool done;
};

struct swap {
	struct swap_item items[SWAP_MAX];
	size_t n;
};

/*
 * Makes an empty new one, of that owner; fresh NULL: TARGET.restoring. What
 * is left of an earlier attempt goes. -errno; -ENOTEMPTY: it has folders.
 */
_must_check_ int swap_add(struct swap *swap, const char *target,
	const char *fresh, bool folder, mode_t mode, uid_t uid, gid_t gid);
/*
 * Writes a new file, name in the new folder; NULL: the new file itself. As
 * the folder's owner, on the disk when it returns 0. -errno.
 */
_must_check_ int swap_write(struct swap *swap, size_t item, const char *name,
	const void *bytes, size_t size);
/* Puts all in place, or none; -errno. */
_must_check_ int swap_commit(struct swap *swap);
/* Removes what is not in place, for _cleanup_. */
void swap_clear(struct swap *swap);

#endif
