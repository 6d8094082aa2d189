/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that says what isolation wants, for the next boot: the agent
 * writes it, gatehouse-isolation --early reads it before any network is up.
 *
 * A header, then records: type (enum isolation_message), size, and the struct
 * of that type. All in the byte order of this machine, which alone reads it.
 * The checksum finds accidents; against people there is the file's mode.
 */
#ifndef GATEHOUSE_ISOLATION_SAVED_H
#define GATEHOUSE_ISOLATION_SAVED_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/isolation/isolation_proto.h"

/* In the state folder: the last one, and the one before it. */
#define SAVED_FILE "isolation.wanted"
#define SAVED_BEFORE "isolation.wanted.before"
#define SAVED_NEW "isolation.wanted.new" /* being written */

#define SAVED_MAGIC 0x57485467u /* another byte order reads another */
/* To be raised when a struct or a number of isolation_proto.h changes. */
#define SAVED_VERSION 11
#define SAVED_BYTES_MAX (32u << 20)

struct saved_header {
	uint32_t magic;
	uint32_t version;
	uint32_t count; /* of records */
	uint32_t length; /* of all records in bytes */
	uint32_t checksum; /* CRC-32 of all, this one taken for zero */
};

struct saved_record {
	uint16_t type;
	uint16_t size;
};

/* A file in the making, or in memory. All zero is empty. */
struct saved {
	uint8_t *bytes;
	size_t length, room;
	uint32_t count;
};

/* -ENOMEM, -ENOSPC past SAVED_BYTES_MAX. */
_must_check_ int saved_add(
	struct saved *saved, uint16_t type, const void *item, uint16_t size);
/* Writes the header; more can be added afterwards, and sealed again. */
_must_check_ int saved_seal(struct saved *saved);
/* Back to an earlier length and count. */
void saved_cut(struct saved *saved, size_t length, uint32_t count);
void saved_free(struct saved *saved);

/* Whole and undamaged? -EBADMSG; -EPROTO: of another version. */
_must_check_ int saved_check(const void *bytes, size_t size);
/*
 * One record after the other of a checked file; offset begins with zero.
 * 1 and the item (not aligned), 0 at the end, -EBADMSG.
 */
_must_check_ int saved_next(const void *bytes, size_t size, size_t *offset,
	struct saved_record *ret_record, const uint8_t **ret_item);

/*
 * Reads a file of the folder whole. -ENOENT; -EPERM when it is not a file
 * that only its owner, who must be this user, can write; -EFBIG.
 */
_must_check_ int saved_load(
	int folder, const char *name, uint8_t **ret_bytes, size_t *ret_size);
/*
 * Makes bytes the folder's file, and what was there the one before, if it is
 * good. What is there already is not written again: 0, and 1 if it was. At no
 * moment there is neither.
 */
_must_check_ int saved_store(int folder, const void *bytes, size_t size);
/* Removes all of them. 1: there was one. */
_must_check_ int saved_remove(int folder);

#endif
