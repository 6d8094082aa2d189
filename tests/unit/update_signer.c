/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A publisher for tests. Its keys live as long as the test; none is ever
 * written anywhere.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "tests/unit/update_signer.h"

struct signer {
	enum statement_kind kind;
	WC_RNG rng;
	ed25519_key ed25519;
	ecc_key ecc;
	char pem[UPDATE_KEY_MAX];
};

static void must(int r)
{
	if (r < 0) {
		fprintf(stderr, "wolfCrypt says %d\n", r);
		abort();
	}
}

struct signer *signer_new(enum statement_kind kind)
{
	struct signer *s = calloc(1, sizeof(*s));
	byte der[256];
	int size, n;

	assert(s);
	s->kind = kind;
	must(wc_InitRng(&s->rng));
	must(wc_ed25519_init(&s->ed25519));
	must(wc_ecc_init(&s->ecc));
	if (kind == STATEMENT_ED25519) {
		must(wc_ed25519_make_key(&s->rng, 32, &s->ed25519));
		size = wc_Ed25519PublicKeyToDer(
			&s->ed25519, der, sizeof(der), 1);
	} else {
		must(wc_ecc_make_key_ex(&s->rng, 32, &s->ecc, ECC_SECP256R1));
		size = wc_EccPublicKeyToDer(&s->ecc, der, sizeof(der), 1);
	}
	must(size);
	n = wc_DerToPem(der, (word32)size, (byte *)s->pem, sizeof(s->pem) - 1,
		ECC_PUBLICKEY_TYPE);
	must(n);
	s->pem[n] = '\0';
	return s;
}

struct signer *signer_free(struct signer *s)
{
	wc_ed25519_free(&s->ed25519);
	wc_ecc_free(&s->ecc);
	wc_FreeRng(&s->rng);
	free(s);
	return NULL;
}

const char *signer_pem(const struct signer *s)
{
	return s->pem;
}

static size_t print_hex(char *to, const byte *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(to + 2 * i, 3, "%02x", bytes[i]);
	return 2 * n;
}

size_t signer_sign(
	struct signer *s, const char *text, char *statement, size_t size)
{
	byte hash[32], signature[STATEMENT_SIGNATURE_MAX + 8];
	word32 n = sizeof(signature);
	size_t at = strlen(text);
	const char *kind;

	if (s->kind == STATEMENT_ED25519) {
		must(wc_ed25519_sign_msg((const byte *)text, (word32)at,
			signature, &n, &s->ed25519));
		kind = "signature ed25519 ";
	} else {
		must(wc_Sha256Hash((const byte *)text, (word32)at, hash));
		must(wc_ecc_sign_hash(
			hash, sizeof(hash), signature, &n, &s->rng, &s->ecc));
		kind = "signature ecdsa-p256 ";
	}
	assert(size > at + strlen(kind) + 2 * n + 2);
	memcpy(statement, text, at);
	memcpy(statement + at, kind, strlen(kind) + 1);
	at += strlen(kind);
	at += print_hex(statement + at, signature, n);
	memcpy(statement + at, "\n", 2);
	return at + 1;
}

void signer_state(char *text, size_t size, const char *name,
	const char *version, const char *architecture, const void *package,
	size_t length)
{
	byte hash[32];
	char hex[65];

	must(wc_Sha256Hash(package, (word32)length, hash));
	print_hex(hex, hash, sizeof(hash));
	snprintf(text, size,
		"gatehouse-statement 1\nname %s\nversion %s\n"
		"architecture %s\nlength %zu\nsha256 %s\n",
		name, version, architecture, length, hex);
}

int signer_file(const void *bytes, size_t length)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	return fd;
}
