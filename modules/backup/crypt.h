/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cryptography of a backup: scrypt and AES-256-GCM. */
#ifndef GATEHOUSE_BACKUP_CRYPT_H
#define GATEHOUSE_BACKUP_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define CRYPT_KEY 32
#define CRYPT_SALT 16
#define CRYPT_NONCE 12
#define CRYPT_TAG 16

/* scrypt with N = 2^log_n. -ENOMEM, -EINVAL. */
_must_check_ int crypt_derive(const char *passphrase,
	const uint8_t salt[static CRYPT_SALT], unsigned log_n, unsigned r,
	unsigned p, uint8_t ret_key[static CRYPT_KEY]);
/* sealed: size bytes and the tag. -EIO. */
_must_check_ int crypt_seal(const uint8_t key[static CRYPT_KEY],
	const uint8_t nonce[static CRYPT_NONCE], const uint8_t *with,
	size_t with_size, const uint8_t *plain, size_t size, uint8_t *sealed);
/* The reverse, size without the tag. -EBADMSG: not genuine. */
_must_check_ int crypt_open(const uint8_t key[static CRYPT_KEY],
	const uint8_t nonce[static CRYPT_NONCE], const uint8_t *with,
	size_t with_size, const uint8_t *sealed, size_t size, uint8_t *plain);
/* Overwrites it for good. */
void crypt_wipe(void *bytes, size_t size);

#endif
