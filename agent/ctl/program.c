/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the programs beside this one: an installation under another root,
 * as in labs and packages being built, uses its own. Never through a shell
 * and never by PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/ctl/program.h"

#define BIN "/bin/gatehouse"

/* PREFIX/tail where this program is PREFIX/bin/gatehouse, else built_in. */
static char *beside(const char *tail, const char *built_in, int access_mode)
{
	char self[PATH_MAX] = "", *path = NULL;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t end = sizeof(BIN) - 1;

	if (n > (ssize_t)end && strcmp(self + n - end, BIN) == 0) {
		self[n - (ssize_t)end] = '\0';
		if (asprintf(&path, "%s%s", self, tail) < 0)
			abort();
		if (access(path, access_mode) == 0)
			return path;
		free(path);
	}
	path = strdup(built_in);
	if (path == NULL)
		abort();
	return path;
}

char *program_daemon(void)
{
	return beside("/sbin/gatehoused", SBINDIR "/gatehoused", X_OK);
}

static char *named(const char *folder, const char *built_in_folder,
	const char *name, int access_mode)
{
	char *tail, *built_in, *path;

	if (asprintf(&tail, "%s/%s", folder, name) < 0 ||
		asprintf(&built_in, "%s/%s", built_in_folder, name) < 0)
		abort();
	path = beside(tail, built_in, access_mode);
	free(tail);
	free(built_in);
	return path;
}

char *program_worker(const char *name)
{
	return named("/libexec/gatehouse", LIBEXECDIR, name, X_OK);
}

char *program_data(const char *name)
{
	return named("/share/gatehouse", DATADIR, name, R_OK);
}

static char *read_all(int fd)
{
	char *text = NULL, buffer[4096];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	ssize_t n;

	if (out == NULL)
		abort();
	while ((n = read(fd, buffer, sizeof(buffer))) > 0 ||
		(n < 0 && errno == EINTR))
		if (n > 0)
			fwrite(buffer, 1, (size_t)n, out);
	fclose(out);
	return text;
}

int program_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *path, char *const *argv, char **ret_output)
{
	int ends[2];
	pid_t pid;

	if (access(path, X_OK) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) >= 0 &&
			dup2(ends[1], STDERR_FILENO) >= 0)
			execv(path, argv);
		_exit(127);
	}
	close(ends[1]);
	*ret_output = read_all(ends[0]);
	close(ends[0]);
	return program_wait(pid);
}

int program_become(const char *path, char *const *argv)
{
	fflush(stdout);
	execv(path, argv);
	return -errno;
}
