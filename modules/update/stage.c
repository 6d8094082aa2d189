/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the staging folder: its lock, the two copies and the result line.
 * Each file appears whole under its name or not at all, also when the power
 * goes. Follows no link and never writes outside the folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "modules/update/stage.h"

#define FRESH ".new"

int stage_lock(const char *path, int *ret_folder)
{
	_cleanup_(cleanup_close) int folder = open(
		path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (folder < 0 || fstat(folder, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return -EPERM;
	if (flock(folder, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret_folder = steal_fd(&folder);
	return 0;
}

static int copy(int from, int to, uint64_t most)
{
	off_t at = 0;

	for (;;) {
		ssize_t n = sendfile(to, from, &at, 1 << 20);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if ((uint64_t)at > most)
			return -EFBIG;
	}
}

/* Creates the file that will be called name. */
static int create_fresh(int folder, const char *name, char *fresh, size_t size)
{
	int fd;

	snprintf(fresh, size, "%s" FRESH, name);
	unlinkat(folder, fresh, 0);
	fd = openat(folder, fresh,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int put_in_place(int folder, int fd, const char *fresh, const char *name)
{
	if (fsync(fd) < 0 || renameat(folder, fresh, folder, name) < 0 ||
		fsync(folder) < 0)
		return -errno;
	return 0;
}

static int put(int folder, const char *name, int from, uint64_t most)
{
	_cleanup_(cleanup_close) int to = -1;
	char fresh[32];
	int r;

	to = create_fresh(folder, name, fresh, sizeof(fresh));
	if (to < 0)
		return to;
	r = copy(from, to, most);
	if (r == 0)
		r = put_in_place(folder, to, fresh, name);
	if (r < 0)
		unlinkat(folder, fresh, 0);
	return r;
}

int stage_put(int folder, int statement, int package, uint64_t most)
{
	int r = put(folder, STAGE_STATEMENT, statement, most);

	if (r == 0)
		r = put(folder, STAGE_PACKAGE, package, most);
	if (r < 0)
		stage_clear(folder);
	return r;
}

int stage_open(int folder, int *ret_statement, int *ret_package)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_(cleanup_close) int statement = openat(
		folder, STAGE_STATEMENT, flags);
	int package;

	if (statement < 0)
		return -errno;
	package = openat(folder, STAGE_PACKAGE, flags);
	if (package < 0)
		return -errno;
	*ret_statement = steal_fd(&statement);
	*ret_package = package;
	return 0;
}

void stage_clear(int folder)
{
	unlinkat(folder, STAGE_STATEMENT, 0);
	unlinkat(folder, STAGE_PACKAGE, 0);
}

int stage_write_result(int folder, const char *line)
{
	_cleanup_(cleanup_close) int fd = -1;
	char fresh[32];
	int r;

	fd = create_fresh(folder, STAGE_RESULT, fresh, sizeof(fresh));
	if (fd < 0)
		return fd;
	if (dprintf(fd, "%s\n", line) < 0)
		r = -errno;
	else
		r = put_in_place(folder, fd, fresh, STAGE_RESULT);
	if (r < 0)
		unlinkat(folder, fresh, 0);
	return r;
}

int stage_read_result(const char *path, char line[static STAGE_RESULT_MAX])
{
	_cleanup_(cleanup_close) int folder = open(
		path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(cleanup_close) int fd = -1;
	ssize_t n;

	if (folder < 0)
		return -errno;
	fd = openat(folder, STAGE_RESULT,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, line, STAGE_RESULT_MAX - 1);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}
