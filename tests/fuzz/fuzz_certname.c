/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a server's certificate. The name asked for cannot occur in
 * them unless its own bytes do, whatever the rest says.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "agent/lib/cleanup.h"
#include "modules/proxy/certname.h"
#include "tests/fuzz/fuzz.h"

/* Do the bytes of word stand in data somewhere, in any case? */
static int holds(const uint8_t *data, size_t size, const char *word)
{
	size_t n = strlen(word), i, j;

	for (i = 0; i + n <= size; i++) {
		for (j = 0; j < n; j++)
			if (tolower(data[i + j]) != word[j])
				break;
		if (j == n)
			return 1;
	}
	return 0;
}

static void check_text(const char *text, size_t size)
{
	fuzz_require(memchr(text, '\0', size) != NULL);
	fuzz_require(text[0] != '\0');
	for (; *text; text++)
		fuzz_require(*text >= ' ' && *text < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[64];
	int r;

	r = certname_check(data, size, "a.broker.example");
	fuzz_require(r == 0 || r == -ENOENT || r == -EBADMSG);
	if (r == 0)
		fuzz_require(holds(data, size, "a.broker.example") ||
			     holds(data, size, "*.broker.example"));
	r = certname_check(data, size, "192.0.2.80");
	if (r == 0)
		fuzz_require(memmem(data, size, "\xc0\0\2\x50", 4) != NULL);
	fuzz_require(certname_check(data, size, "no host") != 0);
	certname_describe(data, size, text, sizeof(text));
	check_text(text, sizeof(text));
	certname_self_issued(data, size);
	return 0;
}
