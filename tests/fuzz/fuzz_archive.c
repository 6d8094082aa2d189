/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what is inside a backup. What is accepted has one spelling, and
 * no name of it leads anywhere but to a file of its place.
 */
#include <string.h>

#include "agent/ctl/archive.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct archive archive = {0};
	char *again;
	size_t length;

	if (archive_read((const char *)data, size, &archive) < 0)
		return 0;
	fuzz_require(archive.n_files <= ARCHIVE_FILES_MAX);
	for (size_t i = 0; i < archive.n_files; i++) {
		const struct archive_file *file = &archive.files[i];

		fuzz_require(!strchr(file->name, '/'));
		fuzz_require(file->name[0] != '.');
		fuzz_require(file->bytes[file->size] == '\0');
		fuzz_require(archive_find(&archive, file->place, file->name) ==
			     file);
	}
	fuzz_require(archive_write(&archive, &again, &length) == 0);
	fuzz_require(length == size && memcmp(again, data, size) == 0);
	free(again);
	archive_clear(&archive);
	return 0;
}
