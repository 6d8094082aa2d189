/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup file: a header of BOX_HEADER bytes that says how the key comes
 * from the passphrase, then chunks of BOX_CHUNK bytes, each encrypted and
 * followed by its tag; only the last may be shorter. A chunk's nonce holds its
 * number and whether it is the last, and the header is authenticated with each:
 * what is cut off, added, moved or changed is noticed. Pure but for memory.
 */
#ifndef GATEHOUSE_BACKUP_BOX_H
#define GATEHOUSE_BACKUP_BOX_H

#include <stdint.h>

#include "modules/backup/crypt.h"

#define BOX_HEADER 48
#define BOX_CHUNK 65536
#define BOX_PLAIN_MAX (64u << 20) /* what one backup can hold */
#define BOX_CHUNKS_MAX (BOX_PLAIN_MAX / BOX_CHUNK + 1)
#define BOX_SIZE_MAX \
	(BOX_HEADER + BOX_PLAIN_MAX + (size_t)BOX_CHUNKS_MAX * CRYPT_TAG)
/* Of scrypt: 128 * r * 2^log_n bytes of memory are needed. */
#define BOX_LOG_N 15 /* 32 MB */
#define BOX_LOG_N_MIN 14
#define BOX_LOG_N_MAX 17 /* 128 MB */
#define BOX_R 8
#define BOX_P_MAX 4

struct box_header {
	uint8_t log_n, r, p;
	uint8_t salt[CRYPT_SALT];
};

/*
 * -ENOMSG: not a backup of ours; -EPROTONOSUPPORT: of another version, or its
 * parameters ask for more memory than anybody should give; -EMSGSIZE: longer
 * or shorter than any backup.
 */
_must_check_ int box_read_header(
	const uint8_t *bytes, size_t size, struct box_header *ret_header);
void box_write_header(
	const struct box_header *header, uint8_t bytes[static BOX_HEADER]);

/* With the key that belongs to the header; ret_* are the caller's to free. */
_must_check_ int box_seal_with(const uint8_t key[static CRYPT_KEY],
	const struct box_header *header, const uint8_t *plain, size_t size,
	uint8_t **ret_box, size_t *ret_size);
/*
 * Nothing is given out before all of it was found to be genuine. As
 * box_read_header(); -EKEYREJECTED: another key, or its first chunk is
 * damaged; -EBADMSG: damaged, cut off or added to.
 */
_must_check_ int box_open_with(const uint8_t key[static CRYPT_KEY],
	const uint8_t *box, size_t size, uint8_t **ret_plain, size_t *ret_size);

/* The same with a passphrase; -E2BIG: more than BOX_PLAIN_MAX. */
_must_check_ int box_seal(const char *passphrase, const uint8_t *plain,
	size_t size, uint8_t **ret_box, size_t *ret_size);
_must_check_ int box_open(const char *passphrase, const uint8_t *box,
	size_t size, uint8_t **ret_plain, size_t *ret_size);

#endif
