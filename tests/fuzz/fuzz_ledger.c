/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the ledger of changes: what is accepted names nothing but
 * ports and known settings, and reads the same after being written again.
 */
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/ledger.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ledger ledger, again;
	char *text;

	ledger.n = 0;
	if (ledger_parse((const char *)data, size, &ledger) < 0) {
		fuzz_require(ledger.n == 0);
		return 0;
	}
	for (size_t i = 0; i < ledger.n; i++) {
		const struct ledger_entry *e = &ledger.entries[i];

		fuzz_require(e->kind == LEDGER_SETTING
				     ? ledger_is_setting(e->name)
				     : !strchr(e->name, '/'));
	}
	text = ledger_format(&ledger);
	fuzz_require(ledger_parse(text, strlen(text), &again) == 0);
	fuzz_require(again.n == ledger.n);
	free(text);
	return 0;
}
