/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes the ledger's file. Touches the files of its own names in
 * the given folder only; must never leave a file that is half written under
 * the name that is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/isolation/ledger.h"

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

static int read_boot(char boot[static LEDGER_BOOT])
{
	_cleanup_(cleanup_close) int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, boot, LEDGER_BOOT - 1);

	if (n <= 0)
		return errno ? -errno : -EIO;
	boot[n] = 0;
	boot[strcspn(boot, "\n")] = 0;
	return 0;
}

/* 0 and the text, which the caller frees; -ENOENT. */
static int read_text(int folder, char **ret_text, size_t *ret_length)
{
	_cleanup_(cleanup_close) int fd = openat(folder, LEDGER_FILE,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
		(info.st_mode & 022))
		return -EPERM;
	if (info.st_size > LEDGER_BYTES_MAX)
		return -EBADMSG;
	text = malloc((size_t)info.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = read(fd, text, (size_t)info.st_size);
	if (n != info.st_size) {
		free(text);
		return n < 0 ? -errno : -EIO;
	}
	*ret_text = text;
	*ret_length = (size_t)n;
	return 0;
}

int ledger_load(int folder, struct ledger *ret_ledger)
{
	_cleanup_(cleanup_free) char *text = NULL;
	char boot[LEDGER_BOOT];
	size_t length = 0;
	int r = read_boot(boot);

	if (r < 0)
		return r;
	r = read_text(folder, &text, &length);
	if (r == 0)
		r = ledger_parse(text, length, ret_ledger);
	if (r < 0 && r != -ENOENT)
		return r;
	/* What another boot changed went with it. */
	if (r == -ENOENT || strcmp(ret_ledger->boot, boot) != 0)
		ret_ledger->n = 0;
	memcpy(ret_ledger->boot, boot, sizeof(boot));
	return 0;
}

static int write_new(int folder, const char *text)
{
	_cleanup_(cleanup_close) int fd = -1;
	size_t length = strlen(text), done = 0;

	if (unlinkat(folder, LEDGER_NEW, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(folder, LEDGER_NEW,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	while (done < length) {
		ssize_t n = write(fd, text + done, length - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n < 0 ? 0 : (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int ledger_store(int folder, const struct ledger *ledger)
{
	_cleanup_(cleanup_free) char *text = NULL;
	int r;

	if (ledger->n == 0) {
		if (unlinkat(folder, LEDGER_FILE, 0) < 0 && errno != ENOENT)
			return -errno;
		return fsync(folder) < 0 ? -errno : 0;
	}
	text = ledger_format(ledger);
	r = write_new(folder, text);
	if (r < 0) {
		(void)unlinkat(folder, LEDGER_NEW, 0);
		return r;
	}
	if (renameat(folder, LEDGER_NEW, folder, LEDGER_FILE) < 0 ||
		fsync(folder) < 0)
		return -errno;
	return 0;
}
