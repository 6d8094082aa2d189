/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files that must be whole or not there, whenever the power goes. */
#ifndef GATEHOUSE_FILE_H
#define GATEHOUSE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/lib/cleanup.h"

#define FILE_BOOT 40

/* A folder to be used with the others; -errno. */
_must_check_ int file_open_folder(const char *path);
/* All of it, whatever fd is; not on the disk yet. -errno. */
_must_check_ int file_write_all(int fd, const void *bytes, size_t size);
/* Its name is on the disk, too, when this returns 0. -errno. */
_must_check_ int file_sync_name(const char *path);
/*
 * Makes a new file of that name, on the disk when it returns 0; one that was
 * there is gone. After -errno there is none.
 */
_must_check_ int file_write(int folder, const char *name, const void *bytes,
	size_t size, mode_t mode);
/*
 * Makes bytes the folder's file of that name, at once and for good: after 0
 * it is on the disk, after -errno the old one is there still.
 */
_must_check_ int file_replace(int folder, const char *name, const void *bytes,
	size_t size, mode_t mode);
/*
 * Reads a file of at most `most` bytes whole; a NUL follows them. -ENOENT;
 * -EPERM when it is not an ordinary file that only this user can write;
 * -EFBIG.
 */
_must_check_ int file_read(int folder, const char *name, size_t most,
	char **ret_text, size_t *ret_size);
/*
 * The next line of a text without its end; *text is moved behind it. False at
 * the end, and for a line that is too long, not ended, or holds a NUL.
 */
bool file_next_line(
	const char **text, const char *end, char *line, size_t size);
/* What tells this boot from all others. -errno. */
_must_check_ int file_read_boot(char ret_boot[static FILE_BOOT]);
/* 0 also when it was not there. */
_must_check_ int file_remove(int folder, const char *name);

#endif
