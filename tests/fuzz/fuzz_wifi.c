/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a hostapd.conf: the list stays in its bounds, and who has no
 * ap_isolate line is not isolated.
 */
#include <string.h>

#include "agent/lib/wifi.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wifi_bss bss[WIFI_BSS_MAX];
	size_t n = wifi_parse((const char *)data, size, bss, WIFI_BSS_MAX);

	fuzz_require(n <= WIFI_BSS_MAX);
	for (size_t i = 0; i < n; i++) {
		fuzz_require(bss[i].line > 0);
		fuzz_require(memchr(bss[i].interface, 0,
				     sizeof(bss[i].interface)) != NULL);
		fuzz_require(
			!bss[i].isolate || bss[i].isolate_line > bss[i].line);
	}
	return 0;
}
