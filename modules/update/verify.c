/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys, signatures and hashes through wolfCrypt; the only file here that
 * knows it. Reads descriptors it is given and opens nothing. Every result
 * but the one success is a refusal: no path may fall through to "verified".
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/wc_port.h>

#include "modules/update/verify.h"

#define PEM_FIRST "-----BEGIN PUBLIC KEY-----\n"
#define ED25519_DER 44 /* the one length it has; wolfCrypt does not look */
#define CHUNK 16384

struct verify_key {
	enum statement_kind kind;
	union {
		ed25519_key ed25519;
		ecc_key ecc;
	};
};

int verify_start(void)
{
	return wolfCrypt_Init() == 0 ? 0 : -EIO;
}

static bool read_ed25519(struct verify_key *key, const byte *der, word32 size)
{
	word32 used = 0;

	if (size != ED25519_DER || wc_ed25519_init(&key->ed25519) != 0)
		return false;
	if (wc_Ed25519PublicKeyDecode(der, &used, &key->ed25519, size) == 0) {
		key->kind = STATEMENT_ED25519;
		return true;
	}
	wc_ed25519_free(&key->ed25519);
	return false;
}

static bool read_p256(struct verify_key *key, const byte *der, word32 size)
{
	word32 used = 0;

	if (wc_ecc_init(&key->ecc) != 0)
		return false;
	if (wc_EccPublicKeyDecode(der, &used, &key->ecc, size) == 0 &&
		used == size &&
		wc_ecc_get_curve_id(key->ecc.idx) == ECC_SECP256R1 &&
		wc_ecc_check_key(&key->ecc) == 0) {
		key->kind = STATEMENT_ECDSA_P256;
		return true;
	}
	wc_ecc_free(&key->ecc);
	return false;
}

int verify_key_read(const char *pem, size_t length, struct verify_key **ret_key)
{
	_cleanup_(cleanup_free) struct verify_key *key = NULL;
	byte der[UPDATE_KEY_MAX];
	int size;

	if (length > UPDATE_KEY_MAX || length < strlen(PEM_FIRST) ||
		memcmp(pem, PEM_FIRST, strlen(PEM_FIRST)) != 0)
		return -EINVAL;
	size = wc_PubKeyPemToDer(
		(const byte *)pem, (int)length, der, sizeof(der));
	if (size <= 0)
		return -EINVAL;
	key = calloc(1, sizeof(*key));
	if (!key)
		return -ENOMEM;
	if (!read_ed25519(key, der, (word32)size) &&
		!read_p256(key, der, (word32)size))
		return -EINVAL;
	*ret_key = key;
	key = NULL;
	return 0;
}

struct verify_key *verify_key_free(struct verify_key *key)
{
	if (!key)
		return NULL;
	switch (key->kind) {
	case STATEMENT_ED25519:
		wc_ed25519_free(&key->ed25519);
		break;
	case STATEMENT_ECDSA_P256:
		wc_ecc_free(&key->ecc);
		break;
	}
	free(key);
	return NULL;
}

enum statement_kind verify_key_kind(const struct verify_key *key)
{
	return key->kind;
}

static bool verify_ed25519(struct verify_key *key, const void *bytes,
	size_t length, const uint8_t *signature, size_t signature_length)
{
	int good = 0;

	return wc_ed25519_verify_msg(signature, (word32)signature_length, bytes,
		       (word32)length, &good, &key->ed25519) == 0 &&
	       good == 1;
}

static bool verify_p256(struct verify_key *key, const void *bytes,
	size_t length, const uint8_t *signature, size_t signature_length)
{
	byte hash[WC_SHA256_DIGEST_SIZE];
	int good = 0;

	return wc_Sha256Hash(bytes, (word32)length, hash) == 0 &&
	       wc_ecc_verify_hash(signature, (word32)signature_length, hash,
		       sizeof(hash), &good, &key->ecc) == 0 &&
	       good == 1;
}

int verify_signature(struct verify_key *key, const void *bytes, size_t length,
	const uint8_t *signature, size_t signature_length)
{
	bool good = false;

	switch (key->kind) {
	case STATEMENT_ED25519:
		good = verify_ed25519(
			key, bytes, length, signature, signature_length);
		break;
	case STATEMENT_ECDSA_P256:
		good = verify_p256(
			key, bytes, length, signature, signature_length);
		break;
	}
	return good ? 0 : -EKEYREJECTED;
}

/* Hashes exactly length bytes from the start; -ENODATA when there are less. */
static int hash_file(int fd, uint64_t length, wc_Sha256 *sha)
{
	byte chunk[CHUNK];
	uint64_t at = 0;

	while (at < length) {
		size_t want = sizeof(chunk);
		ssize_t n;

		if (want > length - at)
			want = (size_t)(length - at);
		n = pread(fd, chunk, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		if (wc_Sha256Update(sha, chunk, (word32)n) != 0)
			return -EIO;
		at += (uint64_t)n;
	}
	return 0;
}

/* The file must end here: one byte more is looked for, none is used. */
static int ends_at(int fd, uint64_t length)
{
	char one;
	ssize_t n = pread(fd, &one, 1, (off_t)length);

	if (n < 0)
		return -errno;
	return n == 0 ? 0 : -EFBIG;
}

int verify_file(int fd, uint64_t length, const uint8_t sha256[STATEMENT_SHA256])
{
	byte hash[WC_SHA256_DIGEST_SIZE];
	struct stat st;
	wc_Sha256 sha;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	if (wc_InitSha256(&sha) != 0)
		return -EIO;
	r = hash_file(fd, length, &sha);
	if (r == 0)
		r = ends_at(fd, length);
	if (r == 0 && wc_Sha256Final(&sha, hash) != 0)
		r = -EIO;
	wc_Sha256Free(&sha);
	if (r < 0)
		return r;
	return memcmp(hash, sha256, sizeof(hash)) == 0 ? 0 : -EBADMSG;
}
