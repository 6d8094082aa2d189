/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was found in a capture, as JSON. */
#ifndef GATEHOUSE_DISCOVERY_DISCOVER_REPORT_H
#define GATEHOUSE_DISCOVERY_DISCOVER_REPORT_H

#include <stdio.h>

#include "modules/discovery/match/book.h"
#include "modules/discovery/match/match.h"

struct report {
	struct book *book; /* sorted */
	const struct conf *products;
	uint64_t frames, unread;
	const char *cut; /* why the file ends early; NULL: it does not */
	bool vendors; /* lists of vendors were there */
};

/* -ENOMEM; what cannot be written is seen by ferror(). */
_must_check_ int report_write(const struct report *report, FILE *out);

#endif
