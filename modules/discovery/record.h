/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions and records of DNS messages, one after the other. Pure. */
#ifndef GATEHOUSE_DISCOVERY_RECORD_H
#define GATEHOUSE_DISCOVERY_RECORD_H

#include "modules/discovery/dns.h"

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_ANY = 255,
};

struct dns_record {
	struct dns_name name;
	uint16_t type, class;
	uint32_t ttl;
	const uint8_t *data; /* as it stands in the message */
	uint16_t length;
	struct dns_name target; /* PTR, SRV; else its length is 0 */
};

/* A question has a name, type and class only. -EBADMSG. */
_must_check_ int dns_read_question(
	struct dns_reader *reader, struct dns_record *ret_record);
_must_check_ int dns_read_record(
	struct dns_reader *reader, struct dns_record *ret_record);

#endif
