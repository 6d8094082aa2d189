/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs cryptography: keys, signatures, hashes of files. */
#ifndef GATEHOUSE_UPDATE_VERIFY_H
#define GATEHOUSE_UPDATE_VERIFY_H

#include "modules/update/statement.h"

struct verify_key;

/* Before anything else, once, outside the sandbox. -EIO. */
_must_check_ int verify_start(void);

/*
 * A PEM public key ("BEGIN PUBLIC KEY"), Ed25519 or ECDSA P-256, and nothing
 * else: -EINVAL. -ENOMEM.
 */
_must_check_ int verify_key_read(
	const char *pem, size_t length, struct verify_key **ret_key);
struct verify_key *verify_key_free(struct verify_key *key);
enum statement_kind verify_key_kind(const struct verify_key *key);

/* 0 when key made signature over bytes; -EKEYREJECTED in any other case. */
_must_check_ int verify_signature(struct verify_key *key, const void *bytes,
	size_t length, const uint8_t *signature, size_t signature_length);

/*
 * 0 when the file is a regular one of exactly this length and hash; its
 * offset stays. -EFBIG: longer, -ENODATA: shorter, -EBADMSG: other bytes,
 * -EISDIR: no regular file, or -errno of reading.
 */
_must_check_ int verify_file(
	int fd, uint64_t length, const uint8_t sha256[STATEMENT_SHA256]);

static inline void cleanup_verify_key(struct verify_key **key)
{
	verify_key_free(*key);
}

#endif
