/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a statement. Besides not crashing: what is accepted has one
 * spelling only, so writing it down again must give the same bytes, and all
 * versions that are accepted have an order.
 */
#include <stdio.h>
#include <string.h>

#include "modules/update/statement.h"
#include "modules/update/version.h"
#include "tests/fuzz/fuzz.h"

static size_t add_hex(char *to, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(to + 2 * i, 3, "%02x", bytes[i]);
	return 2 * n;
}

static size_t write_again(
	const struct statement *s, char text[static STATEMENT_MAX])
{
	size_t n = (size_t)snprintf(text, STATEMENT_MAX,
		"gatehouse-statement 1\nname %s\nversion %s\n"
		"architecture %s\nlength %llu\nsha256 ",
		s->name, s->version, s->architecture,
		(unsigned long long)s->length);

	n += add_hex(text + n, s->sha256, sizeof(s->sha256));
	text[n++] = '\n';
	fuzz_require(n == s->signed_length);
	n += (size_t)snprintf(text + n, STATEMENT_MAX - n, "signature %s ",
		s->kind == STATEMENT_ED25519 ? "ed25519" : "ecdsa-p256");
	n += add_hex(text + n, s->signature, s->signature_length);
	text[n++] = '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *reason = NULL;
	char again[STATEMENT_MAX];
	struct statement s;

	if (statement_parse(data, size, &s, &reason) < 0) {
		fuzz_require(reason && reason[0]);
		return 0;
	}
	fuzz_require(write_again(&s, again) == size);
	fuzz_require(memcmp(again, data, size) == 0);
	fuzz_require(version_is_valid(s.version));
	fuzz_require(version_compare(s.version, s.version) == 0);
	fuzz_require((version_compare(s.version, "0.1.0") < 0) ==
		     (version_compare("0.1.0", s.version) > 0));
	return 0;
}
