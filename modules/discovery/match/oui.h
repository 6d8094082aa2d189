/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who bought a block of MAC addresses: the IEEE's lists, as CSV (Debian's
 * ieee-data). They are read once, as a stream, for the addresses that are
 * asked about; nothing else of them is kept. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_MATCH_OUI_H
#define GATEHOUSE_DISCOVERY_MATCH_OUI_H

#include "agent/lib/net.h"

#define OUI_NAME 96 /* bytes of a name; longer ones are cut */
#define OUI_FIELD 128

struct oui_wanted {
	struct mac mac;
	uint8_t bits; /* of the block it was found in: 24, 28 or 36; 0: none */
	char name[OUI_NAME]; /* as in the file */
};

/* A file on its way; all zero is a beginning, but for wanted. */
struct oui_reader {
	struct oui_wanted *wanted; /* sorted with oui_sort() */
	size_t n;
	uint64_t refused; /* lines that made no sense */
	/* within a line */
	char fields[3][OUI_FIELD];
	size_t field, used;
	bool quoted, was_quote, any;
};

/* As oui_feed() wants it. */
void oui_sort(struct oui_wanted *wanted, size_t n);
/* The next bytes of a file; the longest block wins, over all files. */
void oui_feed(struct oui_reader *reader, const char *bytes, size_t size);
/* The end of the file, which may lack the end of its last line. */
void oui_finish(struct oui_reader *reader);

#endif
