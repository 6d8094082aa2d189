/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confinement of a worker, inside the worker. The filter is built by
 * libseccomp from system call names, so that one list is right on every
 * architecture; names that an architecture lacks are passed over.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "agent/lib/log.h"
#include "agent/lib/sandbox.h"

#define NO_SUCH_CALL -10000 /* libseccomp's numbers for missing calls */

/* What the loop, the links, malloc and a clean exit need. */
static const char *const common[] = {"read", "write", "writev", "close",
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "recvmsg",
	"sendmsg", "clock_gettime", "clock_gettime64", "gettimeofday", "time",
	"brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise",
	"futex", "futex_time64", "getrandom", "exit", "exit_group",
	"rt_sigreturn", "sigreturn", "rt_sigprocmask", "sigprocmask",
	"rt_sigaction", "sigaction", "restart_syscall", "getpid", "gettid",
	"tgkill", "getuid", "getuid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getegid", "getegid32", "fcntl", "fcntl64", "fstat",
	"fstat64", "newfstatat", "fstatat64", "lseek", "_llseek", "dup", NULL};

/* What libraries try and can do without. */
static const char *const refused[] = {"open", "openat", "openat2", "access",
	"faccessat", "faccessat2", "readlink", "readlinkat", "stat", "stat64",
	"lstat", "lstat64", "statx", "statfs", "statfs64", "ioctl", "prctl",
	"uname", "getcwd", "socket", "connect", "sysinfo", "getrlimit",
	"ugetrlimit", "prlimit64", "sched_getaffinity", "sched_yield", NULL};

static bool is_in(const char *const *names, const char *name)
{
	for (; names && *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

/* Nothing may become executable once the filter is on. */
static bool makes_memory(const char *name)
{
	return strcmp(name, "mmap") == 0 || strcmp(name, "mmap2") == 0 ||
	       strcmp(name, "mprotect") == 0;
}

/* Numbers just below zero stand for parts of socketcall(), which exist. */
static bool exists(uint32_t arch, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	return number != __NR_SCMP_ERROR && number > NO_SUCH_CALL;
}

static int add_rules(scmp_filter_ctx filter, uint32_t arch, uint32_t action,
	const char *const *names, const char *const *except)
{
	for (; names && *names; names++) {
		/* The library wants native numbers, and translates them. */
		int number = seccomp_syscall_resolve_name(*names);
		int r;

		if (number == __NR_SCMP_ERROR || !exists(arch, *names) ||
			is_in(except, *names))
			continue;
		if (makes_memory(*names))
			r = seccomp_rule_add(filter, action, number, 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		else
			r = seccomp_rule_add(filter, action, number, 0);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

static int build_filter(
	const char *const *extra, uint32_t arch, scmp_filter_ctx *ret_filter)
{
	/* The signal's handler says which call it was and ends the process. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int r;

	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(
		filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0 && arch != seccomp_arch_native()) {
		r = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
		if (r == 0)
			r = seccomp_arch_add(filter, arch);
	}
	if (r == 0)
		r = add_rules(filter, arch, SCMP_ACT_ALLOW, common, NULL);
	if (r == 0)
		r = add_rules(filter, arch, SCMP_ACT_ALLOW, extra, common);
	if (r == 0)
		r = add_rules(
			filter, arch, SCMP_ACT_ERRNO(EACCES), refused, extra);
	if (r < 0) {
		seccomp_release(filter);
		return r;
	}
	*ret_filter = filter;
	return 0;
}

static void say_and_die(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	log_error(
		"the sandbox refused system call %d; ending", info->si_syscall);
	_exit(111);
}

int sandbox_seccomp(const char *const *extra)
{
	struct sigaction action = {
		.sa_sigaction = say_and_die, .sa_flags = SA_SIGINFO};
	scmp_filter_ctx filter;
	int r;

	if (sigaction(SIGSYS, &action, NULL) < 0)
		return -errno;
	r = build_filter(extra, seccomp_arch_native(), &filter);
	if (r < 0)
		return r;
	r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

static int export_filter(const char *const *extra, const char *arch_name)
{
	uint32_t arch = seccomp_arch_resolve_name(arch_name);
	scmp_filter_ctx filter;
	int r;

	r = arch ? build_filter(extra, arch, &filter) : -EINVAL;
	if (r == 0) {
		r = seccomp_export_bpf(filter, STDOUT_FILENO);
		seccomp_release(filter);
	}
	if (r < 0)
		log_error("no filter for %s: %s", arch_name, strerror(-r));
	return r < 0 ? 1 : 0;
}

int sandbox_main(const char *const *extra, int argc, char **argv)
{
	if (argc < 2 || argc > 3 || strcmp(argv[1], "--sandbox") != 0)
		return -1;
	if (argc == 3)
		return export_filter(extra, argv[2]);
	for (const char *const *name = common; *name; name++)
		printf("allow %s\n", *name);
	for (const char *const *name = extra; name && *name; name++)
		printf("allow %s\n", *name);
	for (const char *const *name = refused; *name; name++) {
		if (!is_in(extra, *name))
			printf("refuse %s\n", *name);
	}
	return 0;
}

static int drop_capability(unsigned capability)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint32_t keep = ~(1u << capability % 32);

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	data[capability / 32].effective &= keep;
	data[capability / 32].permitted &= keep;
	data[capability / 32].inheritable &= keep;
	if (syscall(SYS_capset, &head, data) < 0)
		return -errno;
	return 0;
}

int sandbox_chroot(const char *folder)
{
	if (chroot(folder) < 0 || chdir("/") < 0)
		return -errno;
	return drop_capability(CAP_SYS_CHROOT);
}

/* What a database needs in its folder. */
static int permit_root(int rules)
{
	_cleanup_(cleanup_close) int root = open(
		"/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
				  LANDLOCK_ACCESS_FS_WRITE_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR |
				  LANDLOCK_ACCESS_FS_REMOVE_FILE |
				  LANDLOCK_ACCESS_FS_MAKE_REG,
		.parent_fd = root};

	if (root < 0 || syscall(SYS_landlock_add_rule, rules,
				LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		return -errno;
	return 0;
}

int sandbox_landlock(bool folder)
{
	struct landlock_ruleset_attr rules = {/* The rights of the first ABI. */
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
	int fd = (int)syscall(
		SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (folder)
		r = permit_root(fd);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = -errno;
	close(fd);
	return r;
}
