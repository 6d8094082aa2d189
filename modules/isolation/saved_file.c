/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes the saved file. Touches the files of its own names in the
 * given folder only; must never leave a file that is half written under a
 * name that is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/isolation/saved.h"

static int read_all(int fd, uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, bytes + at, size - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += (size_t)n;
	}
	return 0;
}

int saved_load(
	int folder, const char *name, uint8_t **ret_bytes, size_t *ret_size)
{
	_cleanup_(cleanup_close) int fd = openat(
		folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t *bytes;
	struct stat info;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
		(info.st_mode & 022))
		return -EPERM;
	if (info.st_size > SAVED_BYTES_MAX)
		return -EFBIG;
	bytes = malloc((size_t)info.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	r = read_all(fd, bytes, (size_t)info.st_size);
	if (r < 0) {
		free(bytes);
		return r;
	}
	*ret_bytes = bytes;
	*ret_size = (size_t)info.st_size;
	return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = write(fd, bytes + at, size - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n < 0 ? 0 : (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_new(int folder, const void *bytes, size_t size)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r;

	if (unlinkat(folder, SAVED_NEW, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(folder, SAVED_NEW,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, size);
	if (r < 0)
		(void)unlinkat(folder, SAVED_NEW, 0);
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
	r = write_new(folder, bytes, size);
	if (r == 0)
		r = put_in_place(folder, keep);
	return r < 0 ? r : 1;
}

int saved_remove(int folder)
{
	static const char *const names[] = {
		SAVED_NEW, SAVED_BEFORE, SAVED_FILE};
	int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (unlinkat(folder, names[i], 0) == 0)
			found = 1;
		else if (errno != ENOENT)
			return -errno;
	}
	return fsync(folder) < 0 ? -errno : found;
}
