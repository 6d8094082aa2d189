/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict about an update: the good one passes, and nothing else does.
 * Every test runs with both kinds of key.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "modules/update/judge.h"
#include "modules/update/key.h"
#include "modules/update/verify.h"
#include "tests/unit/update_signer.h"

#define PACKAGE_BYTES 40000 /* several chunks */
#define RUNNING "0.1.0"

struct publisher {
	struct signer *signer;
	struct verify_key *key;
};

static uint8_t package[PACKAGE_BYTES + 1];
static struct publisher ours[2], theirs[2];
static const enum statement_kind kinds[] = {
	STATEMENT_ED25519, STATEMENT_ECDSA_P256};

/* What judge_verdict() said last. */
static char reason[JUDGE_REASON];
static struct statement stated;

static int judge_verdict(struct verify_key *key, const void *statement,
	size_t length, const void *bytes, size_t size)
{
	struct judge judge = {
		.key = key, .running = RUNNING, .architecture = "amd64"};
	int fd = signer_file(bytes, size);
	int r;

	memset(&stated, 0, sizeof(stated));
	memset(reason, 0, sizeof(reason));
	r = judge_bytes(&judge, statement, length, fd, &stated, reason);
	close(fd);
	assert_true(strlen(reason) > 10);
	assert_true(r == 0 || !stated.version[0]);
	return r;
}

/* A statement about the package, signed by signer. */
static size_t make(char *statement, struct signer *signer, const char *name,
	const char *version, const char *architecture)
{
	char text[STATEMENT_MAX];

	signer_state(text, sizeof(text), name, version, architecture, package,
		PACKAGE_BYTES);
	return signer_sign(signer, text, statement, STATEMENT_MAX);
}

static void takes_the_good_one(void **state)
{
	char statement[STATEMENT_MAX];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n = make(statement, ours[k].signer, "gatehouse", "0.1.1",
			"amd64");

		assert_int_equal(judge_verdict(ours[k].key, statement, n,
					 package, PACKAGE_BYTES),
			0);
		assert_string_equal(stated.version, "0.1.1");
		assert_non_null(strstr(reason, "0.1.1"));
	}
}

static void refuses(size_t k, const char *name, const char *version,
	const char *architecture, int error, const char *why)
{
	char statement[STATEMENT_MAX];
	size_t n = make(statement, ours[k].signer, name, version, architecture);

	assert_int_equal(judge_verdict(ours[k].key, statement, n, package,
				 PACKAGE_BYTES),
		error);
	if (!strstr(reason, why))
		fail_msg("said \"%s\", not \"%s\"", reason, why);
}

static void refuses_what_is_not_wanted(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		refuses(k, "gatehouse", "0.0.9", "amd64", -ESTALE,
			"older than what runs here (0.1.0)");
		refuses(k, "gatehouse", "0.1.0~rc1", "amd64", -ESTALE, "older");
		refuses(k, "gatehouse", RUNNING, "amd64", -ESTALE, "already");
		refuses(k, "gatehouse", "0:0.1.0", "amd64", -ESTALE, "already");
		refuses(k, "gatehouse", "0.1.1", "arm64", -ENOEXEC,
			"made for arm64, this is amd64");
		refuses(k, "gatehouse", "0.1.1", "all", -ENOEXEC, "made for");
		refuses(k, "gatehouse-dev", "0.1.1", "amd64", -EMEDIUMTYPE,
			"a package of gatehouse-dev");
		refuses(k, "gatehous", "0.1.1", "amd64", -EMEDIUMTYPE,
			"a package of gatehous,");
	}
}

static void refuses_other_signers(void **state)
{
	char statement[STATEMENT_MAX];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n = make(statement, theirs[k].signer, "gatehouse",
			"0.1.1", "amd64");

		assert_int_equal(judge_verdict(ours[k].key, statement, n,
					 package, PACKAGE_BYTES),
			-EKEYREJECTED);
		assert_non_null(strstr(reason, "somebody else"));
		/* Ours, but the other kind of key is configured. */
		n = make(statement, ours[k].signer, "gatehouse", "0.1.1",
			"amd64");
		assert_int_equal(judge_verdict(ours[1 - k].key, statement, n,
					 package, PACKAGE_BYTES),
			-EKEYREJECTED);
		assert_non_null(strstr(reason, "the publisher's is"));
	}
}

static void refuses_all_without_a_key(void **state)
{
	char statement[STATEMENT_MAX];
	size_t n = make(
		statement, ours[0].signer, "gatehouse", "0.1.1", "amd64");

	(void)state;
	assert_int_equal(
		judge_verdict(NULL, statement, n, package, PACKAGE_BYTES),
		-ENOKEY);
	assert_non_null(strstr(reason, "no publisher configured"));
}

/* The signature is looked at before what is stated. */
static void signature_comes_first(void **state)
{
	char statement[STATEMENT_MAX];
	size_t n = make(
		statement, theirs[0].signer, "gatehouse", "0.0.1", "arm64");

	(void)state;
	assert_int_equal(judge_verdict(ours[0].key, statement, n, "x", 1),
		-EKEYREJECTED);
}

static void try_changed_byte(
	struct verify_key *key, char *statement, size_t n, size_t at, char now)
{
	char old = statement[at];
	int r;

	if (now == old)
		return;
	statement[at] = now;
	r = judge_verdict(key, statement, n, package, PACKAGE_BYTES);
	if (r != -EBADMSG && r != -EKEYREJECTED)
		fail_msg("byte %zu from %d to %d: %d, %s", at, old, now, r,
			reason);
	statement[at] = old;
}

static void tampered_at_every_byte_of_the_statement(void **state)
{
	static const char others[] = {
		'\0', '\n', '\r', ' ', '0', '1', 'a', 'f', 'A', '~', '\xff'};
	char statement[STATEMENT_MAX];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n = make(statement, ours[k].signer, "gatehouse", "0.1.1",
			"amd64");

		for (size_t at = 0; at < n; at++) {
			for (int bit = 0; bit < 8; bit++)
				try_changed_byte(ours[k].key, statement, n, at,
					(char)(statement[at] ^ (1 << bit)));
			for (size_t i = 0; i < sizeof(others); i++)
				try_changed_byte(ours[k].key, statement, n, at,
					others[i]);
		}
		/* The loop left it as it was, so it is good again. */
		assert_int_equal(judge_verdict(ours[k].key, statement, n,
					 package, PACKAGE_BYTES),
			0);
	}
}

static void lost_and_added_bytes_of_the_statement(void **state)
{
	char statement[STATEMENT_MAX], other[STATEMENT_MAX + 1];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n = make(statement, ours[k].signer, "gatehouse", "0.1.1",
			"amd64");

		for (size_t at = 0; at < n; at++) {
			memcpy(other, statement, at);
			memcpy(other + at, statement + at + 1, n - at - 1);
			assert_true(judge_verdict(ours[k].key, other, n - 1,
					    package, PACKAGE_BYTES) < 0);
		}
		for (size_t at = 0; at <= n; at++) {
			memcpy(other, statement, at);
			other[at] = at ? statement[at - 1] : '\n';
			memcpy(other + at + 1, statement + at, n - at);
			assert_true(judge_verdict(ours[k].key, other, n + 1,
					    package, PACKAGE_BYTES) < 0);
		}
	}
}

static void tampered_package(void **state)
{
	char statement[STATEMENT_MAX];
	size_t n = make(
		statement, ours[0].signer, "gatehouse", "0.1.1", "amd64");

	(void)state;
	for (size_t at = 0; at < PACKAGE_BYTES; at += 997) {
		package[at] ^= 1;
		assert_int_equal(judge_verdict(ours[0].key, statement, n,
					 package, PACKAGE_BYTES),
			-EUCLEAN);
		package[at] ^= 1;
	}
	assert_non_null(strstr(reason, "changed after it was signed"));
	package[PACKAGE_BYTES - 1] ^= 0x80;
	assert_int_equal(judge_verdict(ours[0].key, statement, n, package,
				 PACKAGE_BYTES),
		-EUCLEAN);
	package[PACKAGE_BYTES - 1] ^= 0x80;
}

static void shorter_and_longer_package(void **state)
{
	char statement[STATEMENT_MAX];
	size_t n = make(
		statement, ours[0].signer, "gatehouse", "0.1.1", "amd64");

	(void)state;
	assert_int_equal(judge_verdict(ours[0].key, statement, n, package,
				 PACKAGE_BYTES - 1),
		-EUCLEAN);
	assert_non_null(strstr(reason, "shorter"));
	assert_int_equal(
		judge_verdict(ours[0].key, statement, n, package, 0), -EUCLEAN);
	assert_int_equal(judge_verdict(ours[0].key, statement, n, package,
				 PACKAGE_BYTES + 1),
		-EUCLEAN);
	assert_non_null(strstr(reason, "longer"));
}

/* Users hand over descriptors: not all are files. */
static void refuses_what_is_no_file(void **state)
{
	struct judge judge = {.key = ours[0].key,
		.running = RUNNING,
		.architecture = "amd64"};
	char statement[STATEMENT_MAX];
	size_t n = make(
		statement, ours[0].signer, "gatehouse", "0.1.1", "amd64");
	int ends[2], good = signer_file(statement, n);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(
		judge_update(&judge, ends[0], good, &stated, reason), -EBADMSG);
	assert_string_equal(reason, "the statement is not a file");
	assert_int_equal(
		judge_update(&judge, good, ends[0], &stated, reason), -EUCLEAN);
	assert_string_equal(reason, "the package is not a file");
	close(ends[0]);
	close(ends[1]);
	close(good);
}

static void reads_files_from_their_start(void **state)
{
	struct judge judge = {.key = ours[1].key,
		.running = RUNNING,
		.architecture = "amd64"};
	char statement[STATEMENT_MAX + 1];
	size_t n = make(
		statement, ours[1].signer, "gatehouse", "0.1.1", "amd64");
	int one = signer_file(statement, n);
	int two = signer_file(package, PACKAGE_BYTES);

	(void)state;
	/* Both offsets are at the end after writing. */
	assert_int_equal(judge_update(&judge, one, two, &stated, reason), 0);
	/* A statement over the limit is not read as a shorter one. */
	memset(statement + n, '\n', sizeof(statement) - n);
	assert_int_equal(pwrite(one, statement, sizeof(statement), 0),
		(ssize_t)sizeof(statement));
	assert_int_equal(
		judge_update(&judge, one, two, &stated, reason), -EBADMSG);
	assert_non_null(strstr(reason, "too long"));
	close(one);
	close(two);
}

static void knows_public_keys_only(void **state)
{
	static const char *const bad[] = {"", "x", "-----BEGIN PUBLIC KEY-----",
		"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"};
	struct verify_key *key = NULL;
	char pem[UPDATE_KEY_MAX + 64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			verify_key_read(bad[i], strlen(bad[i]), &key), -EINVAL);
	/* Something before it, and something in it. */
	n = (size_t)snprintf(
		pem, sizeof(pem), "# ours\n%s", signer_pem(ours[0].signer));
	assert_int_equal(verify_key_read(pem, n, &key), -EINVAL);
	n = (size_t)snprintf(
		pem, sizeof(pem), "%s", signer_pem(ours[1].signer));
	pem[60] = pem[60] == 'A' ? 'B' : 'A';
	assert_int_equal(verify_key_read(pem, n, &key), -EINVAL);
	/* The padding becomes bytes that follow the key. */
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		char *at;

		n = (size_t)snprintf(
			pem, sizeof(pem), "%s", signer_pem(ours[k].signer));
		at = strchr(pem, '=');
		assert_non_null(at);
		for (; *at == '='; at++)
			*at = 'A';
		assert_int_equal(verify_key_read(pem, n, &key), -EINVAL);
	}
	assert_null(key);
}

static void loads_key_files(void **state)
{
	char path[] = "/tmp/gatehouse-test-key.XXXXXX";
	const char *pem = signer_pem(ours[0].signer);
	struct update_key key;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, pem, strlen(pem)), (ssize_t)strlen(pem));
	assert_int_equal(update_key_load(path, &key), 0);
	assert_int_equal(key.length, strlen(pem));
	assert_memory_equal(key.pem, pem, key.length);
	/* Two keys, then too many bytes. */
	assert_int_equal(write(fd, pem, strlen(pem)), (ssize_t)strlen(pem));
	assert_int_equal(update_key_load(path, &key), -EINVAL);
	assert_int_equal(ftruncate(fd, UPDATE_KEY_MAX + 1), 0);
	assert_int_equal(update_key_load(path, &key), -EFBIG);
	close(fd);
	unlink(path);
	assert_int_equal(update_key_load(path, &key), -ENOENT);
	assert_int_equal(update_key_load("/tmp", &key), -EISDIR);
}

static int make_publishers(void **state)
{
	(void)state;
	if (verify_start() < 0)
		return -1;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct publisher *both[] = {&ours[k], &theirs[k]};

		for (size_t i = 0; i < 2; i++) {
			const char *pem;

			both[i]->signer = signer_new(kinds[k]);
			pem = signer_pem(both[i]->signer);
			if (verify_key_read(pem, strlen(pem), &both[i]->key) <
				0)
				return -1;
			if (verify_key_kind(both[i]->key) != kinds[k])
				return -1;
		}
	}
	for (size_t i = 0; i < sizeof(package); i++)
		package[i] = (uint8_t)(i * 31 + i / 251);
	return 0;
}

static int free_publishers(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		signer_free(ours[k].signer);
		signer_free(theirs[k].signer);
		verify_key_free(ours[k].key);
		verify_key_free(theirs[k].key);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_good_one),
		cmocka_unit_test(refuses_what_is_not_wanted),
		cmocka_unit_test(refuses_other_signers),
		cmocka_unit_test(refuses_all_without_a_key),
		cmocka_unit_test(signature_comes_first),
		cmocka_unit_test(tampered_at_every_byte_of_the_statement),
		cmocka_unit_test(lost_and_added_bytes_of_the_statement),
		cmocka_unit_test(tampered_package),
		cmocka_unit_test(shorter_and_longer_package),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(reads_files_from_their_start),
		cmocka_unit_test(knows_public_keys_only),
		cmocka_unit_test(loads_key_files),
	};

	return cmocka_run_group_tests(tests, make_publishers, free_publishers);
}
