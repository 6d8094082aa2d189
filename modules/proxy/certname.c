/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of a certificate. The bytes come from whoever answered, before
 * anything about them is believed, so every length is checked against what
 * is left, and whatever is not understood makes the name not match. No I/O,
 * no memory of its own.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "agent/lib/net.h"
#include "modules/proxy/certname.h"
#include "modules/proxy/der.h"

enum der_tag {
	DER_TAG_BOOLEAN = 0x01,
	DER_TAG_INTEGER = 0x02,
	DER_TAG_OCTETS = 0x04,
	DER_TAG_OID = 0x06,
	DER_TAG_SEQUENCE = 0x30,
	DER_TAG_DNS_NAME = 0x82, /* GeneralName [2] */
	DER_TAG_IP_ADDRESS = 0x87, /* GeneralName [7] */
	DER_TAG_VERSION = 0xa0, /* TBSCertificate [0] */
	DER_TAG_EXTENSIONS = 0xa3, /* TBSCertificate [3] */
};

/* What is read of a certificate. */
struct parts {
	struct der issuer, subject;
	struct der names; /* inside subjectAltName; empty when there is none */
};

static const uint8_t alt_name_oid[] = {0x55, 0x1d, 0x11}; /* 2.5.29.17 */

/* One Extension; its value when it is the subjectAltName, else left alone. */
static int read_extension(struct der *d, struct der *names, bool *found)
{
	struct der extension, oid, skipped, value;
	int r;

	r = der_read(d, DER_TAG_SEQUENCE, &extension);
	if (r == 0)
		r = der_read(&extension, DER_TAG_OID, &oid);
	if (r < 0)
		return r;
	if (oid.left != sizeof(alt_name_oid) ||
		memcmp(oid.at, alt_name_oid, sizeof(alt_name_oid)) != 0)
		return 0;
	if (*found)
		return -EBADMSG; /* twice: which one would count? */
	*found = true;
	if (extension.left > 0 && *extension.at == DER_TAG_BOOLEAN) {
		r = der_read(&extension, DER_TAG_BOOLEAN, &skipped);
		if (r < 0)
			return r;
	}
	r = der_read(&extension, DER_TAG_OCTETS, &value);
	return r < 0 ? r : der_read(&value, DER_TAG_SEQUENCE, names);
}

static int read_extensions(struct der *tbs, struct der *names)
{
	struct der inside, list;
	bool found = false;
	uint8_t tag;
	int r;

	while (tbs->left > 0) {
		r = der_read_any(tbs, &tag, &inside);
		if (r < 0)
			return r;
		if (tag != DER_TAG_EXTENSIONS)
			continue;
		r = der_read(&inside, DER_TAG_SEQUENCE, &list);
		while (r == 0 && list.left > 0)
			r = read_extension(&list, names, &found);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_parts(const void *der, size_t length, struct parts *ret_parts)
{
	struct der whole = {der, length}, certificate, tbs, skipped;
	struct parts p = {0};
	int r;

	r = der_read(&whole, DER_TAG_SEQUENCE, &certificate);
	if (r == 0)
		r = der_read(&certificate, DER_TAG_SEQUENCE, &tbs);
	if (r == 0 && tbs.left > 0 && *tbs.at == DER_TAG_VERSION)
		r = der_read(&tbs, DER_TAG_VERSION, &skipped);
	if (r == 0)
		r = der_read(&tbs, DER_TAG_INTEGER, &skipped);
	if (r == 0)
		r = der_read(&tbs, DER_TAG_SEQUENCE, &skipped); /* algorithm */
	if (r == 0)
		r = der_read(&tbs, DER_TAG_SEQUENCE, &p.issuer);
	if (r == 0)
		r = der_read(&tbs, DER_TAG_SEQUENCE, &skipped); /* validity */
	if (r == 0)
		r = der_read(&tbs, DER_TAG_SEQUENCE, &p.subject);
	if (r == 0)
		r = der_read(&tbs, DER_TAG_SEQUENCE, &skipped); /* key */
	if (r == 0)
		r = read_extensions(&tbs, &p.names);
	if (r == 0)
		*ret_parts = p;
	return r;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_label_byte(char c)
{
	char l = lower(c);

	return (l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '_';
}

/* One label of length bytes: not empty, no dash at either end. */
static bool is_label(const char *label, size_t length)
{
	if (length == 0 || length > CERTNAME_LABEL_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_label_byte(label[i]))
			return false;
	return label[0] != '-' && label[length - 1] != '-';
}

/* The last label decides: "10.0.0.1" and "0x7f.1" are no host names. */
static bool ends_in_number(const char *label, size_t length)
{
	if (length > 1 && label[0] == '0' && lower(label[1]) == 'x')
		return true;
	for (size_t i = 0; i < length; i++)
		if (!is_digit(label[i]))
			return false;
	return true;
}

static bool is_host(const char *name, size_t length)
{
	const char *end = name + length, *label = name, *dot;

	if (length == 0 || length > CERTNAME_MAX)
		return false;
	for (;;) {
		dot = memchr(label, '.', (size_t)(end - label));
		if (!dot)
			break;
		if (!is_label(label, (size_t)(dot - label)))
			return false;
		label = dot + 1;
	}
	return is_label(label, (size_t)(end - label)) &&
	       !ends_in_number(label, (size_t)(end - label));
}

static bool equal_host(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* What stands behind "*." must be a host name of two labels or more. */
static bool match_wildcard(
	const char *pattern, size_t size, const char *name, size_t length)
{
	const char *rest = memchr(name, '.', length);
	size_t rest_length;

	pattern += 2;
	size -= 2;
	if (!rest || !is_host(pattern, size) || !memchr(pattern, '.', size))
		return false;
	rest++;
	rest_length = length - (size_t)(rest - name);
	return rest_length == size && equal_host(pattern, rest, size);
}

static bool match_host(
	const char *pattern, size_t size, const char *name, size_t length)
{
	if (size > 2 && pattern[0] == '*' && pattern[1] == '.')
		return match_wildcard(pattern, size, name, length);
	return size == length && equal_host(pattern, name, size);
}

static int match_names(struct der names, const char *name, size_t length)
{
	struct der one;
	bool matched = false;
	uint8_t tag;
	int r;

	while (names.left > 0) {
		r = der_read_any(&names, &tag, &one);
		if (r < 0)
			return r;
		if (tag == DER_TAG_DNS_NAME && match_host((const char *)one.at,
						       one.left, name, length))
			matched = true;
	}
	return matched ? 0 : -ENOENT;
}

static int match_address(struct der names, const struct ip *ip)
{
	struct der one;
	bool matched = false;
	uint8_t tag;
	int r;

	while (names.left > 0) {
		r = der_read_any(&names, &tag, &one);
		if (r < 0)
			return r;
		if (tag == DER_TAG_IP_ADDRESS && one.left == ip_bits(ip) / 8u &&
			memcmp(one.at, ip->b, one.left) == 0)
			matched = true;
	}
	return matched ? 0 : -ENOENT;
}

int certname_check(const void *der, size_t length, const char *name)
{
	size_t name_length = strlen(name);
	struct parts parts;
	struct ip ip;
	int r;

	r = read_parts(der, length, &parts);
	if (r < 0)
		return r;
	if (ip_parse(name, &ip) == 0)
		return match_address(parts.names, &ip);
	if (!is_host(name, name_length))
		return -EINVAL;
	return match_names(parts.names, name, name_length);
}

bool certname_is_host(const char *name)
{
	return is_host(name, strlen(name));
}

bool certname_self_issued(const void *der, size_t length)
{
	struct parts p;

	return read_parts(der, length, &p) == 0 &&
	       p.subject.left == p.issuer.left &&
	       memcmp(p.subject.at, p.issuer.at, p.subject.left) == 0;
}

/* Appends length bytes, made harmless; false when they do not fit. */
static bool append(
	char *text, size_t size, size_t *at, const char *bytes, size_t length)
{
	if (length >= size - *at)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];
		bool plain = is_label_byte(c) || strchr(".*:, ", c);

		text[(*at)++] = plain && c != '\0' ? c : '?';
	}
	text[*at] = '\0';
	return true;
}

static bool append_name(
	char *text, size_t size, size_t *at, uint8_t tag, const struct der *one)
{
	char address[IP_TEXT];
	struct ip ip = {0};

	if (*at > 0 && !append(text, size, at, ", ", 2))
		return false;
	if (tag == DER_TAG_DNS_NAME)
		return append(text, size, at, (const char *)one->at, one->left);
	ip.family = one->left == 4 ? AF_INET : AF_INET6;
	memcpy(ip.b, one->at, one->left);
	ip_format(&ip, address);
	return append(text, size, at, address, strlen(address));
}

static bool is_shown(uint8_t tag, const struct der *one)
{
	return tag == DER_TAG_DNS_NAME ||
	       (tag == DER_TAG_IP_ADDRESS &&
		       (one->left == 4 || one->left == 16));
}

void certname_describe(
	const void *der, size_t length, char *ret_text, size_t size)
{
	static const char more[] = "...";
	size_t at = 0, room = size - sizeof(more);
	struct parts parts;
	struct der one;
	uint8_t tag;

	ret_text[0] = '\0';
	if (read_parts(der, length, &parts) < 0)
		parts.names.left = 0;
	while (parts.names.left > 0) {
		if (der_read_any(&parts.names, &tag, &one) < 0)
			break;
		if (is_shown(tag, &one) &&
			!append_name(ret_text, room, &at, tag, &one)) {
			memcpy(ret_text + at, more, sizeof(more));
			return;
		}
	}
	if (at == 0)
		append(ret_text, size, &at, "nobody", 6);
}
