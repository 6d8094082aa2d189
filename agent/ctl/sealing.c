/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks for the passphrase and has gatehouse-seal do the work: what a backup
 * file says is read there, in a process that can open nothing. Bytes pass in
 * memory that has no name; nothing of it is ever a file.
 */
#include "agent/ctl/sealing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>

#include "agent/ctl/program.h"
#include "agent/ctl/say.h"
#include "agent/lib/backup.h"
#include "agent/lib/file.h"

#define SEALER "gatehouse-seal"

void sealing_forget(char **passphrase)
{
	if (*passphrase)
		explicit_bzero(*passphrase, strlen(*passphrase));
	free(*passphrase);
	*passphrase = NULL;
}

static int read_line(FILE *in, char **ret_line)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, in);

	if (n < 0) {
		free(line);
		return -ENODATA;
	}
	line[strcspn(line, "\r\n")] = '\0';
	*ret_line = line;
	return 0;
}

static int from_file(const char *file, char **ret_passphrase)
{
	_cleanup_(cleanup_fclose) FILE *in = fopen(file, "re");

	if (in && read_line(in, ret_passphrase) == 0)
		return 0;
	say_errorf(NULL, "Cannot read a passphrase from %s: %s.", file,
		in ? "it is empty" : strerror(errno));
	return -ENODATA;
}

/* From the terminal itself, also if stdin is something else. */
static int type_in(const char *prompt, char **ret_passphrase)
{
	_cleanup_(cleanup_fclose) FILE *terminal = fopen("/dev/tty", "r+e");
	struct termios before, silent;
	int r;

	if (!terminal || tcgetattr(fileno(terminal), &before) < 0) {
		say_error("There is no terminal to ask for a passphrase.",
			"Put it into a file that only you can read, and use "
			"--passphrase-file FILE.");
		return -ENOTTY;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, terminal);
	fflush(terminal);
	tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
	r = read_line(terminal, ret_passphrase);
	tcsetattr(fileno(terminal), TCSAFLUSH, &before);
	fputs("\n", terminal);
	return r;
}

static int type_twice(char **ret_passphrase)
{
	_cleanup_(sealing_forget) char *again = NULL;
	int r = type_in("Passphrase for this backup: ", ret_passphrase);

	if (r == 0)
		r = type_in("Once more: ", &again);
	if (r == 0 && strcmp(*ret_passphrase, again) != 0) {
		say_error("The two are not the same.", NULL);
		r = -EINVAL;
	}
	return r;
}

int sealing_ask(const char *file, bool fresh, char **ret_passphrase)
{
	_cleanup_(sealing_forget) char *passphrase = NULL;
	int r = file    ? from_file(file, &passphrase)
		: fresh ? type_twice(&passphrase)
			: type_in("Passphrase of the backup: ", &passphrase);

	if (r < 0)
		return r;
	if (strlen(passphrase) > BACKUP_PASSPHRASE_MAX ||
		(fresh && strlen(passphrase) < BACKUP_PASSPHRASE_MIN)) {
		say_errorf("Whoever has the file can try as many as they "
			   "want: four or more words by chance are good.",
			"A passphrase has %d to %d letters.",
			BACKUP_PASSPHRASE_MIN, BACKUP_PASSPHRASE_MAX);
		return -EINVAL;
	}
	*ret_passphrase = passphrase;
	passphrase = NULL;
	return 0;
}

/* Memory that is a file to others, above the descriptors that they expect. */
static int new_memory(const char *bytes, size_t size)
{
	_cleanup_(cleanup_close) int low = memfd_create(SEALER, MFD_CLOEXEC);
	int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 10);

	if (fd < 0)
		return -errno;
	if (file_write_all(fd, bytes, size) < 0) {
		close(fd);
		return -EIO;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int read_memory(int fd, char **ret_bytes, size_t *ret_size)
{
	struct stat info;
	size_t size, at = 0;
	char *bytes;

	if (fstat(fd, &info) < 0)
		return -errno;
	size = (size_t)info.st_size;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	while (at < size) {
		ssize_t n = pread(fd, bytes + at, size - at, (off_t)at);

		if (n <= 0) {
			free(bytes);
			return -EIO;
		}
		at += (size_t)n;
	}
	bytes[size] = '\0';
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

/* Its exit status, or -errno. */
static int run(bool seal, int passphrase, int in, int out)
{
	char *path = program_worker(SEALER);
	char *argv[] = {(char *)SEALER,
		(char *)(seal ? BACKUP_SEAL : BACKUP_OPEN), NULL};
	char *envp[] = {NULL};
	int r = access(path, X_OK) < 0 ? -errno : 0;
	pid_t pid = r < 0 ? -1 : fork();

	if (pid == 0) {
		if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 &&
			dup2(passphrase, BACKUP_PASSPHRASE_FD) >= 0)
			execve(path, argv, envp);
		_exit(127);
	}
	if (pid < 0 && r == 0)
		r = -errno;
	free(path);
	if (r < 0)
		return r;
	return program_wait(pid);
}

static int explain(bool seal, int r)
{
	if (r < 0)
		say_errorf("Is gatehouse installed with backups?",
			"Cannot run " SEALER ": %s.", strerror(-r));
	else if (r == BACKUP_EXIT_FOREIGN)
		say_error("This is no backup of gatehouse.", NULL);
	else if (r == BACKUP_EXIT_VERSION)
		say_error("This backup is of another version of gatehouse, or "
			  "was tampered with: it asks for things that this one "
			  "does not do.",
			NULL);
	else if (r == BACKUP_EXIT_PASSPHRASE)
		say_error("This is not the passphrase, or the backup is "
			  "damaged.",
			NULL);
	else if (r == BACKUP_EXIT_DAMAGED)
		say_error("The backup is damaged, cut off, or somebody added "
			  "to it. Nothing of it is used.",
			NULL);
	else if (r == BACKUP_EXIT_SIZE)
		say_error(seal ? "There is more than 64 MB to be kept."
			       : "This is too long or too short for a backup.",
			NULL);
	else if (r == BACKUP_EXIT_MEMORY)
		say_error("There is not enough memory.", NULL);
	else
		say_errorf("See: journalctl -u gatehouse",
			SEALER " failed with status %d.", r);
	return r < 0 ? r : -EIO;
}

int sealing_run(bool seal, const char *passphrase, const char *bytes,
	size_t size, char **ret_bytes, size_t *ret_size)
{
	_cleanup_(cleanup_close) int word = new_memory(
		passphrase, strlen(passphrase));
	_cleanup_(cleanup_close) int in = new_memory(bytes, size);
	_cleanup_(cleanup_close) int out = new_memory(NULL, 0);
	int r;

	if (word < 0 || in < 0 || out < 0) {
		say_error("There is not enough memory.", NULL);
		return -ENOMEM;
	}
	r = run(seal, word, in, out);
	if (r != 0)
		return explain(seal, r);
	return read_memory(out, ret_bytes, ret_size);
}
