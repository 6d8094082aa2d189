/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multicast DNS (RFC 6762) reduced to some service types: the questions about
 * them, their PTR, SRV and TXT records, and the addresses of the hosts that
 * these name. Everything else stays where it was said. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_MDNS_H
#define GATEHOUSE_DISCOVERY_MDNS_H

#include "modules/discovery/dns.h"

#define MDNS_PORT 5353
#define MDNS_SERVICES_MAX 16 /* of one [reflect] */
#define MDNS_HOSTS_MAX 64 /* whose addresses are passed on, of one [reflect] */
#define MDNS_HOST_MS (75 * 60 * 1000) /* after its SRV record, as its TTL */
#define MDNS_RECORDS_MAX 64 /* of one message; more is refused */
#define MDNS_BYTES 1452 /* of a message that is passed on */

struct mdns_host {
	struct dns_name name;
	int64_t until_ms;
};

struct mdns_filter {
	struct dns_name services[MDNS_SERVICES_MAX]; /* with .local */
	size_t n_services;
	struct mdns_host hosts[MDNS_HOSTS_MAX];
	size_t n_hosts;
};

/* "_ipp._tcp"; -EINVAL, -ENOSPC. */
_must_check_ int mdns_add_service(
	struct mdns_filter *filter, const char *service);
/* Is it an answer (or announcement)? -EBADMSG: not even a header. */
_must_check_ int mdns_is_answer(
	const uint8_t *bytes, size_t size, bool *ret_answer);
/*
 * What may pass of a message; a question asks for nothing by unicast then.
 * Answers teach the filter which hosts offer the services. ret_size 0:
 * nothing may. -EBADMSG: it is none, and nothing was learned; -EMSGSIZE.
 */
_must_check_ int mdns_reduce(struct mdns_filter *filter, const uint8_t *bytes,
	size_t size, int64_t now_ms, uint8_t ret_bytes[static MDNS_BYTES],
	size_t *ret_size);

#endif
