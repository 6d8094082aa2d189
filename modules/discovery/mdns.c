/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes messages of multicast DNS apart and writes what may pass anew.
 * Touches memory only; must never pass on a byte that it has not understood:
 * a message with one mistake is refused whole.
 */
#include "modules/discovery/mdns.h"

#include <errno.h>
#include <string.h>

#include "modules/discovery/record.h"

#define HEADER 12
#define ANSWER 0x8000 /* of the flags */
#define AUTHORITATIVE 0x0400
#define OPCODE 0x7800
#define TRUNCATED 0x0200 /* more known answers follow */
#define BY_UNICAST 0x8000 /* of a question's class */

enum section {
	SECTION_QUESTION,
	SECTION_ANSWER,
	SECTION_AUTHORITY,
	SECTION_MORE,
	SECTIONS
};

int mdns_add_service(struct mdns_filter *filter, const char *service)
{
	if (filter->n_services == MDNS_SERVICES_MAX)
		return -ENOSPC;
	return dns_parse_name(service, "local",
		       &filter->services[filter->n_services]) < 0
		       ? -EINVAL
		       : (filter->n_services++, 0);
}

int mdns_is_answer(const uint8_t *bytes, size_t size, bool *ret_answer)
{
	if (size < HEADER)
		return -EBADMSG;
	*ret_answer = bytes[2] & 0x80;
	return 0;
}

/* The service itself, or one of its subtypes (x._sub.service). */
static bool is_service(
	const struct mdns_filter *filter, const struct dns_name *name)
{
	static const uint8_t sub[] = {4, '_', 's', 'u', 'b'};

	for (size_t i = 0; i < filter->n_services; i++) {
		size_t second = 0;
		int n = dns_before(name, &filter->services[i], &second);

		if (n == 0)
			return true;
		if (n == 2 && !memcmp(name->bytes + second, sub, sizeof(sub)))
			return true;
	}
	return false;
}

static bool is_instance(
	const struct mdns_filter *filter, const struct dns_name *name)
{
	size_t second;

	for (size_t i = 0; i < filter->n_services; i++)
		if (dns_before(name, &filter->services[i], &second) == 1)
			return true;
	return false;
}

static bool is_host(const struct mdns_filter *filter,
	const struct dns_name *name, int64_t now_ms)
{
	for (size_t i = 0; i < filter->n_hosts; i++)
		if (filter->hosts[i].until_ms > now_ms &&
			dns_same(&filter->hosts[i].name, name))
			return true;
	return false;
}

/* A place of its own, one that is over, or a new one; full: none. */
static void learn_host(
	struct mdns_filter *filter, const struct dns_name *name, int64_t now_ms)
{
	struct mdns_host *place = NULL;

	for (size_t i = 0; i < filter->n_hosts; i++) {
		struct mdns_host *h = &filter->hosts[i];

		if (dns_same(&h->name, name)) {
			place = h;
			break;
		}
		if (h->until_ms <= now_ms)
			place = h;
	}
	if (!place && filter->n_hosts < MDNS_HOSTS_MAX)
		place = &filter->hosts[filter->n_hosts++];
	if (!place)
		return;
	place->name = *name;
	place->until_ms = now_ms + MDNS_HOST_MS;
}

static bool may_pass(const struct mdns_filter *filter,
	const struct dns_record *record, bool question, int64_t now_ms)
{
	const struct dns_name *name = &record->name;

	switch (record->type) {
	case DNS_TYPE_PTR:
		return is_service(filter, name) &&
		       (question || is_instance(filter, &record->target));
	case DNS_TYPE_SRV:
	case DNS_TYPE_TXT:
		return is_instance(filter, name);
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		return is_host(filter, name, now_ms);
	case DNS_TYPE_ANY:
		return question &&
		       (is_service(filter, name) || is_instance(filter, name) ||
			       is_host(filter, name, now_ms));
	}
	return false;
}

/* A message being gone through. */
struct pass {
	struct mdns_filter *filter;
	int64_t now_ms;
	bool answer;
	uint16_t counts[SECTIONS], kept[SECTIONS];
	struct dns_writer *writer; /* NULL: only look, and learn */
};

static void write_record(
	struct dns_writer *writer, const struct dns_record *record)
{
	size_t length_at, end;

	dns_write_name(writer, &record->name);
	dns_write16(writer, record->type);
	dns_write16(writer, record->class);
	dns_write32(writer, record->ttl);
	length_at = writer->at;
	dns_write16(writer, record->length);
	if (!record->target.length) {
		dns_write(writer, record->data, record->length);
		return;
	}
	if (record->type == DNS_TYPE_SRV)
		dns_write(writer, record->data, 6);
	dns_write_name(writer, &record->target);
	if (writer->full)
		return;
	end = writer->at;
	writer->at = length_at;
	dns_write16(writer, (uint16_t)(end - length_at - 2));
	writer->at = end;
}

static void take(struct pass *pass, const struct dns_record *record,
	enum section section)
{
	bool question = section == SECTION_QUESTION;

	if (!pass->writer) {
		if (pass->answer && record->type == DNS_TYPE_SRV &&
			record->ttl && is_instance(pass->filter, &record->name))
			learn_host(pass->filter, &record->target, pass->now_ms);
		return;
	}
	if (!may_pass(pass->filter, record, question, pass->now_ms))
		return;
	pass->kept[section]++;
	if (!question) {
		write_record(pass->writer, record);
		return;
	}
	dns_write_name(pass->writer, &record->name);
	dns_write16(pass->writer, record->type);
	dns_write16(pass->writer, record->class & (uint16_t)~BY_UNICAST);
}

static int go_through(
	struct pass *pass, const uint8_t *bytes, size_t size, bool apply)
{
	struct dns_reader reader = {bytes, size, HEADER};

	for (int s = 0; s < SECTIONS; s++)
		for (unsigned i = 0; i < pass->counts[s]; i++) {
			struct dns_record record;
			int r = s == SECTION_QUESTION
					? dns_read_question(&reader, &record)
					: dns_read_record(&reader, &record);

			if (r < 0)
				return r;
			if (apply)
				take(pass, &record, (enum section)s);
		}
	return 0;
}

static int read_head(struct pass *pass, const uint8_t *bytes, size_t size,
	uint16_t *ret_flags)
{
	struct dns_reader reader = {bytes, size, 2};
	unsigned sum = 0;

	if (size < HEADER || dns_read16(&reader, ret_flags) < 0)
		return -EBADMSG;
	for (int s = 0; s < SECTIONS; s++) {
		if (dns_read16(&reader, &pass->counts[s]) < 0)
			return -EBADMSG;
		sum += pass->counts[s];
	}
	if (sum > MDNS_RECORDS_MAX || (*ret_flags & OPCODE))
		return -EBADMSG;
	pass->answer = *ret_flags & ANSWER;
	/* An answer has no business to ask. */
	return 0;
}

static void write_head(
	struct dns_writer *writer, const struct pass *pass, uint16_t flags)
{
	dns_write16(writer, 0);
	dns_write16(writer,
		pass->answer ? ANSWER | AUTHORITATIVE : flags & TRUNCATED);
	for (int s = 0; s < SECTIONS; s++)
		dns_write16(writer, pass->kept[s]);
}

int mdns_reduce(struct mdns_filter *filter, const uint8_t *bytes, size_t size,
	int64_t now_ms, uint8_t ret_bytes[static MDNS_BYTES], size_t *ret_size)
{
	struct dns_writer writer = {.bytes = ret_bytes, .room = MDNS_BYTES};
	struct pass pass = {.filter = filter, .now_ms = now_ms};
	uint16_t flags, useful;
	size_t end;
	int r = read_head(&pass, bytes, size, &flags);

	if (r == 0)
		r = go_through(&pass, bytes, size, false);
	if (r < 0)
		return r;
	(void)go_through(&pass, bytes, size, true);
	pass.writer = &writer;
	write_head(&writer, &pass, flags);
	(void)go_through(&pass, bytes, size, true);
	if (writer.full)
		return -EMSGSIZE;
	end = writer.at;
	writer.at = 0;
	write_head(&writer, &pass, flags);
	useful = pass.kept[pass.answer ? SECTION_ANSWER : SECTION_QUESTION];
	*ret_size = useful ? end : 0;
	return 0;
}
