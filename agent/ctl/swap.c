/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exchanges names, which the file system does at once for each, and takes
 * back those that were exchanged if one fails. Follows no link: a link at a
 * target's place is exchanged itself. Touches targets and their neighbours of
 * the two endings only.
 */
#include "agent/ctl/swap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/file.h"

#define FRESH ".restoring"
#define KEPT ".before-restore"

static int remove_entries(DIR *folder)
{
	const struct dirent *entry;

	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			return errno == EISDIR ? -ENOTEMPTY : -errno;
	}
	return 0;
}

/* A file, a link or a folder without folders. 0 also when it is not there. */
static int remove_flat(const char *path)
{
	DIR *folder;
	int fd, r;

	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	r = remove_entries(folder);
	closedir(folder);
	return r == 0 && rmdir(path) < 0 ? -errno : r;
}

static int sync_path(const char *path, bool folder)
{
	_cleanup_(cleanup_close) int fd = open(path,
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (folder ? O_DIRECTORY : 0));

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int make_fresh(
	const struct swap_item *item, mode_t mode, uid_t uid, gid_t gid)
{
	_cleanup_(cleanup_close) int fd = -1;

	if (item->folder) {
		if (mkdir(item->fresh, 0700) < 0)
			return -errno;
		fd = open(item->fresh,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	} else {
		fd = open(item->fresh,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	}
	if (fd < 0 || fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		return -errno;
	return 0;
}

int swap_add(struct swap *swap, const char *target, const char *fresh,
	bool folder, mode_t mode, uid_t uid, gid_t gid)
{
	struct swap_item *item = &swap->items[swap->n];
	int r;

	if (swap->n == SWAP_MAX)
		return -ENOSPC;
	*item = (struct swap_item){.folder = folder, .target = strdup(target)};
	swap->n++; /* from now on swap_clear() knows it */
	if (!item->target || asprintf(&item->kept, "%s" KEPT, target) < 0)
		return -ENOMEM;
	if (fresh)
		item->fresh = strdup(fresh);
	else if (asprintf(&item->fresh, "%s" FRESH, target) < 0)
		item->fresh = NULL;
	if (!item->fresh)
		return -ENOMEM;
	r = remove_flat(item->fresh);
	return r < 0 ? r : make_fresh(item, mode, uid, gid);
}

static int write_synced(int fd, const void *bytes, size_t size)
{
	int r = file_write_all(fd, bytes, size);

	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int swap_write(struct swap *swap, size_t item, const char *name,
	const void *bytes, size_t size)
{
	const char *fresh = swap->items[item].fresh;
	_cleanup_(cleanup_close) int folder = -1;
	_cleanup_(cleanup_close) int fd = -1;
	struct stat owner;

	if (!name) {
		fd = open(fresh, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? -errno : write_synced(fd, bytes, size);
	}
	folder = open(fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &owner) < 0)
		return -errno;
	fd = openat(folder, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchown(fd, owner.st_uid, owner.st_gid) < 0 ||
		fchmod(fd, owner.st_mode & 0666) < 0)
		return -errno;
	return write_synced(fd, bytes, size);
}

static int put_in_place(struct swap_item *item)
{
	unsigned how = item->had ? RENAME_EXCHANGE : RENAME_NOREPLACE;

	if (renameat2(AT_FDCWD, item->fresh, AT_FDCWD, item->target, how) < 0)
		return -errno;
	item->done = true;
	return file_sync_name(item->target);
}

/* What was exchanged before, the other way round. */
static void take_back(struct swap *swap)
{
	for (size_t i = swap->n; i-- > 0;) {
		struct swap_item *item = &swap->items[i];
		unsigned how = item->had ? RENAME_EXCHANGE : RENAME_NOREPLACE;

		if (item->done && renameat2(AT_FDCWD, item->target, AT_FDCWD,
					  item->fresh, how) == 0)
			item->done = false;
	}
}

int swap_commit(struct swap *swap)
{
	struct stat info;
	int r = 0;

	for (size_t i = 0; i < swap->n && r == 0; i++) {
		struct swap_item *item = &swap->items[i];

		item->had = lstat(item->target, &info) == 0;
		if (item->had && S_ISDIR(info.st_mode) != item->folder)
			r = item->folder ? -ENOTDIR : -EISDIR;
		if (r == 0)
			r = remove_flat(item->kept);
		if (r == 0)
			r = sync_path(item->fresh, item->folder);
	}
	for (size_t i = 0; i < swap->n && r == 0; i++)
		r = put_in_place(&swap->items[i]);
	if (r < 0) {
		take_back(swap);
		return r;
	}
	for (size_t i = 0; i < swap->n; i++)
		if (swap->items[i].had)
			(void)(rename(swap->items[i].fresh,
				       swap->items[i].kept) < 0);
	return 0;
}

void swap_clear(struct swap *swap)
{
	for (size_t i = 0; i < swap->n; i++) {
		struct swap_item *item = &swap->items[i];

		if (item->fresh && !item->done)
			(void)(remove_flat(item->fresh) < 0);
		free(item->target);
		free(item->fresh);
		free(item->kept);
	}
	swap->n = 0;
}
