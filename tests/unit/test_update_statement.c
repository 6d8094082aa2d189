/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements and versions: the pure half of updates. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "modules/update/statement.h"
#include "modules/update/version.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FACTS                                                    \
	"gatehouse-statement 1\nname gatehouse\nversion 0.2.0\n" \
	"architecture amd64\nlength 4096\nsha256 " HEX64 "\n"
#define GOOD FACTS "signature ed25519 " HEX64 HEX64 "\n"
/* 30 06 02 01 01 02 01 01: the smallest signature there can be. */
#define GOOD_DER FACTS "signature ecdsa-p256 3006020101020101\n"

static int parse(const char *text, struct statement *s, const char **why)
{
	*why = "";
	return statement_parse(text, strlen(text), s, why);
}

static void reads_a_good_one(void **state)
{
	struct statement s;
	const char *why;

	(void)state;
	assert_int_equal(parse(GOOD, &s, &why), 0);
	assert_string_equal(s.name, "gatehouse");
	assert_string_equal(s.version, "0.2.0");
	assert_string_equal(s.architecture, "amd64");
	assert_int_equal(s.length, 4096);
	assert_int_equal(s.sha256[0], 0x01);
	assert_int_equal(s.sha256[31], 0xef);
	assert_int_equal(s.kind, STATEMENT_ED25519);
	assert_int_equal(s.signature_length, 64);
	assert_int_equal(s.signed_length, strlen(FACTS));
	assert_int_equal(parse(GOOD_DER, &s, &why), 0);
	assert_int_equal(s.kind, STATEMENT_ECDSA_P256);
	assert_int_equal(s.signature_length, 8);
}

/* What replaces a part of a good statement, and the line that is blamed. */
static const struct {
	const char *old, *now, *why;
} deviations[] = {
	{"gatehouse-statement 1\n", "gatehouse-statement 2\n", "line 1"},
	{"gatehouse-statement 1\n", "gatehouse-statement 1\r\n", "line 1"},
	{"gatehouse-statement 1\n", "gatehouse-statement 1 \n", "line 1"},
	{"gatehouse-statement 1\n", "\ngatehouse-statement 1\n", "line 1"},
	{"gatehouse-statement 1\n", "\xef\xbb\xbfgatehouse-statement 1\n",
		"line 1"},
	{"name gatehouse", "Name gatehouse", "line 2"},
	{"name gatehouse", "name  gatehouse", "line 2"},
	{"name gatehouse", "name Gatehouse", "line 2"},
	{"name gatehouse", "name gatehouse ", "line 2"},
	{"name gatehouse", "name gate/house", "line 2"},
	{"name gatehouse\n", "name \n", "line 2"},
	{"name gatehouse\n", "name gatehouse\nname gatehouse\n", "line 3"},
	{"name gatehouse\n", "", "line 2"},
	{"name gatehouse", "name " HEX64, "line 2"},
	{"version 0.2.0", "version v0.2.0", "line 3"},
	{"version 0.2.0", "version 0.2.0\t", "line 3"},
	{"version 0.2.0", "version 0.2.0-", "line 3"},
	{"version 0.2.0\n", "version 0.2.0\n# note\n", "line 4"},
	{"version 0.2.0\n", "version 0." HEX64 "\n", "line 3"},
	{"architecture amd64", "architecture AMD64", "line 4"},
	{"architecture amd64", "architecture -amd64", "line 4"},
	{"length 4096", "length 04096", "line 5"},
	{"length 4096", "length 0", "line 5"},
	{"length 4096", "length -1", "line 5"},
	{"length 4096", "length +4096", "line 5"},
	{"length 4096", "length 0x10", "line 5"},
	{"length 4096", "length 67108865", "line 5"},
	{"length 4096", "length 18446744073709551617", "line 5"},
	{"length 4096", "length 4096.0", "line 5"},
	{"sha256 0123", "sha256 0123ab", "line 6"},
	{"sha256 0123", "sha256 23", "line 6"},
	{"sha256 01234", "sha256 1234", "line 6"},
	{"cdef\nsig", "cdeF\nsig", "line 6"},
	{"sha256 ", "sha512 ", "line 6"},
	{"signature ed25519", "signature ed448", "line 7"},
	{"signature ed25519", "signature ecdsa-p256", "DER"},
	{"signature ed25519 ", "signature ed25519  ", "hex"},
	{"signature ed25519 01", "signature ed25519 0", "hex"},
	{"signature ed25519 01", "signature ed25519 ", "64 bytes"},
	{"signature ed25519 01", "signature ed25519 0101", "64 bytes"},
	{"signature ed25519 0123456789ab", "signature ed25519 0123456789AB",
		"hex"},
};

static void refuses_every_deviation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(deviations); i++) {
		const char *at = strstr(GOOD, deviations[i].old);
		struct statement s;
		const char *why;
		char text[2048];

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD,
			deviations[i].now, at + strlen(deviations[i].old));
		assert_int_equal(parse(text, &s, &why), -EBADMSG);
		if (!strstr(why, deviations[i].why))
			fail_msg("%s: %s", deviations[i].now, why);
	}
}

static void refuses_wrong_ends(void **state)
{
	struct statement s = {.length = 7};
	const char *why;
	char text[STATEMENT_MAX + 2];

	(void)state;
	for (size_t n = 0; n < strlen(GOOD); n++)
		assert_int_equal(statement_parse(GOOD, n, &s, &why), -EBADMSG);
	/* The NUL after the text is one byte too many. */
	assert_int_equal(
		statement_parse(GOOD, sizeof(GOOD), &s, &why), -EBADMSG);
	assert_string_equal(why, "something follows the signature");
	assert_int_equal(parse(GOOD "\n", &s, &why), -EBADMSG);
	assert_int_equal(parse(GOOD GOOD, &s, &why), -EBADMSG);
	memset(text, 'x', sizeof(text));
	memcpy(text, GOOD, strlen(GOOD));
	assert_int_equal(
		statement_parse(text, STATEMENT_MAX + 1, &s, &why), -EBADMSG);
	assert_string_equal(why, "it is too long");
	assert_int_equal(s.length, 7); /* untouched by failures */
}

static void knows_one_der_spelling(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		bool good;
	} table[] = {
		{"\x30\x06\x02\x01\x01\x02\x01\x01", 8, true},
		{"\x30\x08\x02\x02\x00\x80\x02\x02\x00\xff", 10, true},
		{"\x31\x06\x02\x01\x01\x02\x01\x01", 8, false},
		{"\x30\x07\x02\x01\x01\x02\x01\x01", 8, false},
		{"\x30\x06\x02\x01\x01\x02\x01\x01\x00", 9, false},
		{"\x30\x07\x02\x01\x01\x02\x01\x01\x00", 9, false},
		{"\x30\x81\x06\x02\x01\x01\x02\x01\x01", 9, false},
		{"\x30\x06\x02\x01\x00\x02\x01\x01", 8, false},
		{"\x30\x06\x02\x01\x80\x02\x01\x01", 8, false},
		{"\x30\x07\x02\x02\x00\x01\x02\x01\x01", 9, false},
		{"\x30\x06\x04\x01\x01\x02\x01\x01", 8, false},
		{"\x30\x06\x02\x00\x01\x02\x01\x01", 8, false},
		{"\x30\x06\x02\x04\x01\x02\x01\x01", 8, false},
		{"\x30\x03\x02\x01\x01", 5, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(statement_der_is_canonical(
					 (const uint8_t *)table[i].bytes,
					 table[i].length),
			table[i].good);
}

static const char *const versions[] = {"0", "0.1", "0.1.0", "0.1.0~rc1",
	"0.1.0~rc2", "0.1.0~~", "0.1.0-1", "0.1.0-1~bpo12+1", "0.1.0+git1",
	"0.1.1", "0.1.10", "0.1.2", "0.01.2", "0.10", "1.0a", "1.0z", "1.0+",
	"1.0.", "1:0.1", "0:0.1", "00:0.1.0", "10:0", "0.1.0-0",
	"99999999999999999999", "100000000000000000000", "1-2-3", "1a2",
	"1a10"};

/* dpkg's answer; -1 when there is no dpkg. */
static int dpkg_says(const char *a, const char *relation, const char *b)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("dpkg", "dpkg", "--compare-versions", a, relation, b,
			(char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status) > 1
		       ? -1
		       : WEXITSTATUS(status) == 0;
}

static void orders_as_dpkg_does(void **state)
{
	(void)state;
	if (dpkg_says("1", "lt", "2") != 1)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		for (size_t j = 0; j < i; j++) {
			const char *a = versions[i], *b = versions[j];
			int order = version_compare(a, b);
			const char *relation = order < 0   ? "lt"
					       : order > 0 ? "gt"
							   : "eq";

			if (dpkg_says(a, relation, b) != 1)
				fail_msg("%s is not %s %s", a, relation, b);
			assert_true((version_compare(b, a) > 0) == (order < 0));
		}
	}
}

static void orders_without_dpkg(void **state)
{
	static const char *const rising[] = {"0.1.0~~", "0.1.0~rc1", "0.1.0",
		"0.1.0-1~bpo12+1", "0.1.0-1", "0.1.0+git1", "0.1.2", "0.1.10",
		"0.10", "1.0", "1.0a", "1.0+", "1:0.1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rising); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rising); j++) {
			int order = version_compare(rising[i], rising[j]);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
}

static void knows_what_is_no_version(void **state)
{
	static const char *const bad[] = {"", "a", ".1", "-1", "1-", "1 ",
		"1_0", "1:", ":1", "a:1", "1:2:3", "1:a", "1234567890:1",
		"1-2_3", "1\n", "1\x80", "-1:1", "~1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (version_is_valid(bad[i]))
			fail_msg("\"%s\" is taken for a version", bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (!version_is_valid(versions[i]))
			fail_msg("%s is not taken", versions[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_good_one),
		cmocka_unit_test(refuses_every_deviation),
		cmocka_unit_test(refuses_wrong_ends),
		cmocka_unit_test(knows_one_der_spelling),
		cmocka_unit_test(orders_as_dpkg_does),
		cmocka_unit_test(orders_without_dpkg),
		cmocka_unit_test(knows_what_is_no_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
