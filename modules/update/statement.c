/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses a publisher's statement. Pure: bytes in, struct out, no I/O and no
 * judgement of what is stated. It accepts one spelling only, so that every
 * byte of a statement matters; it must never repair anything.
 */
#include <errno.h>
#include <string.h>

#include "modules/update/statement.h"
#include "modules/update/version.h"

/* What is left to read. */
struct reader {
	const char *next;
	size_t left;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool take(struct reader *in, const char *text)
{
	size_t length = strlen(text);

	if (in->left < length || memcmp(in->next, text, length) != 0)
		return false;
	in->next += length;
	in->left -= length;
	return true;
}

/* The rest of the line without its newline, into text[size]; false: no. */
static bool take_line(struct reader *in, char *text, size_t size)
{
	const char *end = memchr(in->next, '\n', in->left);
	size_t length;

	if (!end)
		return false;
	length = (size_t)(end - in->next);
	if (length == 0 || length >= size || memchr(in->next, '\0', length))
		return false;
	memcpy(text, in->next, length);
	text[length] = '\0';
	in->next += length + 1;
	in->left -= length + 1;
	return true;
}

/* A Debian package name or architecture: a-z 0-9 and what else allows. */
static bool is_word(const char *text, const char *also)
{
	if (!is_lower(text[0]) && !is_digit(text[0]))
		return false;
	for (; *text; text++)
		if (!is_lower(*text) && !is_digit(*text) &&
			!strchr(also, *text))
			return false;
	return true;
}

static bool read_length(const char *text, uint64_t *ret_length)
{
	uint64_t value = 0;

	if (text[0] == '0')
		return false;
	for (; *text; text++) {
		if (!is_digit(*text))
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > STATEMENT_PACKAGE_MAX)
			return false;
	}
	*ret_length = value;
	return true;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Lower-case hex of at most size bytes; false for anything else. */
static bool read_hex(
	const char *text, uint8_t *bytes, size_t size, size_t *ret_length)
{
	size_t n = 0;

	for (; *text; text += 2) {
		int high = hex_value(text[0]);
		int low = high < 0 ? -1 : hex_value(text[1]);

		if (low < 0 || n == size)
			return false;
		bytes[n++] = (uint8_t)(high << 4 | low);
	}
	*ret_length = n;
	return true;
}

/* One positive INTEGER in its shortest form; moves *der past it. */
static bool skip_integer(const uint8_t **der, const uint8_t *end)
{
	const uint8_t *p = *der;
	size_t length;

	if (end - p < 3 || p[0] != 0x02)
		return false;
	length = p[1];
	p += 2;
	if (length == 0 || length > 33 || (size_t)(end - p) < length)
		return false;
	if (p[0] & 0x80) /* negative */
		return false;
	if (p[0] == 0 && (length == 1 || !(p[1] & 0x80)))
		return false; /* zero, or a zero too many */
	if (length == 33 && p[0] != 0)
		return false;
	*der = p + length;
	return true;
}

bool statement_der_is_canonical(const uint8_t *der, size_t length)
{
	const uint8_t *end = der + length;

	if (length < 8 || length > STATEMENT_SIGNATURE_MAX || der[0] != 0x30 ||
		der[1] != length - 2)
		return false;
	der += 2;
	return skip_integer(&der, end) && skip_integer(&der, end) && der == end;
}

static const char *read_signature(struct reader *in, struct statement *s)
{
	char text[2 * STATEMENT_SIGNATURE_MAX + 1];

	if (take(in, "signature ed25519 "))
		s->kind = STATEMENT_ED25519;
	else if (take(in, "signature ecdsa-p256 "))
		s->kind = STATEMENT_ECDSA_P256;
	else
		return "line 7 is not \"signature ed25519\" or "
		       "\"signature ecdsa-p256\"";
	if (!take_line(in, text, sizeof(text)) ||
		!read_hex(text, s->signature, sizeof(s->signature),
			&s->signature_length))
		return "the signature is not one line of lower-case hex";
	if (s->kind == STATEMENT_ED25519 && s->signature_length != 64)
		return "an Ed25519 signature has 64 bytes";
	if (s->kind == STATEMENT_ECDSA_P256 &&
		!statement_der_is_canonical(s->signature, s->signature_length))
		return "an ECDSA signature is two numbers in DER";
	if (in->left)
		return "something follows the signature";
	return NULL;
}

static const char *read_facts(struct reader *in, struct statement *s)
{
	char text[2 * STATEMENT_SHA256 + 1];
	size_t n;

	if (!take(in, "gatehouse-statement 1\n"))
		return "line 1 is not \"gatehouse-statement 1\"";
	if (!take(in, "name ") || !take_line(in, s->name, sizeof(s->name)) ||
		!is_word(s->name, "+-."))
		return "line 2 is not \"name\" and a package";
	if (!take(in, "version ") ||
		!take_line(in, s->version, sizeof(s->version)) ||
		!version_is_valid(s->version))
		return "line 3 is not \"version\" and a Debian version";
	if (!take(in, "architecture ") ||
		!take_line(in, s->architecture, sizeof(s->architecture)) ||
		!is_word(s->architecture, "-"))
		return "line 4 is not \"architecture\" and its name";
	if (!take(in, "length ") || !take_line(in, text, sizeof(text)) ||
		!read_length(text, &s->length))
		return "line 5 is not \"length\" and the size of a package";
	if (!take(in, "sha256 ") || !take_line(in, text, sizeof(text)) ||
		!read_hex(text, s->sha256, sizeof(s->sha256), &n) ||
		n != sizeof(s->sha256))
		return "line 6 is not \"sha256\" and 64 lower-case hex digits";
	return NULL;
}

int statement_parse(const void *bytes, size_t length,
	struct statement *ret_statement, const char **ret_reason)
{
	struct reader in = {.next = bytes, .left = length};
	struct statement s = {0};
	const char *wrong;

	if (length > STATEMENT_MAX) {
		*ret_reason = "it is too long";
		return -EBADMSG;
	}
	wrong = read_facts(&in, &s);
	if (!wrong) {
		s.signed_length = length - in.left;
		wrong = read_signature(&in, &s);
	}
	if (wrong) {
		*ret_reason = wrong;
		return -EBADMSG;
	}
	*ret_statement = s;
	return 0;
}
