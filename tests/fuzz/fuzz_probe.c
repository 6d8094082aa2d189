/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a result of probes: what is accepted reads the same again. */
#include <stdlib.h>
#include <string.h>

#include "agent/lib/probe.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_results results = {.n = 0}, again = {.n = 0};
	char *text;

	if (probe_parse((const char *)data, size, &results) < 0) {
		fuzz_require(results.n == 0);
		return 0;
	}
	text = probe_format(&results);
	fuzz_require(probe_parse(text, strlen(text), &again) == 0);
	fuzz_require(memcmp(&results, &again, sizeof(results)) == 0);
	free(text);
	return 0;
}
