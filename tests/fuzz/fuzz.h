/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entry point that libFuzzer and replay.c call. */
#ifndef GATEHOUSE_FUZZ_H
#define GATEHOUSE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
	const uint8_t *data, size_t size);

/* assert() may be compiled out; what a target promises may not. */
#define fuzz_require(condition)           \
	do {                              \
		if (!(condition))         \
			__builtin_trap(); \
	} while (0)

#endif
