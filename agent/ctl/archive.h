/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is inside a backup: files by names of a closed kind, so that none can
 * name a place of its own choice. Pure but for memory.
 */
#ifndef GATEHOUSE_CTL_ARCHIVE_H
#define GATEHOUSE_CTL_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define ARCHIVE_FILES_MAX 512
#define ARCHIVE_NAME 128
#define ARCHIVE_MAX (64u << 20) /* bytes, all of it */

/* Where a file belongs. */
enum archive_place {
	ARCHIVE_CONF = 1, /* gatehouse.conf itself; without a name */
	ARCHIVE_CONF_D, /* gatehouse.conf.d/NAME.conf */
	ARCHIVE_REGISTRY, /* registry/NAME of the state folder */
	ARCHIVE_KEYS, /* keys/NAME of it */
};

struct archive_file {
	enum archive_place place;
	char name[ARCHIVE_NAME];
	char *bytes; /* a NUL follows */
	size_t size;
};

struct archive {
	int64_t created; /* seconds since 1970 */
	char version[32]; /* of the gatehouse that made it */
	struct archive_file *files;
	size_t n_files;
};

/* A copy. -EINVAL: a name that may not be; -EEXIST, -E2BIG, -ENOMEM. */
_must_check_ int archive_add(struct archive *archive, enum archive_place place,
	const char *name, const void *bytes, size_t size);
const struct archive_file *archive_find(const struct archive *archive,
	enum archive_place place, const char *name);
/* -ENOMEM; ret_bytes is the caller's to free. */
_must_check_ int archive_write(
	const struct archive *archive, char **ret_bytes, size_t *ret_size);
/* -EBADMSG: not an archive; -EPROTONOSUPPORT: of another version; -ENOMEM. */
_must_check_ int archive_read(
	const char *bytes, size_t size, struct archive *ret_archive);
void archive_clear(struct archive *archive);

#endif
