/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and replaces that one file; must never go on with a damaged one. */
#include "agent/ctl/forgotten_file.h"

#include <errno.h>
#include <sys/random.h>

#include "agent/lib/file.h"

static int load(int folder, struct forgotten *forgotten)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size;
	int r = file_read(
		folder, FORGOTTEN_FILE, FORGOTTEN_BYTES_MAX, &text, &size);

	if (r == 0)
		return forgotten_read(text, forgotten);
	if (r != -ENOENT)
		return r;
	forgotten->n = 0;
	return getrandom(forgotten->key, sizeof(forgotten->key), 0) ==
			       (ssize_t)sizeof(forgotten->key)
		       ? 0
		       : -EIO;
}

int forgotten_load(const char *state, struct forgotten *ret_forgotten)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(state);

	return folder < 0 ? folder : load(folder, ret_forgotten);
}

int forgotten_note(const char *state, const struct mac *mac, int64_t now)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(state);
	_cleanup_(cleanup_free) char *text = NULL;
	static struct forgotten forgotten;
	size_t size;
	int r = folder < 0 ? folder : load(folder, &forgotten);

	if (r < 0)
		return r;
	forgotten_add(&forgotten, mac, now);
	r = forgotten_write(&forgotten, &text, &size);
	if (r < 0)
		return r;
	return file_replace(folder, FORGOTTEN_FILE, text, size, 0600);
}
