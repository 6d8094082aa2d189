/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seals and opens a backup in memory. What it is given to open is hostile
 * until its last chunk was found genuine; the header alone says how much
 * memory the key takes, so it is bounded before anything is done with it.
 */
#include "modules/backup/box.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#define BOX_VERSION 1
#define KDF_SCRYPT 1

static const uint8_t magic[16] = "gatehouse-backup";

/* magic, version, kdf, log_n, r, p, three zeros, salt, eight zeros */
void box_write_header(
	const struct box_header *header, uint8_t bytes[static BOX_HEADER])
{
	memset(bytes, 0, BOX_HEADER);
	memcpy(bytes, magic, sizeof(magic));
	bytes[16] = BOX_VERSION;
	bytes[17] = KDF_SCRYPT;
	bytes[18] = header->log_n;
	bytes[19] = header->r;
	bytes[20] = header->p;
	memcpy(bytes + 24, header->salt, CRYPT_SALT);
}

int box_read_header(
	const uint8_t *bytes, size_t size, struct box_header *ret_header)
{
	struct box_header header;
	uint8_t again[BOX_HEADER];

	if (size < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)) != 0)
		return -ENOMSG;
	if (size < BOX_HEADER + CRYPT_TAG || size > BOX_SIZE_MAX)
		return -EMSGSIZE;
	header.log_n = bytes[18];
	header.r = bytes[19];
	header.p = bytes[20];
	memcpy(header.salt, bytes + 24, CRYPT_SALT);
	box_write_header(&header, again);
	if (memcmp(again, bytes, BOX_HEADER) != 0 ||
		header.log_n < BOX_LOG_N_MIN || header.log_n > BOX_LOG_N_MAX ||
		header.r != BOX_R || header.p < 1 || header.p > BOX_P_MAX)
		return -EPROTONOSUPPORT;
	*ret_header = header;
	return 0;
}

static void make_nonce(
	uint64_t number, bool last, uint8_t nonce[static CRYPT_NONCE])
{
	memset(nonce, 0, CRYPT_NONCE);
	nonce[3] = last;
	for (size_t i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(number >> (56 - 8 * i));
}

int box_seal_with(const uint8_t key[static CRYPT_KEY],
	const struct box_header *header, const uint8_t *plain, size_t size,
	uint8_t **ret_box, size_t *ret_size)
{
	/* Nothing at all is one empty chunk. */
	size_t n = size == 0 ? 1 : (size + BOX_CHUNK - 1) / BOX_CHUNK;
	size_t total = BOX_HEADER + size + n * CRYPT_TAG;
	uint8_t nonce[CRYPT_NONCE], *box, *at;
	int r = 0;

	if (size > BOX_PLAIN_MAX)
		return -E2BIG;
	box = malloc(total);
	if (!box)
		return -ENOMEM;
	box_write_header(header, box);
	at = box + BOX_HEADER;
	for (size_t i = 0; i < n && r == 0; i++) {
		size_t left = size - i * BOX_CHUNK;
		size_t length = left > BOX_CHUNK ? BOX_CHUNK : left;

		make_nonce(i, i + 1 == n, nonce);
		r = crypt_seal(key, nonce, box, BOX_HEADER,
			plain + i * BOX_CHUNK, length, at);
		at += length + CRYPT_TAG;
	}
	if (r < 0) {
		free(box);
		return r;
	}
	*ret_box = box;
	*ret_size = total;
	return 0;
}

/* How long the text of a box is; it must be able to be one. */
static int measure(size_t size, size_t *ret_chunks, size_t *ret_plain)
{
	size_t body = size - BOX_HEADER, whole = BOX_CHUNK + CRYPT_TAG;
	size_t n = (body + whole - 1) / whole;

	/* Even an empty last chunk has its tag. */
	if (body - (n - 1) * whole < CRYPT_TAG)
		return -EBADMSG;
	*ret_chunks = n;
	*ret_plain = body - n * CRYPT_TAG;
	return 0;
}

int box_open_with(const uint8_t key[static CRYPT_KEY], const uint8_t *box,
	size_t size, uint8_t **ret_plain, size_t *ret_size)
{
	struct box_header header;
	uint8_t nonce[CRYPT_NONCE], *plain;
	const uint8_t *at = box + BOX_HEADER;
	size_t n = 0, total = 0;
	int r = box_read_header(box, size, &header);

	if (r == 0)
		r = measure(size, &n, &total);
	if (r < 0)
		return r;
	plain = malloc(total + 1);
	if (!plain)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		size_t left = total - i * BOX_CHUNK;
		size_t length = left > BOX_CHUNK ? BOX_CHUNK : left;

		make_nonce(i, i + 1 == n, nonce);
		r = crypt_open(key, nonce, box, BOX_HEADER, at, length,
			plain + i * BOX_CHUNK);
		if (r < 0 && i == 0)
			r = -EKEYREJECTED;
		at += length + CRYPT_TAG;
	}
	if (r < 0) {
		crypt_wipe(plain, total);
		free(plain);
		return r;
	}
	plain[total] = 0;
	*ret_plain = plain;
	*ret_size = total;
	return 0;
}

int box_seal(const char *passphrase, const uint8_t *plain, size_t size,
	uint8_t **ret_box, size_t *ret_size)
{
	struct box_header header = {.log_n = BOX_LOG_N, .r = BOX_R, .p = 1};
	uint8_t key[CRYPT_KEY];
	int r;

	if (size > BOX_PLAIN_MAX)
		return -E2BIG;
	if (getrandom(header.salt, CRYPT_SALT, 0) != CRYPT_SALT)
		return -EIO;
	r = crypt_derive(
		passphrase, header.salt, header.log_n, header.r, header.p, key);
	if (r == 0)
		r = box_seal_with(key, &header, plain, size, ret_box, ret_size);
	crypt_wipe(key, sizeof(key));
	return r;
}

int box_open(const char *passphrase, const uint8_t *box, size_t size,
	uint8_t **ret_plain, size_t *ret_size)
{
	struct box_header header;
	uint8_t key[CRYPT_KEY];
	int r = box_read_header(box, size, &header);

	if (r == 0)
		r = crypt_derive(passphrase, header.salt, header.log_n,
			header.r, header.p, key);
	if (r == 0)
		r = box_open_with(key, box, size, ret_plain, ret_size);
	crypt_wipe(key, sizeof(key));
	return r;
}
