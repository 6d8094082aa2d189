/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder in which the agent leaves an update for the installer: root's
 * alone, one user at a time. What lies in it is not trusted for its contents.
 */
#ifndef GATEHOUSE_UPDATE_STAGE_H
#define GATEHOUSE_UPDATE_STAGE_H

#include <stdint.h>

#include "agent/lib/cleanup.h"

#define STAGE_STATEMENT "statement"
#define STAGE_PACKAGE "package"
#define STAGE_RESULT "result"
#define STAGE_RESULT_MAX 320

/*
 * Opens and locks the folder until the descriptor is closed. -EBUSY: somebody
 * else has it; -EPERM: not a folder of ours, or others may write to it.
 */
_must_check_ int stage_lock(const char *path, int *ret_folder);

/* Copies of both files, on disk when this returns; at most most bytes each. */
_must_check_ int stage_put(
	int folder, int statement, int package, uint64_t most);

/* Opens both for reading. */
_must_check_ int stage_open(int folder, int *ret_statement, int *ret_package);

/* Removes both; nothing happens if there are none. */
void stage_clear(int folder);

/* Replaces the one line about the last outcome. */
_must_check_ int stage_write_result(int folder, const char *line);
/* Reads it, without its newline. -ENOENT. */
_must_check_ int stage_read_result(
	const char *path, char line[static STAGE_RESULT_MAX]);

#endif
