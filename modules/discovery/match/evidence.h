/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What speaks for a device being this or that: each piece says where it comes
 * from, what it says, and how much that is worth. Nothing here is proof: a
 * device says of itself what it likes. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_MATCH_EVIDENCE_H
#define GATEHOUSE_DISCOVERY_MATCH_EVIDENCE_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"
#include "modules/discovery/discovery_proto.h"

/* What speaks for hints alone is never worth more, in percent. */
#define EVIDENCE_HINT_MOST 50

/* "dhcp.hostname" and such; NULL for a number that is none. */
const char *evidence_name(unsigned kind);
/* The kind of that name, or 0. */
unsigned evidence_find(const char *name, size_t length);
/* What it is worth by itself, in percent; 0: it says nothing of identity. */
uint8_t evidence_worth(unsigned kind);
/*
 * Anybody on the link can say it for others, unasked (ARP, ND, mDNS, SSDP):
 * it never is more than a hint, and binds nothing.
 */
bool evidence_is_hint(unsigned kind);
/* A device has one of it; a second value contradicts the first. */
bool evidence_is_single(unsigned kind);
/* Kinds of one source do not add up: who forges one forges the other. */
bool evidence_same_source(unsigned a, unsigned b);

/* Chosen by the device or its owner's system at will, as phones do. */
bool evidence_mac_is_random(const struct mac *mac);

/*
 * Makes text of bytes: valid UTF-8 in which everything that a terminal obeys,
 * that turns writing round or cannot be seen stands as \xNN or \uNNNN (and a
 * backslash as \x5c). False: it had to be cut.
 */
bool evidence_clean(struct bytes bytes, char ret_text[static DISCOVERY_VALUE]);
/* Is it text as evidence_clean() makes it? */
bool evidence_is_clean(const char *text);
/* Evidence of a kind as text; false: nothing, or not what the kind needs. */
bool evidence_take(unsigned kind, struct bytes bytes,
	char ret_text[static DISCOVERY_VALUE]);

#endif
