/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes the saved file. Touches the files of its own names in the
 * given folder only; must never leave a file that is half written under a
 * name that is read.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "modules/isolation/saved_bound.h"

int saved_load(
	int folder, const char *name, uint8_t **ret_bytes, size_t *ret_size)
{
	char *text;
	int r = file_read(folder, name, SAVED_BYTES_MAX, &text, ret_size);

	if (r == 0)
		*ret_bytes = (uint8_t *)text;
	return r;
}

/* A reader that comes between the two renames takes the one before. */
static int put_in_place(int folder, bool keep)
{
	if (keep && renameat(folder, SAVED_FILE, folder, SAVED_BEFORE) < 0)
		return -errno;
	if (renameat(folder, SAVED_NEW, folder, SAVED_FILE) < 0 ||
		fsync(folder) < 0)
		return -errno;
	return 0;
}

int saved_store(int folder, const void *bytes, size_t size)
{
	_cleanup_(cleanup_free) uint8_t *old = NULL;
	size_t old_size = 0;
	bool keep;
	int r = saved_load(folder, SAVED_FILE, &old, &old_size);

	if (r == 0 && old_size == size && !memcmp(old, bytes, size))
		return 0;
	keep = r == 0 && saved_check(old, old_size) == 0;
	r = file_write(folder, SAVED_NEW, bytes, size, 0600);
	if (r == 0)
		r = put_in_place(folder, keep);
	return r < 0 ? r : 1;
}

int saved_remove(int folder)
{
	static const char *const names[] = {
		SAVED_BOUND_FILE, SAVED_NEW, SAVED_BEFORE, SAVED_FILE};
	int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (unlinkat(folder, names[i], 0) == 0)
			found = 1;
		else if (errno != ENOENT)
			return -errno;
	}
	return fsync(folder) < 0 ? -errno : found;
}
