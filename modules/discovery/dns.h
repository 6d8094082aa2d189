/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of DNS messages: read with all their pointers, written with few. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DNS_H
#define GATEHOUSE_DISCOVERY_DNS_H

#include <stddef.h>

#include "agent/lib/net.h"

#define DNS_NAME 255 /* bytes of a name, as RFC 1035 has it */
#define DNS_KNOWN 24 /* names of one message that are pointed to */

/* Labels with their lengths, and the root's. */
struct dns_name {
	uint8_t length;
	uint8_t bytes[DNS_NAME];
};

/* Bytes being read. */
struct dns_reader {
	const uint8_t *bytes;
	size_t size, at;
};

/* Pointers lead backwards only, so there is an end. -EBADMSG. */
_must_check_ int dns_read_name(
	struct dns_reader *reader, struct dns_name *ret_name);
_must_check_ int dns_read16(struct dns_reader *reader, uint16_t *ret_value);
_must_check_ int dns_read32(struct dns_reader *reader, uint32_t *ret_value);

/* "_ipp._tcp" and such, with this at the end ("local"). -EINVAL. */
_must_check_ int dns_parse_name(
	const char *text, const char *end, struct dns_name *ret_name);
/* Without regard to case. */
bool dns_same(const struct dns_name *a, const struct dns_name *b);
/*
 * How many labels the name has before the suffix; -1: it ends otherwise.
 * second: where its second label begins, if there are two or more.
 */
int dns_before(const struct dns_name *name, const struct dns_name *suffix,
	size_t *ret_second);

/* Bytes being written; full is remembered, not told. */
struct dns_writer {
	uint8_t *bytes;
	size_t room, at;
	bool full;
	uint16_t known[DNS_KNOWN]; /* where names begin */
	size_t n_known;
};

void dns_write16(struct dns_writer *writer, uint16_t value);
void dns_write32(struct dns_writer *writer, uint32_t value);
void dns_write(struct dns_writer *writer, const void *bytes, size_t size);
void dns_write_name(struct dns_writer *writer, const struct dns_name *name);

#endif
