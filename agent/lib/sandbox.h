/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confinement of a worker: chroot, Landlock, capabilities, seccomp. The agent
 * has set uid, groups, bounding set, no_new_privs and rlimits before exec.
 */
#ifndef GATEHOUSE_SANDBOX_H
#define GATEHOUSE_SANDBOX_H

#include <stdint.h>

#include "agent/lib/cleanup.h"

/* Enters the empty folder and drops CAP_SYS_CHROOT everywhere. -errno. */
_must_check_ int sandbox_chroot(const char *folder);
/* No access to any file. 0, or -ENOSYS/-EOPNOTSUPP without Landlock. */
_must_check_ int sandbox_landlock(void);
/*
 * The common calls plus those named in extra (NULL-terminated, may be NULL).
 * Everything else kills the process, but for calls that libraries try and
 * can do without (opening files): those fail with EACCES. -errno.
 */
_must_check_ int sandbox_seccomp(const char *const *extra);
/*
 * Writes the same filter for an architecture (libseccomp's SCMP_ARCH_*) as
 * BPF into fd; for tests.
 */
_must_check_ int sandbox_export(
	const char *const *extra, uint32_t arch, int fd);

/* The lists, NULL-terminated, for tests. */
extern const char *const sandbox_common[];
extern const char *const sandbox_refused[]; /* answered with EACCES */

#endif
