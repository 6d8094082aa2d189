/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose certificate is it? Certificates here are built byte by byte: only the
 * parts the reader looks at are real.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "modules/proxy/certname.h"

#define TAG_DNS 0x82
#define TAG_MAIL 0x81
#define TAG_URI 0x86
#define TAG_IP 0x87

struct bytes {
	uint8_t at[2048];
	size_t length;
};

static void put(struct bytes *b, const void *bytes, size_t length)
{
	assert_true(b->length + length <= sizeof(b->at));
	memcpy(b->at + b->length, bytes, length);
	b->length += length;
}

/* tag, length, inside */
static void wrap(struct bytes *b, uint8_t tag, const void *in, size_t length)
{
	uint8_t head[4] = {tag, 0x82, (uint8_t)(length >> 8), (uint8_t)length};

	if (length < 0x80) {
		head[1] = (uint8_t)length;
		put(b, head, 2);
	} else {
		put(b, head, 4);
	}
	put(b, in, length);
}

static void wrap_bytes(struct bytes *b, uint8_t tag, const struct bytes *in)
{
	wrap(b, tag, in->at, in->length);
}

static void add_extension(struct bytes *list, uint8_t last, bool critical,
	const struct bytes *value)
{
	uint8_t oid[] = {0x55, 0x1d, last}, yes = 0xff;
	struct bytes e = {.length = 0};

	wrap(&e, 0x06, oid, sizeof(oid));
	if (critical)
		wrap(&e, 0x01, &yes, 1);
	wrap_bytes(&e, 0x04, value);
	wrap_bytes(list, 0x30, &e);
}

/* A certificate whose extensions are given. */
static struct bytes build(
	const char *issuer, const char *subject, const struct bytes *extensions)
{
	struct bytes tbs = {.length = 0}, version = {.length = 0};
	struct bytes list = {.length = 0}, whole = {.length = 0};
	struct bytes result = {.length = 0};
	uint8_t two = 2, serial = 7;

	wrap(&version, 0x02, &two, 1);
	wrap_bytes(&tbs, 0xa0, &version);
	wrap(&tbs, 0x02, &serial, 1);
	wrap(&tbs, 0x30, "", 0);
	wrap(&tbs, 0x30, issuer, strlen(issuer));
	wrap(&tbs, 0x30, "", 0);
	wrap(&tbs, 0x30, subject, strlen(subject));
	wrap(&tbs, 0x30, "key", 3);
	if (extensions) {
		wrap_bytes(&list, 0x30, extensions);
		wrap_bytes(&tbs, 0xa3, &list);
	}
	wrap_bytes(&whole, 0x30, &tbs);
	wrap(&whole, 0x30, "", 0);
	wrap(&whole, 0x03, "", 0);
	wrap_bytes(&result, 0x30, &whole);
	return result;
}

/* ... with one general name in its subjectAltName. */
static struct bytes with_name(uint8_t tag, const void *name, size_t length)
{
	struct bytes names = {.length = 0}, value = {.length = 0};
	struct bytes extensions = {.length = 0}, other = {.length = 0};

	put(&other, "\x30\x00", 2);
	wrap(&names, tag, name, length);
	wrap_bytes(&value, 0x30, &names);
	add_extension(&extensions, 0x13, true, &other);
	add_extension(&extensions, 0x11, false, &value);
	return build("CN=them", "CN=broker.example", &extensions);
}

static int check(uint8_t tag, const char *in_certificate, const char *name)
{
	struct bytes der = with_name(
		tag, in_certificate, strlen(in_certificate));

	return certname_check(der.at, der.length, name);
}

static void test_hosts(void **state)
{
	static const struct {
		const char *in_certificate, *name;
		int expected;
	} cases[] = {
		{"broker.example", "broker.example", 0},
		{"BROKER.Example", "broker.eXAMPLE", 0},
		{"broker.example", "broker.example.net", -ENOENT},
		{"broker.example.net", "broker.example", -ENOENT},
		{"example", "example", 0},
		{"xbroker.example", "broker.example", -ENOENT},
		{"other.example", "broker.example", -ENOENT},
		{"broker.example.", "broker.example", -ENOENT},
		{"", "broker.example", -ENOENT},
		{"a_b.example", "a_b.example", 0},
		/* one wildcard, whole first label, two labels behind it */
		{"*.example.com", "a.example.com", 0},
		{"*.EXAMPLE.com", "a.example.COM", 0},
		{"*.example.com", "example.com", -ENOENT},
		{"*.example.com", "a.b.example.com", -ENOENT},
		{"*.com", "example.com", -ENOENT},
		{"*", "example", -ENOENT},
		{"*.", "example", -ENOENT},
		{"*.example.com", ".example.com", -EINVAL},
		{"a*.example.com", "ab.example.com", -ENOENT},
		{"*a.example.com", "ba.example.com", -ENOENT},
		{"a.*.com", "a.example.com", -ENOENT},
		{"*.*.com", "a.example.com", -ENOENT},
		{"*.example..com", "a.example..com", -EINVAL},
		{"**.example.com", "a.example.com", -ENOENT},
		/* what cannot be a host matches nothing, not even itself */
		{"-a.example", "-a.example", -EINVAL},
		{"a b.example", "a b.example", -EINVAL},
		{"*.example.com", "*.example.com", -EINVAL},
		{"1.2.3.4.5", "1.2.3.4.5", -EINVAL},
		{"127.1", "127.1", -EINVAL},
		{"a.0x7f", "a.0x7f", -EINVAL},
		{"broker.example", "", -EINVAL},
		/* an address never counts as a host name */
		{"192.0.2.1", "192.0.2.1", -ENOENT},
		{"*.0.2.1", "192.0.2.1", -ENOENT},
		{"2001:db8::1", "2001:db8::1", -ENOENT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = check(TAG_DNS, cases[i].in_certificate, cases[i].name);

		if (r != cases[i].expected)
			print_error("%s for %s\n", cases[i].in_certificate,
				cases[i].name);
		assert_int_equal(r, cases[i].expected);
	}
}

static void test_nul_in_name(void **state)
{
	static const char evil[] = "broker.example\0.evil.example";
	struct bytes der = with_name(TAG_DNS, evil, sizeof(evil) - 1);

	(void)state;
	assert_int_equal(
		certname_check(der.at, der.length, "broker.example"), -ENOENT);
	der = with_name(TAG_DNS, "broker.example", sizeof("broker.example"));
	assert_int_equal(
		certname_check(der.at, der.length, "broker.example"), -ENOENT);
}

static void test_addresses(void **state)
{
	static const uint8_t four[] = {192, 0, 2, 80};
	static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	struct bytes der = with_name(TAG_IP, four, sizeof(four));

	(void)state;
	assert_int_equal(certname_check(der.at, der.length, "192.0.2.80"), 0);
	assert_int_equal(
		certname_check(der.at, der.length, "192.0.2.81"), -ENOENT);
	assert_int_equal(
		certname_check(der.at, der.length, "broker.example"), -ENOENT);
	der = with_name(TAG_IP, six, sizeof(six));
	assert_int_equal(certname_check(der.at, der.length, "2001:db8::1"), 0);
	assert_int_equal(
		certname_check(der.at, der.length, "2001:db8::2"), -ENOENT);
	/* an address with a mask, as name constraints have it */
	der = with_name(TAG_IP, "\xc0\0\2\x50\xff\xff\xff\xff", 8);
	assert_int_equal(
		certname_check(der.at, der.length, "192.0.2.80"), -ENOENT);
}

/* The subject's CN is broker.example in all of these. */
static void test_common_name_never_counts(void **state)
{
	struct bytes der = build("CN=them", "CN=broker.example", NULL);

	(void)state;
	assert_int_equal(
		certname_check(der.at, der.length, "broker.example"), -ENOENT);
	assert_int_equal(
		check(TAG_MAIL, "broker.example", "broker.example"), -ENOENT);
	assert_int_equal(
		check(TAG_URI, "broker.example", "broker.example"), -ENOENT);
}

static void test_two_lists_are_refused(void **state)
{
	struct bytes names = {.length = 0}, value = {.length = 0};
	struct bytes extensions = {.length = 0}, der;

	(void)state;
	wrap(&names, TAG_DNS, "broker.example", 14);
	wrap_bytes(&value, 0x30, &names);
	add_extension(&extensions, 0x11, false, &value);
	der = build("i", "s", &extensions);
	assert_int_equal(
		certname_check(der.at, der.length, "broker.example"), 0);
	add_extension(&extensions, 0x11, true, &value);
	der = build("i", "s", &extensions);
	assert_int_equal(
		certname_check(der.at, der.length, "broker.example"), -EBADMSG);
}

/* Every element that is stepped over must be what it should be. */
static void test_wrong_tags(void **state)
{
	struct bytes good = with_name(TAG_DNS, "broker.example", 14), der;
	size_t serial = 0, place;

	(void)state;
	while (memcmp(good.at + serial, "\x02\x01\x07", 3) != 0)
		serial++;
	/* the serial number, and the five sequences behind it */
	for (place = serial; place < serial + 20; place++) {
		if (place != serial && good.at[place] != 0x30)
			continue;
		der = good;
		der.at[place] = 0x04;
		assert_int_equal(
			certname_check(der.at, der.length, "broker.example"),
			-EBADMSG);
	}
}

/* A name that matches does not save a list that cannot be read. */
static void test_broken_list(void **state)
{
	struct bytes names = {.length = 0}, value = {.length = 0};
	struct bytes extensions = {.length = 0}, der;

	(void)state;
	wrap(&names, TAG_DNS, "broker.example", 14);
	put(&names,
		"\x82\x7f"
		"a",
		3);
	wrap_bytes(&value, 0x30, &names);
	add_extension(&extensions, 0x11, false, &value);
	der = build("i", "s", &extensions);
	assert_int_equal(
		certname_check(der.at, der.length, "broker.example"), -EBADMSG);
}

/* Cut anywhere, or with any one byte changed: never a match by accident. */
static void test_every_cut_and_change(void **state)
{
	struct bytes der = with_name(TAG_DNS, "other.example", 13), changed;

	(void)state;
	for (size_t n = 0; n < der.length; n++)
		assert_true(certname_check(der.at, n, "other.example") < 0);
	for (size_t i = 0; i < der.length; i++)
		for (unsigned v = 0; v < 256; v++) {
			changed = der;
			changed.at[i] = (uint8_t)v;
			assert_true(certname_check(changed.at, changed.length,
					    "broker.example") < 0);
		}
}

static void test_self_issued(void **state)
{
	struct bytes der = build("CN=me", "CN=me", NULL);

	(void)state;
	assert_true(certname_self_issued(der.at, der.length));
	der = build("CN=me", "CN=you", NULL);
	assert_false(certname_self_issued(der.at, der.length));
	assert_false(certname_self_issued(der.at, 5));
}

static void test_describe(void **state)
{
	struct bytes der = with_name(TAG_DNS, "a.example\x1b[2J\0", 14);
	char text[64], small[16];

	(void)state;
	certname_describe(der.at, der.length, text, sizeof(text));
	assert_string_equal(text, "a.example??2J?");
	der = with_name(TAG_IP, "\xc0\0\2\x50", 4);
	certname_describe(der.at, der.length, text, sizeof(text));
	assert_string_equal(text, "192.0.2.80");
	der = build("a", "b", NULL);
	certname_describe(der.at, der.length, text, sizeof(text));
	assert_string_equal(text, "nobody");
	certname_describe("", 0, text, sizeof(text));
	assert_string_equal(text, "nobody");
	der = with_name(TAG_DNS, "a-long-name.example", 19);
	certname_describe(der.at, der.length, small, sizeof(small));
	assert_string_equal(small, "...");
}

static void test_long_names(void **state)
{
	char name[CERTNAME_MAX + 2], label[CERTNAME_LABEL_MAX + 2];

	(void)state;
	memset(label, 'a', sizeof(label));
	label[CERTNAME_LABEL_MAX] = '\0';
	assert_true(certname_is_host(label));
	label[CERTNAME_LABEL_MAX] = 'a';
	label[CERTNAME_LABEL_MAX + 1] = '\0';
	assert_false(certname_is_host(label));
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	name[CERTNAME_MAX] = '\0';
	assert_true(certname_is_host(name));
	name[CERTNAME_MAX] = 'a';
	name[CERTNAME_MAX + 1] = '\0';
	assert_false(certname_is_host(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_nul_in_name),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_common_name_never_counts),
		cmocka_unit_test(test_two_lists_are_refused),
		cmocka_unit_test(test_wrong_tags),
		cmocka_unit_test(test_broken_list),
		cmocka_unit_test(test_every_cut_and_change),
		cmocka_unit_test(test_self_issued),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests_name("certname", tests, NULL, NULL);
}
