/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads answers of mDNS: hostile bytes. Touches memory only; must never tell
 * anything of a message before all of it was understood.
 */
#include "modules/discovery/decode/dnssd.h"

#include <errno.h>
#include <string.h>

#include "modules/discovery/mdns.h"
#include "modules/discovery/record.h"

#define HEADER 12
#define QUESTIONS_AT 4
#define OPCODE 0x78
#define CLASS 0x7fff
#define CLASS_IN 1

static const struct dns_name local = {7, {5, 'l', 'o', 'c', 'a', 'l', 0}};
static const struct dns_name enumeration = {
	30, {9, '_', 's', 'e', 'r', 'v', 'i', 'c', 'e', 's', 7, '_', 'd', 'n',
		    's', '-', 's', 'd', 4, '_', 'u', 'd', 'p', 5, 'l', 'o', 'c',
		    'a', 'l', 0}};

struct listener {
	dnssd_tell tell; /* NULL: only look */
	void *arg;
};

/* "_hue._tcp" of the two labels from there on; false: they are others. */
static bool take_service(
	const struct dns_name *name, size_t at, char service[DNSSD_SERVICE])
{
	size_t first = name->bytes[at];
	const uint8_t *second = name->bytes + at + 1 + first;
	size_t size = *second;

	if (!first || !size || name->bytes[at + 1] != '_' || second[1] != '_' ||
		memchr(name->bytes + at, 0, first + size + 2))
		return false;
	memcpy(service, name->bytes + at + 1, first);
	service[first] = '.';
	memcpy(service + first + 1, second + 1, size);
	service[first + 1 + size] = '\0';
	return true;
}

static void say(const struct listener *listener, enum dnssd_kind kind,
	const char *service, const uint8_t *at, size_t size)
{
	if (listener->tell)
		listener->tell(
			listener->arg, kind, service, (struct bytes){at, size});
}

static void tell_service(
	const struct listener *listener, const struct dns_name *name)
{
	char service[DNSSD_SERVICE];
	size_t second;

	if (dns_before(name, &local, &second) == 2 &&
		take_service(name, 0, service))
		say(listener, DNSSD_KIND_SERVICE, service, NULL, 0);
}

static void tell_host(
	const struct listener *listener, const struct dns_name *name)
{
	size_t second;

	if (dns_before(name, &local, &second) == 1)
		say(listener, DNSSD_KIND_HOST, "", name->bytes + 1,
			name->bytes[0]);
}

static int read_texts(
	const struct listener *listener, const char *service, struct bytes data)
{
	struct bytes text;
	uint32_t size;

	for (int i = 0; data.size; i++) {
		if (i == DNSSD_TEXTS_MAX || !bytes_number(&data, 1, &size) ||
			!bytes_take(&data, size, &text))
			return -EBADMSG;
		if (size && *service)
			say(listener, DNSSD_KIND_TEXT, service, text.at,
				text.size);
	}
	return 0;
}

static int read_one(
	const struct listener *listener, const struct dns_record *record)
{
	char service[DNSSD_SERVICE] = "";
	size_t second = 0;
	bool instance = dns_before(&record->name, &local, &second) == 3 &&
			take_service(&record->name, second, service);

	if (instance && record->type != DNS_TYPE_PTR) {
		say(listener, DNSSD_KIND_SERVICE, service, NULL, 0);
		say(listener, DNSSD_KIND_INSTANCE, service,
			record->name.bytes + 1, record->name.bytes[0]);
	}
	switch (record->type) {
	case DNS_TYPE_PTR:
		tell_service(listener, dns_same(&record->name, &enumeration)
					       ? &record->target
					       : &record->name);
		break;
	case DNS_TYPE_SRV:
		tell_host(listener, &record->target);
		break;
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		tell_host(listener, &record->name);
		break;
	case DNS_TYPE_TXT:
		return read_texts(listener, service,
			(struct bytes){record->data, record->length});
	}
	return 0;
}

static int read_all(const struct listener *listener, struct bytes all,
	unsigned questions, unsigned records)
{
	struct dns_reader reader = {all.at, all.size, HEADER};
	struct dns_record record;

	while (questions--)
		if (dns_read_question(&reader, &record) < 0)
			return -EBADMSG;
	while (records--) {
		if (dns_read_record(&reader, &record) < 0)
			return -EBADMSG;
		if (record.ttl && (record.class & CLASS) == CLASS_IN &&
			read_one(listener, &record) < 0)
			return -EBADMSG;
	}
	return 0;
}

int dnssd_decode(struct bytes all, dnssd_tell tell, void *arg)
{
	static const struct listener nobody;
	const struct listener listener = {tell, arg};
	struct dns_reader reader = {all.at, all.size, QUESTIONS_AT};
	uint16_t counts[4];
	unsigned records = 0;
	bool answer;

	if (mdns_is_answer(all.at, all.size, &answer) < 0 || !answer ||
		(all.at[2] & OPCODE))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		if (dns_read16(&reader, &counts[i]) < 0)
			return -EBADMSG;
		records += counts[i];
	}
	if (records > MDNS_RECORDS_MAX)
		return -EBADMSG;
	records -= counts[0];
	if (read_all(&nobody, all, counts[0], records) < 0)
		return -EBADMSG;
	return read_all(&listener, all, counts[0], records);
}
