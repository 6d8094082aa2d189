/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of match/oui.h: opened before the sandbox closes, read after. */
#ifndef GATEHOUSE_DISCOVERY_DISCOVER_VENDORS_H
#define GATEHOUSE_DISCOVERY_DISCOVER_VENDORS_H

#include <stdio.h>

#include "modules/discovery/match/book.h"

#define VENDORS_FILES 3

struct vendors {
	FILE *files[VENDORS_FILES];
	size_t n;
};

/* Those that are in the first of the folders that has any. */
void vendors_open(
	struct vendors *vendors, const char *const *folders, size_t n);
/*
 * Adds who made each card, its address, and whether that was chosen at will,
 * to the evidence. Closes the files. -ENOMEM.
 */
_must_check_ int vendors_add(
	struct vendors *vendors, struct book *book, int64_t now);

#endif
