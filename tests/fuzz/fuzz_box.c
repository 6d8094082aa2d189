/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a backup, opened with a key that is known: what comes out was
 * sealed with it, so sealing it again gives the same bytes. Then the bytes as
 * what is kept: what was sealed opens, and not when one bit is another.
 */
#include <string.h>

#include "modules/backup/box.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[CRYPT_KEY] = "a key that everybody may know!!";

static void open_it(const uint8_t *data, size_t size)
{
	struct box_header header;
	uint8_t *plain, *again;
	size_t length, total;

	if (box_read_header(data, size, &header) < 0) {
		fuzz_require(
			box_open_with(key, data, size, &plain, &length) < 0);
		return;
	}
	fuzz_require(header.log_n <= BOX_LOG_N_MAX && header.r == BOX_R &&
		     header.p <= BOX_P_MAX);
	if (box_open_with(key, data, size, &plain, &length) < 0)
		return;
	fuzz_require(box_seal_with(
			     key, &header, plain, length, &again, &total) == 0);
	fuzz_require(total == size && memcmp(again, data, size) == 0);
	free(again);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct box_header header = {.log_n = BOX_LOG_N, .r = BOX_R, .p = 1};
	uint8_t *box, *plain;
	size_t total, length;

	open_it(data, size);
	if (size == 0)
		return 0;
	fuzz_require(
		box_seal_with(key, &header, data, size, &box, &total) == 0);
	fuzz_require(box_open_with(key, box, total, &plain, &length) == 0);
	fuzz_require(length == size && memcmp(plain, data, size) == 0);
	free(plain);
	box[data[0] % total] ^= (uint8_t)(1u << (size % 8));
	fuzz_require(box_open_with(key, box, total, &plain, &length) < 0);
	free(box);
	return 0;
}
