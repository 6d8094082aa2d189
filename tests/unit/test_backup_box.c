/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container of a backup: what opens it, and all that must not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "modules/backup/box.h"

#define WHOLE (BOX_CHUNK + CRYPT_TAG)

static const uint8_t key[CRYPT_KEY] = "0123456789abcdef0123456789abcde";
static const struct box_header usual = {
	.log_n = BOX_LOG_N, .r = BOX_R, .p = 1, .salt = "fifteen letters"};

static uint8_t *make(size_t size)
{
	uint8_t *bytes = malloc(size + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	return bytes;
}

static int open_only(const uint8_t *box, size_t size)
{
	uint8_t *plain = NULL;
	size_t length;
	int r = box_open_with(key, box, size, &plain, &length);

	if (r < 0)
		assert_null(plain);
	free(plain);
	return r;
}

static void test_there_and_back(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, BOX_CHUNK - 1, BOX_CHUNK,
		BOX_CHUNK + 1, 3 * BOX_CHUNK, 3 * BOX_CHUNK + 17};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *plain = make(sizes[i]), *box, *again;
		size_t total, length;

		assert_int_equal(box_seal_with(key, &usual, plain, sizes[i],
					 &box, &total),
			0);
		assert_int_equal(
			box_open_with(key, box, total, &again, &length), 0);
		assert_int_equal(length, sizes[i]);
		assert_memory_equal(again, plain, length);
		/* And nothing of it can be read in the box. */
		if (length >= 1000)
			assert_null(memmem(box, total, plain, 16));
		free(again);
		free(box);
		free(plain);
	}
}

static void test_too_much(void **state)
{
	uint8_t *box;
	size_t total;

	(void)state;
	assert_int_equal(box_seal_with(key, &usual, (const uint8_t *)"",
				 BOX_PLAIN_MAX + 1, &box, &total),
		-E2BIG);
}

static void test_changed(void **state)
{
	uint8_t *plain = make(100), *box;
	size_t total;

	(void)state;
	assert_int_equal(
		box_seal_with(key, &usual, plain, 100, &box, &total), 0);
	for (size_t i = 0; i < total; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			box[i] ^= (uint8_t)(1u << bit);
			assert_true(open_only(box, total) < 0);
			box[i] ^= (uint8_t)(1u << bit);
		}
	assert_int_equal(open_only(box, total), 0);
	box[BOX_HEADER] ^= 1;
	assert_int_equal(open_only(box, total), -EKEYREJECTED);
	free(box);
	free(plain);
}

static void test_cut_and_added(void **state)
{
	size_t size = 2 * BOX_CHUNK + 50, total;
	uint8_t *plain = make(size), *box, *longer;

	(void)state;
	assert_int_equal(
		box_seal_with(key, &usual, plain, size, &box, &total), 0);
	/* Cut where a chunk ends, and anywhere else. */
	assert_true(open_only(box, BOX_HEADER + WHOLE) < 0);
	assert_int_equal(open_only(box, BOX_HEADER + 2 * WHOLE), -EBADMSG);
	assert_true(open_only(box, total - 1) < 0);
	assert_true(open_only(box, BOX_HEADER + 2 * WHOLE + 3) < 0);
	assert_int_equal(open_only(box, BOX_HEADER), -EMSGSIZE);
	assert_int_equal(open_only(box, 3), -ENOMSG);
	/* Two chunks change places. */
	longer = malloc(total + WHOLE);
	assert_non_null(longer);
	memcpy(longer, box, BOX_HEADER);
	memcpy(longer + BOX_HEADER, box + BOX_HEADER + WHOLE, WHOLE);
	memcpy(longer + BOX_HEADER + WHOLE, box + BOX_HEADER, WHOLE);
	memcpy(longer + BOX_HEADER + 2 * WHOLE, box + BOX_HEADER + 2 * WHOLE,
		total - BOX_HEADER - 2 * WHOLE);
	assert_true(open_only(longer, total) < 0);
	/* A byte more; the last chunk once more; a chunk left out. */
	memcpy(longer, box, total);
	longer[total] = 0;
	assert_true(open_only(longer, total + 1) < 0);
	memcpy(longer + total, box + BOX_HEADER + 2 * WHOLE, 50 + CRYPT_TAG);
	assert_true(open_only(longer, total + 50 + CRYPT_TAG) < 0);
	memcpy(longer + BOX_HEADER + WHOLE, box + BOX_HEADER + 2 * WHOLE,
		50 + CRYPT_TAG);
	assert_true(open_only(longer, total - WHOLE) < 0);
	free(longer);
	free(box);
	free(plain);
}

/* What a hostile file may ask for. */
static void test_header(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int result;
	} bad[] = {
		{0, 'G', -ENOMSG},
		{16, 2, -EPROTONOSUPPORT}, /* version */
		{17, 0, -EPROTONOSUPPORT}, /* how the key is made */
		{18, BOX_LOG_N_MAX + 1, -EPROTONOSUPPORT},
		{18, 30, -EPROTONOSUPPORT}, /* 1 TB */
		{18, 255, -EPROTONOSUPPORT},
		{18, BOX_LOG_N_MIN - 1, -EPROTONOSUPPORT},
		{19, 255, -EPROTONOSUPPORT},
		{19, 0, -EPROTONOSUPPORT},
		{20, 0, -EPROTONOSUPPORT},
		{20, BOX_P_MAX + 1, -EPROTONOSUPPORT},
		{21, 1, -EPROTONOSUPPORT}, /* nothing is there yet */
		{47, 1, -EPROTONOSUPPORT},
	};
	uint8_t box[BOX_HEADER + CRYPT_TAG] = {0};
	struct box_header header;
	uint8_t *plain;
	size_t size;

	(void)state;
	box_write_header(&usual, box);
	assert_int_equal(box_read_header(box, sizeof(box), &header), 0);
	assert_memory_equal(&header, &usual, sizeof(header));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t before = box[bad[i].at];

		box[bad[i].at] = bad[i].value;
		assert_int_equal(box_read_header(box, sizeof(box), &header),
			bad[i].result);
		/* Before a key is made of it. */
		assert_int_equal(box_open("x", box, sizeof(box), &plain, &size),
			bad[i].result);
		box[bad[i].at] = before;
	}
	assert_int_equal(
		box_read_header(box, BOX_SIZE_MAX + 1, &header), -EMSGSIZE);
}

static void test_passphrase(void **state)
{
	const char *words = "correct horse battery staple";
	uint8_t *box, *other, *plain;
	size_t total, length;

	(void)state;
	assert_int_equal(
		box_seal(words, (const uint8_t *)"mine", 4, &box, &total), 0);
	assert_int_equal(box_open(words, box, total, &plain, &length), 0);
	assert_int_equal(length, 4);
	assert_string_equal((char *)plain, "mine");
	free(plain);
	assert_int_equal(box_open("correct horse battery stable", box, total,
				 &plain, &length),
		-EKEYREJECTED);
	/* Each has a salt of its own. */
	assert_int_equal(
		box_seal(words, (const uint8_t *)"mine", 4, &other, &total), 0);
	assert_memory_not_equal(box + 24, other + 24, CRYPT_SALT);
	assert_memory_not_equal(box + BOX_HEADER, other + BOX_HEADER, 4);
	free(box);
	free(other);
}

/* It is scrypt and nothing else: what Python's hashlib makes of the same. */
static void test_scrypt(void **state)
{
	static const uint8_t expected[CRYPT_KEY] = {0xcb, 0x07, 0x77, 0x2a,
		0xe1, 0xb9, 0x37, 0xbe, 0x7e, 0xff, 0xe9, 0xff, 0x0a, 0x37,
		0xea, 0x77, 0x8a, 0xa3, 0xcd, 0x04, 0x1a, 0x9d, 0x1d, 0x63,
		0x23, 0x54, 0x8f, 0x7e, 0xb1, 0x4a, 0x5c, 0xd6};
	static const uint8_t salt[CRYPT_SALT + 1] = "SodiumChloride16";
	uint8_t made[CRYPT_KEY];

	(void)state;
	assert_int_equal(
		crypt_derive("pleaseletmein", salt, 14, 8, 1, made), 0);
	assert_memory_equal(made, expected, CRYPT_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_cut_and_added),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_scrypt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
