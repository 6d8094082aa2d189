/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the installer so that it outlives the daemon it replaces. */
#ifndef GATEHOUSE_UPDATE_LAUNCH_H
#define GATEHOUSE_UPDATE_LAUNCH_H

#include <stdbool.h>

#include "agent/lib/cleanup.h"

#define LAUNCH_UNIT "gatehouse-install"

/* True where systemd is the init and can start the installer for us. */
bool launch_has_systemd(void);

/*
 * Starts PROGRAM [--key KEY] FOLDER outside our cgroup; key may be NULL.
 * *ret_answer becomes readable when launch_result() can be asked whether the
 * start worked. -errno.
 */
_must_check_ int launch_start(const char *program, const char *key,
	const char *folder, int *ret_answer);
/* 0, or -ECHILD when whoever starts it said no. */
_must_check_ int launch_result(int answer);

#endif
