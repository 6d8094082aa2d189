/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes names of DNS messages. Touches memory only; must never
 * follow a pointer that does not lead backwards, nor look behind the end.
 */
#include "modules/discovery/dns.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LABEL_MAX 63
#define POINTER 0xc0
#define POINTER_REACH 0x3fff

int dns_read16(struct dns_reader *reader, uint16_t *ret_value)
{
	const uint8_t *at = reader->bytes + reader->at;

	if (reader->size - reader->at < 2)
		return -EBADMSG;
	*ret_value = (uint16_t)(at[0] << 8 | at[1]);
	reader->at += 2;
	return 0;
}

int dns_read32(struct dns_reader *reader, uint32_t *ret_value)
{
	uint16_t high, low;

	if (dns_read16(reader, &high) < 0 || dns_read16(reader, &low) < 0)
		return -EBADMSG;
	*ret_value = (uint32_t)high << 16 | low;
	return 0;
}

int dns_read_name(struct dns_reader *reader, struct dns_name *ret_name)
{
	size_t at = reader->at, end = 0, least = reader->at, used = 0;

	for (;;) {
		uint8_t n;

		if (at >= reader->size)
			return -EBADMSG;
		n = reader->bytes[at];
		if (n >= POINTER) {
			size_t to;

			if (reader->size - at < 2)
				return -EBADMSG;
			to = (size_t)(n & ~POINTER) << 8 |
			     reader->bytes[at + 1];
			if (!end)
				end = at + 2;
			if (to >= least)
				return -EBADMSG;
			at = least = to;
			continue;
		}
		if (n > LABEL_MAX || reader->size - at < n + 1u ||
			used + n + 1 > DNS_NAME)
			return -EBADMSG;
		memcpy(ret_name->bytes + used, reader->bytes + at, n + 1u);
		used += n + 1u;
		at += n + 1u;
		if (!n)
			break;
	}
	ret_name->length = (uint8_t)used;
	reader->at = end ? end : at;
	return 0;
}

static int add_labels(struct dns_name *name, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ".");

		if (!n || n > LABEL_MAX || name->length + n + 2 > DNS_NAME)
			return -EINVAL;
		name->bytes[name->length] = (uint8_t)n;
		memcpy(name->bytes + name->length + 1, text, n);
		name->length += (uint8_t)(n + 1);
		text += n;
		if (*text == '.' && !*++text)
			return -EINVAL;
	}
	return 0;
}

int dns_parse_name(const char *text, const char *end, struct dns_name *ret_name)
{
	struct dns_name name = {0};
	int r = add_labels(&name, text);

	if (r == 0)
		r = add_labels(&name, end);
	if (r < 0)
		return r;
	name.bytes[name.length++] = 0;
	*ret_name = name;
	return 0;
}

static bool same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tolower(a[i]) != tolower(b[i]))
			return false;
	return true;
}

bool dns_same(const struct dns_name *a, const struct dns_name *b)
{
	return a->length == b->length &&
	       same_bytes(a->bytes, b->bytes, a->length);
}

int dns_before(const struct dns_name *name, const struct dns_name *suffix,
	size_t *ret_second)
{
	size_t at = 0;
	int labels = 0;

	while (at < name->length) {
		size_t left = name->length - at;

		if (labels == 1)
			*ret_second = at;
		if (left == suffix->length &&
			same_bytes(name->bytes + at, suffix->bytes, left))
			return labels;
		if (left < suffix->length)
			return -1;
		at += name->bytes[at] + 1u;
		labels++;
	}
	return -1;
}

void dns_write(struct dns_writer *writer, const void *bytes, size_t size)
{
	if (writer->full || size > writer->room - writer->at) {
		writer->full = true;
		return;
	}
	memcpy(writer->bytes + writer->at, bytes, size);
	writer->at += size;
}

void dns_write16(struct dns_writer *writer, uint16_t value)
{
	uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	dns_write(writer, bytes, sizeof(bytes));
}

void dns_write32(struct dns_writer *writer, uint32_t value)
{
	dns_write16(writer, (uint16_t)(value >> 16));
	dns_write16(writer, (uint16_t)value);
}

/* Where these labels were written before; 0 (the header): nowhere. */
static uint16_t find_known(
	const struct dns_writer *writer, const uint8_t *labels, size_t length)
{
	for (size_t i = 0; i < writer->n_known; i++) {
		struct dns_reader reader = {
			writer->bytes, writer->at, writer->known[i]};
		struct dns_name name;

		if (dns_read_name(&reader, &name) == 0 &&
			name.length == length &&
			!memcmp(name.bytes, labels, length))
			return writer->known[i];
	}
	return 0;
}

void dns_write_name(struct dns_writer *writer, const struct dns_name *name)
{
	size_t at = 0;

	while (name->bytes[at]) {
		uint16_t before = find_known(
			writer, name->bytes + at, name->length - at);

		if (before) {
			dns_write16(writer, (uint16_t)(POINTER << 8 | before));
			return;
		}
		if (writer->n_known < DNS_KNOWN && writer->at < POINTER_REACH)
			writer->known[writer->n_known++] = (uint16_t)writer->at;
		dns_write(writer, name->bytes + at, name->bytes[at] + 1u);
		at += name->bytes[at] + 1u;
	}
	dns_write(writer, "", 1);
}
