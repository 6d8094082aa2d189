/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only file of this folder that knows wolfSSL. Needs no random numbers:
 * a key is used for one backup, and its nonces count.
 */
#include "modules/backup/crypt.h"

#include <errno.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/pwdbased.h>

int crypt_derive(const char *passphrase, const uint8_t salt[static CRYPT_SALT],
	unsigned log_n, unsigned r, unsigned p,
	uint8_t ret_key[static CRYPT_KEY])
{
	int code = wc_scrypt(ret_key, (const byte *)passphrase,
		(int)strlen(passphrase), salt, CRYPT_SALT, (int)log_n, (int)r,
		(int)p, CRYPT_KEY);

	if (code == MEMORY_E)
		return -ENOMEM;
	return code == 0 ? 0 : -EINVAL;
}

static int start(Aes *aes, const uint8_t *key)
{
	if (wc_AesInit(aes, NULL, INVALID_DEVID) != 0)
		return -EIO;
	return wc_AesGcmSetKey(aes, key, CRYPT_KEY) == 0 ? 0 : -EIO;
}

int crypt_seal(const uint8_t key[static CRYPT_KEY],
	const uint8_t nonce[static CRYPT_NONCE], const uint8_t *with,
	size_t with_size, const uint8_t *plain, size_t size, uint8_t *sealed)
{
	Aes aes;
	int r = start(&aes, key);

	if (r == 0 && wc_AesGcmEncrypt(&aes, sealed, plain, (word32)size, nonce,
			      CRYPT_NONCE, sealed + size, CRYPT_TAG, with,
			      (word32)with_size) != 0)
		r = -EIO;
	wc_AesFree(&aes);
	crypt_wipe(&aes, sizeof(aes));
	return r;
}

int crypt_open(const uint8_t key[static CRYPT_KEY],
	const uint8_t nonce[static CRYPT_NONCE], const uint8_t *with,
	size_t with_size, const uint8_t *sealed, size_t size, uint8_t *plain)
{
	Aes aes;
	int r = start(&aes, key);

	if (r == 0 && wc_AesGcmDecrypt(&aes, plain, sealed, (word32)size, nonce,
			      CRYPT_NONCE, sealed + size, CRYPT_TAG, with,
			      (word32)with_size) != 0)
		r = -EBADMSG;
	wc_AesFree(&aes);
	crypt_wipe(&aes, sizeof(aes));
	return r;
}

void crypt_wipe(void *bytes, size_t size)
{
	explicit_bzero(bytes, size);
}
