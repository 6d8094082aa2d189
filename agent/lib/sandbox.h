/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confinement of a worker: chroot, Landlock, capabilities, seccomp. The agent
 * has set uid, groups, bounding set, no_new_privs and rlimits before exec.
 */
#ifndef GATEHOUSE_SANDBOX_H
#define GATEHOUSE_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

/* Enters the empty folder and drops CAP_SYS_CHROOT everywhere. -errno. */
_must_check_ int sandbox_chroot(const char *folder);
/*
 * No access to any file; folder: but to ordinary ones in the root folder,
 * without running them or making folders. 0, or -ENOSYS/-EOPNOTSUPP without
 * Landlock.
 */
_must_check_ int sandbox_landlock(bool folder);
/*
 * The common calls plus those named in extra (NULL-terminated, may be NULL).
 * Everything else kills the process, but for calls that libraries try and
 * can do without (opening files): those fail with EACCES. -errno.
 */
_must_check_ int sandbox_seccomp(const char *const *extra);
/*
 * For whoever examines a worker: "--sandbox" prints the calls it may make, a
 * line each ("allow NAME" or "refuse NAME"); "--sandbox ARCH" (x86_64, arm,
 * aarch64, mips, riscv64 ...) writes the filter for that architecture as BPF
 * to stdout. Returns an exit status, or -1 if argv asks for neither.
 */
int sandbox_main(const char *const *extra, int argc, char **argv);

#endif
