/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse backup: the configuration, the decisions and the keys as one
 * sealed file. Reads below the configuration's and the daemon's folders,
 * writes that one file, which is new.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/ctl/archive.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/say.h"
#include "agent/ctl/sealing.h"
#include "agent/lib/file.h"

#define ATTEMPTS 5 /* to read a database that is not written meanwhile */

static int read_whole(int folder, const char *name, int flags, char **ret_bytes,
	size_t *ret_size)
{
	_cleanup_(cleanup_close) int fd = openat(
		folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	struct stat info;
	size_t size = 0;
	char *bytes;
	ssize_t n;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -EPERM;
	if (info.st_size > ARCHIVE_MAX)
		return -EFBIG;
	bytes = malloc((size_t)info.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (size < (size_t)info.st_size &&
		(n = read(fd, bytes + size, (size_t)info.st_size - size)) > 0)
		size += (size_t)n;
	bytes[size] = '\0';
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static int add_file(struct archive *archive, enum archive_place place,
	int folder, const char *path, const char *name, int flags)
{
	char *bytes = NULL;
	size_t size = 0;
	int r = read_whole(folder, path, flags, &bytes, &size);

	if (r == 0)
		r = archive_add(archive, place, name, bytes, size);
	if (bytes)
		explicit_bzero(bytes, size);
	free(bytes);
	return r;
}

static bool wanted(enum archive_place place, const char *name)
{
	size_t length = strlen(name);

	if (name[0] == '.')
		return false;
	return place != ARCHIVE_CONF_D ||
	       (length > 5 && strcmp(name + length - 5, ".conf") == 0);
}

/* Each file of a flat folder; none when it is not there. */
static int add_folder(struct archive *archive, enum archive_place place,
	const char *path, int flags)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int r = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && (entry = readdir(folder)) != NULL) {
		if (!wanted(place, entry->d_name))
			continue;
		r = add_file(archive, place, dirfd(folder), entry->d_name,
			entry->d_name, flags);
		if (r < 0)
			say_errorf(NULL, "Cannot keep %s/%s: %s.", path,
				entry->d_name, strerror(-r));
	}
	closedir(folder);
	return r;
}

static bool same(const struct archive *a, const struct archive *b)
{
	if (a->n_files != b->n_files)
		return false;
	for (size_t i = 0; i < a->n_files; i++) {
		const struct archive_file *file = &a->files[i], *other;

		other = archive_find(b, file->place, file->name);
		if (!other || other->size != file->size ||
			memcmp(other->bytes, file->bytes, file->size) != 0)
			return false;
	}
	return true;
}

/* The database and its log; what was set aside as damaged stays behind. */
static int read_registry(const char *path, struct archive *archive)
{
	static const char *const names[] = {"registry.db", "registry.db-wal"};
	_cleanup_(cleanup_close) int folder = open(
		path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		r = add_file(archive, ARCHIVE_REGISTRY, folder, names[i],
			names[i], O_NOFOLLOW);
		r = r == -ENOENT ? 0 : r;
	}
	return r;
}

/*
 * The registry holds its lock while it runs, and writes whenever it wants.
 * Read twice with the same result, file and log are those of one moment in
 * between: what a power cut would leave, which it is made to survive.
 */
static int add_registry(struct archive *archive, const char *path)
{
	struct archive last = {0}, now = {0};
	bool whole = false;
	int r = read_registry(path, &last);

	for (int i = 0; r == 0 && !whole && i < ATTEMPTS; i++) {
		r = read_registry(path, &now);
		whole = r == 0 && same(&last, &now);
		archive_clear(&last);
		last = now;
		memset(&now, 0, sizeof(now));
	}
	if (r == 0 && !whole)
		r = -EBUSY;
	for (size_t i = 0; r == 0 && i < last.n_files; i++)
		r = archive_add(archive, ARCHIVE_REGISTRY, last.files[i].name,
			last.files[i].bytes, last.files[i].size);
	archive_clear(&last);
	if (r < 0)
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot keep the decisions in %s: %s.", path,
			strerror(-r));
	return r;
}

static int collect(const struct ctl *ctl, struct archive *archive)
{
	_cleanup_(cleanup_free) char *drop_ins = NULL;
	_cleanup_(cleanup_free) char *registry = NULL;
	_cleanup_(cleanup_free) char *keys = NULL;
	int r;

	archive->created = time(NULL);
	snprintf(archive->version, sizeof(archive->version), "%s",
		PACKAGE_VERSION);
	if (asprintf(&drop_ins, "%s.d", ctl->config) < 0 ||
		asprintf(&registry, "%s/registry", ctl->state) < 0 ||
		asprintf(&keys, "%s/keys", ctl->state) < 0)
		return -ENOMEM;
	r = add_file(archive, ARCHIVE_CONF, AT_FDCWD, ctl->config, "", 0);
	if (r < 0) {
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot read %s: %s.", ctl->config, strerror(-r));
		return r;
	}
	r = add_folder(archive, ARCHIVE_CONF_D, drop_ins, 0);
	if (r == 0)
		r = add_registry(archive, registry);
	if (r == 0)
		r = add_folder(archive, ARCHIVE_KEYS, keys, O_NOFOLLOW);
	return r;
}

static int write_new(const char *path, const char *bytes, size_t size)
{
	_cleanup_(cleanup_close) int fd = open(
		path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : 0;

	if (r == 0)
		r = file_write_all(fd, bytes, size);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		unlink(path);
	if (r == -EEXIST)
		say_errorf("Take another name; a backup replaces no file.",
			"%s is there already.", path);
	else if (r < 0)
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot write %s: %s.", path, strerror(-r));
	return r;
}

static size_t count(const struct archive *archive, enum archive_place place)
{
	size_t n = 0;

	for (size_t i = 0; i < archive->n_files; i++)
		n += archive->files[i].place == place;
	return n;
}

static void say_done(const struct ctl *ctl, const struct archive *archive)
{
	say("Kept in %s: the configuration (%zu files), %s, %s.", ctl->word,
		count(archive, ARCHIVE_CONF) + count(archive, ARCHIVE_CONF_D),
		count(archive, ARCHIVE_REGISTRY) ? "the decisions"
						 : "no decisions, there are "
						   "none",
		count(archive, ARCHIVE_KEYS) ? "the keys"
					     : "no keys, there are none");
	say("Without the passphrase nobody can read it, you neither.");
}

int ctl_backup(const struct ctl *ctl)
{
	_cleanup_(sealing_forget) char *passphrase = NULL;
	_cleanup_(archive_clear) struct archive archive = {0};
	_cleanup_(cleanup_free) char *sealed = NULL;
	char *plain = NULL;
	size_t size, sealed_size;
	int r = collect(ctl, &archive);

	if (r == 0)
		r = archive_write(&archive, &plain, &size);
	if (r == 0)
		r = sealing_ask(ctl->passphrase_file, true, &passphrase);
	if (r == 0)
		r = sealing_run(
			true, passphrase, plain, size, &sealed, &sealed_size);
	if (plain)
		explicit_bzero(plain, size);
	free(plain);
	if (r == 0)
		r = write_new(ctl->word, sealed, sealed_size);
	if (r < 0)
		return CTL_FAILED;
	say_done(ctl, &archive);
	return CTL_DONE;
}
