/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything between fork() and exec(): the child loses root before it runs
 * a byte of a worker. Also the reduction of the agent's own capabilities.
 * Any failure ends the child; nothing is retried with more privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

#define CAP_BIT(c) (UINT64_C(1) << (c))

/* What starting workers and granting descriptors takes. */
#define AGENT_CAPS                                                        \
	(CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_NET_RAW) |                  \
		CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SYS_CHROOT) | \
		CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) |               \
		CAP_BIT(CAP_SETPCAP) | CAP_BIT(CAP_KILL) |                \
		CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_CHOWN))
/* What a package manager takes that nobody starts for us. */
#define INSTALL_CAPS (CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID))

#define OLD_KERNEL_FDS 1024 /* looked at where close_range() is missing */

static int set_capabilities(uint64_t wanted, bool inheritable)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	for (int i = 0; i < 2; i++) {
		data[i].permitted = (uint32_t)(wanted >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = inheritable ? data[i].permitted : 0;
	}
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static int bound_capabilities(uint64_t wanted)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (wanted & CAP_BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			break; /* past the last one this kernel has */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

int spawn_reduce_agent(void)
{
	uint64_t wanted = AGENT_CAPS;
	int r;

	/* systemd starts the installer with its own; elsewhere we do. */
	if (access("/run/systemd/system", F_OK) < 0)
		wanted |= INSTALL_CAPS;
	r = bound_capabilities(wanted);
	return r < 0 ? r : set_capabilities(wanted, false);
}

static int limit(int what, rlim_t most)
{
	struct rlimit limits = {most, most};

	return setrlimit(what, &limits) < 0 ? -errno : 0;
}

static int set_limits(const struct module *module)
{
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = limit(RLIMIT_NOFILE, module->files ? module->files : 64);
	if (r == 0) /* itself; no fork */
		r = limit(RLIMIT_NPROC, 1);
	return r;
}

static int become_user(const struct process *process, uint64_t keep)
{
	int r = bound_capabilities(keep);

	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
		setresgid(process->gid, process->gid, process->gid) < 0 ||
		setresuid(process->uid, process->uid, process->uid) < 0)
		return -errno;
	r = set_capabilities(keep, true);
	if (r < 0)
		return r;
	for (unsigned long cap = 0; cap < 64; cap++) {
		if ((keep & CAP_BIT(cap)) &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) <
				0)
			return -errno;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* Ours close by themselves; these came from whoever started the agent. */
static void close_others(void)
{
	if (syscall(SYS_close_range, IPC_WORKER_FD + 1, ~0u, 0) == 0)
		return;
	for (int fd = IPC_WORKER_FD + 1; fd < OLD_KERNEL_FDS; fd++)
		close(fd);
}

/* 0 is /dev/null, 1 and 2 the log, 3 the link. */
static int set_descriptors(int link_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
		dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return -errno;
	if (link_fd != IPC_WORKER_FD && dup2(link_fd, IPC_WORKER_FD) < 0)
		return -errno;
	if (fcntl(IPC_WORKER_FD, F_SETFD, 0) < 0)
		return -errno;
	close_others();
	return 0;
}

static void restore_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

static _Noreturn void run_child(
	const struct agent *agent, const struct process *process, int link_fd)
{
	const struct module *module = process->module;
	uint64_t keep = module->capabilities | CAP_BIT(CAP_SYS_CHROOT);
	const char *journal = getenv("JOURNAL_STREAM");
	char path[4096], empty[4096], stream[256];
	char *argv[] = {(char *)module->name, empty, NULL};
	char *envp[] = {NULL, NULL};
	int r;

	snprintf(path, sizeof(path), "%s/gatehouse-%s", agent->options.workers,
		module->name);
	if (module->folder)
		snprintf(empty, sizeof(empty), "%s/%s", agent->options.state,
			module->name);
	else
		snprintf(empty, sizeof(empty), "%s/empty", agent->options.run);
	if (journal) {
		snprintf(stream, sizeof(stream), "JOURNAL_STREAM=%s", journal);
		envp[0] = stream;
	}
	restore_signals();
	r = set_descriptors(link_fd);
	if (r == 0)
		r = set_limits(module);
	if (r == 0)
		r = become_user(process, keep);
	if (r == 0) {
		execve(path, argv, envp);
		r = -errno;
	}
	log_error("cannot start %s: %s", path, strerror(-r));
	_exit(126);
}

int spawn_worker(const struct agent *agent, const struct process *process,
	int link_fd, pid_t *ret_pid)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(agent, process, link_fd);
	*ret_pid = pid;
	return 0;
}
