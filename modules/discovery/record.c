/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads questions and records of DNS messages. Touches memory only; must
 * never take a record whose parts do not fill its length.
 */
#include "modules/discovery/record.h"

#include <errno.h>
#include <string.h>

/* The target of these types is a name, which may point anywhere before. */
static int read_target(struct dns_reader reader, struct dns_record *record)
{
	size_t end = reader.at + record->length;
	int r;

	if (record->type == DNS_TYPE_SRV) {
		if (record->length < 6)
			return -EBADMSG;
		reader.at += 6;
	} else if (record->type != DNS_TYPE_PTR) {
		return 0;
	}
	r = dns_read_name(&reader, &record->target);
	return r == 0 && reader.at != end ? -EBADMSG : r;
}

static bool length_fits(const struct dns_record *record)
{
	if (record->type == DNS_TYPE_A)
		return record->length == 4;
	return record->type != DNS_TYPE_AAAA || record->length == 16;
}

int dns_read_record(struct dns_reader *reader, struct dns_record *record)
{
	int r;

	memset(record, 0, offsetof(struct dns_record, target));
	record->target.length = 0;
	if (dns_read_name(reader, &record->name) < 0 ||
		dns_read16(reader, &record->type) < 0 ||
		dns_read16(reader, &record->class) < 0 ||
		dns_read32(reader, &record->ttl) < 0 ||
		dns_read16(reader, &record->length) < 0 ||
		reader->size - reader->at < record->length ||
		!length_fits(record))
		return -EBADMSG;
	record->data = reader->bytes + reader->at;
	r = read_target(*reader, record);
	reader->at += record->length;
	return r;
}

int dns_read_question(struct dns_reader *reader, struct dns_record *record)
{
	memset(record, 0, offsetof(struct dns_record, target));
	record->target.length = 0;
	if (dns_read_name(reader, &record->name) < 0 ||
		dns_read16(reader, &record->type) < 0 ||
		dns_read16(reader, &record->class) < 0)
		return -EBADMSG;
	return 0;
}
