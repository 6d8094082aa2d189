/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device leaves behind: its MAC address in any usual form, also as six
 * raw bytes, and words (its name, its addresses). Pure but for output.
 */
#ifndef GATEHOUSE_CTL_TRACES_H
#define GATEHOUSE_CTL_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"
#include "agent/lib/net.h"

#define TRACES_WORDS_MAX 32
#define TRACES_WORD 64

struct traces {
	struct mac mac;
	/* Text of the MAC: with colons, dashes, dots, and nothing between. */
	char forms[4][MAC_TEXT];
	char words[TRACES_WORDS_MAX][TRACES_WORD];
	size_t n_words;
};

void traces_begin(struct traces *traces, const struct mac *mac);
/* Too many and too short ones (below 3 letters) are left out. */
void traces_add(struct traces *traces, const char *word);
/* Letters count as one, small or not; a word is one of its own only. */
bool traces_in(const struct traces *traces, const void *bytes, size_t size);

#endif
