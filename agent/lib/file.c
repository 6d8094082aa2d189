/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes beside, then renames. Touches the named files of the given folder
 * only; must never follow a link there, nor believe a file that somebody
 * else could have written.
 */
#include "agent/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_NEW 128
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

int file_open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int file_write_all(int fd, const void *bytes, size_t size)
{
	const char *rest = bytes;

	while (size) {
		ssize_t n = write(fd, rest, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		rest += n;
		size -= (size_t)n;
	}
	return 0;
}

int file_sync_name(const char *path)
{
	_cleanup_(cleanup_free) char *copy = strdup(path);
	_cleanup_(cleanup_close) int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = file_open_folder(dirname(copy));
	if (fd < 0)
		return fd;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_write(int folder, const char *name, const void *bytes, size_t size,
	mode_t mode)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r;

	if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(folder, name,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = file_write_all(fd, bytes, size);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder, name, 0);
	return r;
}

int file_replace(int folder, const char *name, const void *bytes, size_t size,
	mode_t mode)
{
	char fresh[NAME_MAX_NEW];
	int r;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", name) >=
		sizeof(fresh))
		return -ENAMETOOLONG;
	r = file_write(folder, fresh, bytes, size, mode);
	if (r < 0)
		return r;
	if (renameat(folder, fresh, folder, name) < 0) {
		r = -errno;
		(void)unlinkat(folder, fresh, 0);
		return r;
	}
	return fsync(folder) < 0 ? -errno : 0;
}

static int read_all(int fd, char *bytes, size_t size)
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

int file_read(int folder, const char *name, size_t most, char **ret_text,
	size_t *ret_size)
{
	_cleanup_(cleanup_close) int fd = openat(
		folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	char *text;
	int r;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
		(info.st_mode & 022))
		return -EPERM;
	if ((size_t)info.st_size > most)
		return -EFBIG;
	text = malloc((size_t)info.st_size + 1);
	if (!text)
		return -ENOMEM;
	r = read_all(fd, text, (size_t)info.st_size);
	if (r < 0) {
		free(text);
		return r;
	}
	text[info.st_size] = 0;
	*ret_text = text;
	*ret_size = (size_t)info.st_size;
	return 0;
}

bool file_next_line(const char **text, const char *end, char *line, size_t size)
{
	const char *stop = memchr(*text, '\n', (size_t)(end - *text));
	size_t length = stop ? (size_t)(stop - *text) : 0;

	if (!stop || length >= size || memchr(*text, 0, length))
		return false;
	memcpy(line, *text, length);
	line[length] = 0;
	*text = stop + 1;
	return true;
}

int file_read_boot(char ret_boot[static FILE_BOOT])
{
	_cleanup_(cleanup_close) int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret_boot, FILE_BOOT - 1);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -EIO;
	ret_boot[n] = 0;
	ret_boot[strcspn(ret_boot, "\n")] = 0;
	return 0;
}

int file_remove(int folder, const char *name)
{
	if (unlinkat(folder, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(folder) < 0 ? -errno : 0;
}
