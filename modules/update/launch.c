/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts the installer from inside the agent. Under systemd through
 * systemd-run, which gives it a unit, a cgroup and privileges of its own;
 * elsewhere as a session of its own in the root cgroup. Fixed arguments, an
 * environment of our own, no shell; never waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "modules/update/launch.h"

#define ARGUMENTS 16
#define ROOT_CGROUP "/sys/fs/cgroup/cgroup.procs"

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C.UTF-8", NULL};

/* What is run; points at its parts. */
struct command {
	const char *argv[ARGUMENTS];
	size_t n;
};

static void add(struct command *command, const char *argument)
{
	if (command->n < ARGUMENTS - 1)
		command->argv[command->n++] = argument;
}

bool launch_has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

static void compose(struct command *command, const char *program,
	const char *key, const char *folder)
{
	if (launch_has_systemd()) {
		add(command, "/usr/bin/systemd-run");
		add(command, "--unit=" LAUNCH_UNIT);
		add(command, "--description=Install an update of gatehouse");
		add(command, "--collect");
		add(command, "--no-block");
		add(command, "--quiet");
		add(command, "--");
	}
	add(command, program);
	if (key) {
		add(command, "--key");
		add(command, key);
	}
	add(command, folder);
}

/* Without systemd: out of the daemon's cgroup before the installer starts. */
static void leave_cgroup(void)
{
	int fd = open(ROOT_CGROUP, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return; /* no cgroups of this kind: nothing to leave */
	n = write(fd, "0\n", 2);
	(void)n;
	close(fd);
}

static void reset_process(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	setsid();
	dup2(null, STDIN_FILENO);
}

static unsigned char wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? (unsigned char)WEXITSTATUS(status) : 1;
}

/*
 * In between: starts the command and tells the agent how that went. The
 * agent reaps its children without looking, so it cannot ask for a status.
 */
static void run_child(const struct command *command, int answer)
{
	unsigned char status = 0;
	ssize_t n;
	pid_t pid;

	reset_process();
	if (!launch_has_systemd())
		leave_cgroup();
	pid = fork();
	if (pid == 0) {
		execve(command->argv[0], (char *const *)command->argv,
			(char *const *)environment);
		_exit(127);
	}
	if (pid < 0)
		status = 1;
	else if (launch_has_systemd())
		status = wait_for(pid);
	n = write(answer, &status, 1);
	_exit(n == 1 ? 0 : 1);
}

int launch_start(const char *program, const char *key, const char *folder,
	int *ret_answer)
{
	struct command command = {0};
	int ends[2];
	pid_t pid;

	compose(&command, program, key, folder);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		run_child(&command, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -EAGAIN;
	}
	*ret_answer = ends[0];
	return 0;
}

int launch_result(int answer)
{
	unsigned char status;

	if (read(answer, &status, 1) != 1 || status != 0)
		return -ECHILD;
	return 0;
}
