/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of SSDP (UPnP's discovery): what kind, about what. Pure. */
#ifndef GATEHOUSE_DISCOVERY_SSDP_H
#define GATEHOUSE_DISCOVERY_SSDP_H

#include <stddef.h>

#include "agent/lib/net.h"

#define SSDP_PORT 1900
#define SSDP_BYTES 1400 /* of a message; longer ones are refused */

enum ssdp_kind {
	SSDP_KIND_SEARCH = 1, /* who offers this? */
	SSDP_KIND_ANNOUNCE = 2, /* I offer this; or no more */
	SSDP_KIND_ANSWER = 3, /* to a search, by unicast */
};

struct ssdp_message {
	enum ssdp_kind kind;
	const char *target; /* ST or NT; not terminated */
	size_t length;
};

/* -EBADMSG: none, or one that two readers could read differently. */
_must_check_ int ssdp_read(
	const uint8_t *bytes, size_t size, struct ssdp_message *ret_message);
/* The first header of that name, of a message that ssdp_read() took. */
bool ssdp_header(const uint8_t *bytes, size_t size, const char *name,
	const char **ret_value, size_t *ret_length);
/*
 * Is it about this service? One that is given without a version at its end
 * is meant in every version.
 */
bool ssdp_about(const struct ssdp_message *message, const char *service);

#endif
