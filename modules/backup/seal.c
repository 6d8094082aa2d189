/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-seal: one shot, for gatehouse backup and restore. Reads stdin and
 * the passphrase from descriptor 3, writes stdout, nothing else: it opens no
 * file, so that a hostile backup that broke into it would find itself in a
 * process that can only end. Writes nothing unless all of it is genuine.
 */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "agent/lib/backup.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/sandbox.h"
#include "modules/backup/box.h"

static const char *const syscalls[] = {"getrandom", NULL};

/* All of a descriptor, and a NUL; at most `most` bytes. */
static int read_all(int fd, size_t most, uint8_t **ret_bytes, size_t *ret_size)
{
	uint8_t *bytes = NULL, *more;
	size_t size = 0, room = 0;
	ssize_t n;

	do {
		if (room - size < 2) {
			room = room ? room * 2 : 1u << 16;
			more = realloc(bytes, room);
			if (!more) {
				free(bytes);
				return -ENOMEM;
			}
			bytes = more;
		}
		n = read(fd, bytes + size, room - size - 1);
		size += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && size <= most) || (n < 0 && errno == EINTR));
	if (n < 0 || size > most) {
		free(bytes);
		return n < 0 ? -EIO : -EMSGSIZE;
	}
	bytes[size] = 0;
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static int read_passphrase(uint8_t **ret_passphrase)
{
	size_t size;
	int r = read_all(BACKUP_PASSPHRASE_FD, BACKUP_PASSPHRASE_MAX,
		ret_passphrase, &size);

	if (r == 0 && (size == 0 || memchr(*ret_passphrase, 0, size)))
		r = -EINVAL;
	return r;
}

static int work(bool seal)
{
	uint8_t *passphrase = NULL, *in = NULL, *out = NULL;
	size_t in_size, out_size;
	int r = read_passphrase(&passphrase);

	if (r == 0)
		r = read_all(STDIN_FILENO, seal ? BOX_PLAIN_MAX : BOX_SIZE_MAX,
			&in, &in_size);
	if (r == 0)
		r = seal ? box_seal((char *)passphrase, in, in_size, &out,
				   &out_size)
			 : box_open((char *)passphrase, in, in_size, &out,
				   &out_size);
	if (passphrase)
		crypt_wipe(passphrase, strlen((char *)passphrase));
	if (r == 0 && file_write_all(STDOUT_FILENO, out, out_size) < 0)
		r = -EIO;
	free(passphrase);
	free(in);
	free(out);
	return r;
}

static enum backup_exit exit_of(int r)
{
	switch (r) {
	case 0:
		return BACKUP_EXIT_DONE;
	case -ENOMSG:
		return BACKUP_EXIT_FOREIGN;
	case -EPROTONOSUPPORT:
		return BACKUP_EXIT_VERSION;
	case -EKEYREJECTED:
		return BACKUP_EXIT_PASSPHRASE;
	case -EBADMSG:
		return BACKUP_EXIT_DAMAGED;
	case -EMSGSIZE:
		return BACKUP_EXIT_SIZE;
	case -ENOMEM:
		return BACKUP_EXIT_MEMORY;
	}
	return BACKUP_EXIT_FAILED;
}

static int confine(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	/* Without Landlock the list of calls alone keeps it from files. */
	(void)(sandbox_landlock(false) < 0);
	return sandbox_seccomp(syscalls);
}

int main(int argc, char **argv)
{
	int r = sandbox_main(syscalls, argc, argv);
	bool seal;

	if (r >= 0)
		return r;
	log_open("seal", LOG_LEVEL_INFO);
	if (argc != 2 || (strcmp(argv[1], BACKUP_SEAL) != 0 &&
				 strcmp(argv[1], BACKUP_OPEN) != 0)) {
		log_error("this is run by gatehouse backup and restore");
		return BACKUP_EXIT_FAILED;
	}
	seal = strcmp(argv[1], BACKUP_SEAL) == 0;
	r = confine();
	if (r < 0) {
		log_error("cannot confine itself: %s", strerror(-r));
		return BACKUP_EXIT_FAILED;
	}
	return exit_of(work(seal));
}
