/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The installer: one shot, as root, outside the daemon's cgroup. It believes
 * nobody: it takes its own sealed copy of the staged package, judges that
 * copy again with the publisher's key, hands exactly those bytes to dpkg,
 * and leaves one line about the outcome. No network, no shell.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/lib/log.h"
#include "modules/update/judge.h"
#include "modules/update/key.h"
#include "modules/update/stage.h"
#include "modules/update/verify.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What dpkg and the package's scripts get, and nothing else. */
static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "HOME=/root", NULL};

/* A copy that nobody can change any more, not even we. -errno. */
static int copy_sealed(int from)
{
	_cleanup_(cleanup_close) int to = memfd_create(
		"gatehouse-package", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t left = STATEMENT_PACKAGE_MAX + 1;
	off_t at = 0;

	if (to < 0)
		return -errno;
	while (left) {
		ssize_t n = sendfile(to, from, &at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		left -= (size_t)n;
	}
	if (fcntl(to, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return steal_fd(&to);
}

static void exec_dpkg(int package)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char path[64];

	/* dpkg and what it starts open it by this name while we wait. */
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getppid(),
		package);
	dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execle("/usr/bin/dpkg", "dpkg", "-i", "--force-confold", "--no-pager",
		path, (char *)NULL, (char *const *)environment);
	log_error("cannot run /usr/bin/dpkg: %s", strerror(errno));
	_exit(127);
}

/* dpkg's exit status, 128 + the signal that ended it, or -errno. */
static int run_dpkg(int package)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		exec_dpkg(package);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static void leave_result(int folder, enum log_level level, const char *format,
	...) _printf_(3, 4);
static void leave_result(
	int folder, enum log_level level, const char *format, ...)
{
	char line[STAGE_RESULT_MAX];
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log_write(level, "%s", line);
	r = stage_write_result(folder, line);
	if (r < 0)
		log_error("cannot note the outcome: %s", strerror(-r));
}

static int install(int folder, int package, const struct statement *stated)
{
	int status;

	leave_result(folder, LOG_LEVEL_NOTICE,
		"installing %s over " PACKAGE_VERSION, stated->version);
	status = run_dpkg(package);
	if (status == 0) {
		stage_clear(folder);
		leave_result(folder, LOG_LEVEL_NOTICE, "installed %s",
			stated->version);
		return 0;
	}
	if (status < 0)
		leave_result(folder, LOG_LEVEL_ERROR,
			"failed: dpkg could not be run for %s: %s",
			stated->version, strerror(-status));
	else
		leave_result(folder, LOG_LEVEL_ERROR,
			"failed: dpkg ended with status %d installing %s; see "
			"journalctl -u gatehouse-install",
			status, stated->version);
	return 1;
}

static int judge_staged(int folder, const char *key_file,
	struct statement *ret_stated, int *ret_package, char *reason)
{
	_cleanup_(cleanup_close) int statement = -1;
	_cleanup_(cleanup_close) int staged = -1;
	_cleanup_(cleanup_close) int package = -1;
	_cleanup_(cleanup_verify_key) struct verify_key *key = NULL;
	struct update_key pem;
	struct judge judge = {.running = PACKAGE_VERSION,
		.architecture = judge_architecture()};
	int r = stage_open(folder, &statement, &staged);

	if (r < 0) {
		snprintf(reason, JUDGE_REASON, "no update is staged: %s",
			strerror(-r));
		return r;
	}
	r = update_key_get(key_file, &pem);
	if (r == 0)
		r = verify_key_read(pem.pem, pem.length, &key);
	if (r < 0 && r != -ENOKEY) {
		snprintf(reason, JUDGE_REASON,
			"the publisher's key cannot be used: %s", strerror(-r));
		return r;
	}
	judge.key = key;
	package = copy_sealed(staged);
	if (package < 0) {
		snprintf(reason, JUDGE_REASON,
			"the package cannot be copied: %s", strerror(-package));
		return package;
	}
	r = judge_update(&judge, statement, package, ret_stated, reason);
	if (r == 0)
		*ret_package = steal_fd(&package);
	return r;
}

static int run(const char *path, const char *key_file)
{
	_cleanup_(cleanup_close) int folder = -1;
	_cleanup_(cleanup_close) int package = -1;
	struct statement stated;
	char reason[JUDGE_REASON] = "";
	int r = stage_lock(path, &folder);

	if (r < 0) {
		log_error("%s: %s", path,
			r == -EBUSY ? "an installation is under way"
				    : strerror(-r));
		return 1;
	}
	if (verify_start() < 0) {
		leave_result(folder, LOG_LEVEL_ERROR,
			"failed: the cryptographic library does not start");
		return 1;
	}
	if (judge_staged(folder, key_file, &stated, &package, reason) < 0) {
		stage_clear(folder);
		leave_result(folder, LOG_LEVEL_ERROR, "refused: %s", reason);
		return 1;
	}
	return install(folder, package, &stated);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
	const char *key_file = NULL;
	int c;

	log_open("gatehouse-install", LOG_LEVEL_INFO);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'k')
			return 2;
		key_file = optarg;
	}
	if (argc - optind != 1) {
		log_error("usage: gatehouse-install [--key FILE] FOLDER");
		return 2;
	}
	umask(077);
	return run(argv[optind], key_file);
}
