/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs of gatehouse that the command runs. */
#ifndef GATEHOUSE_CTL_PROGRAM_H
#define GATEHOUSE_CTL_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/lib/cleanup.h"

/* sbin/gatehoused and libexec/gatehouse/NAME of this installation. */
char *program_daemon(void);
char *program_worker(const char *name);
/* share/gatehouse/NAME of it, which need not be there. */
char *program_data(const char *name);
/*
 * Runs it; 0, its positive exit status (128 + signal), or -errno.
 * ret_output: what it wrote to both outputs, for the caller to free.
 */
_must_check_ int program_run(
	const char *path, char *const *argv, char **ret_output);
/* Waits for its end: as program_run() says it. */
_must_check_ int program_wait(pid_t pid);
/* Becomes it. Returns only -errno. */
_must_check_ int program_become(const char *path, char *const *argv);

#endif
