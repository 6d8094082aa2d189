/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host says in answers of mDNS that it offers (RFC 6763). Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_DNSSD_H
#define GATEHOUSE_DISCOVERY_DECODE_DNSSD_H

#include "modules/discovery/decode/bytes.h"

#define DNSSD_SERVICE 132 /* "_hue._tcp" with its NUL */
#define DNSSD_TEXTS_MAX 64 /* of one TXT record */

enum dnssd_kind {
	DNSSD_KIND_SERVICE = 1, /* it offers that */
	DNSSD_KIND_INSTANCE, /* value: by which name */
	DNSSD_KIND_HOST, /* value: the host's own name */
	DNSSD_KIND_TEXT, /* value: "md=Chromecast", of the service's TXT */
};

/* service: "_hue._tcp"; "" of a host. */
typedef void (*dnssd_tell)(void *arg, enum dnssd_kind kind, const char *service,
	struct bytes value);

/*
 * Tells all that a message says; one with a mistake tells nothing. What is
 * withdrawn (TTL 0) is not told. -EBADMSG: a mistake, or no answer.
 */
_must_check_ int dnssd_decode(struct bytes all, dnssd_tell tell, void *arg);

#endif
