/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies between two configurations, in words: what would be open and
 * what would be closed. Both come as one text, as gatehoused writes them:
 * "[type name]" and "key=value" lines. Pure but for memory.
 */
#ifndef GATEHOUSE_CTL_DIFFER_H
#define GATEHOUSE_CTL_DIFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

enum differ_effect {
	DIFFER_EFFECT_OPENS,
	DIFFER_EFFECT_CLOSES,
	DIFFER_EFFECT_CHANGES, /* neither, or not known to this command */
};

struct differ_row {
	enum differ_effect effect;
	char *section; /* "device camera" */
	char *text; /* one sentence without a full stop */
};

struct differ {
	struct differ_row *rows; /* in the order of the sections */
	size_t n;
};

/* No rows: they say the same. */
void differ_compare(
	const char *before, const char *after, struct differ *ret_differ);
void differ_clear(struct differ *differ);
/* "opens", "closes", "changes" */
const char *differ_effect_name(enum differ_effect effect);

#endif
