/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks for a device in bytes of any kind. Changes nothing, asks nobody. */
#include "agent/ctl/traces.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_LEAST 3

void traces_begin(struct traces *traces, const struct mac *mac)
{
	const uint8_t *b = mac->b;

	memset(traces, 0, sizeof(*traces));
	traces->mac = *mac;
	snprintf(traces->forms[0], MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x",
		b[0], b[1], b[2], b[3], b[4], b[5]);
	snprintf(traces->forms[1], MAC_TEXT, "%02x-%02x-%02x-%02x-%02x-%02x",
		b[0], b[1], b[2], b[3], b[4], b[5]);
	snprintf(traces->forms[2], MAC_TEXT, "%02x%02x.%02x%02x.%02x%02x", b[0],
		b[1], b[2], b[3], b[4], b[5]);
	snprintf(traces->forms[3], MAC_TEXT, "%02x%02x%02x%02x%02x%02x", b[0],
		b[1], b[2], b[3], b[4], b[5]);
}

void traces_add(struct traces *traces, const char *word)
{
	size_t length = strlen(word);

	if (length < WORD_LEAST || length >= TRACES_WORD ||
		traces->n_words == TRACES_WORDS_MAX)
		return;
	memcpy(traces->words[traces->n_words++], word, length + 1);
}

static bool is_inside(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* alone: no letter, digit or dash around it. */
static bool text_in(
	const char *text, const char *bytes, size_t size, bool alone)
{
	size_t length = strlen(text);

	for (size_t i = 0; i + length <= size; i++) {
		if (strncasecmp(bytes + i, text, length) != 0)
			continue;
		if (!alone || ((i == 0 || !is_inside(bytes[i - 1])) &&
				      (i + length == size ||
					      !is_inside(bytes[i + length]))))
			return true;
	}
	return false;
}

bool traces_in(const struct traces *traces, const void *bytes, size_t size)
{
	if (memmem(bytes, size, traces->mac.b, sizeof(traces->mac.b)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(traces->forms); i++)
		if (text_in(traces->forms[i], bytes, size, false))
			return true;
	for (size_t i = 0; i < traces->n_words; i++)
		if (text_in(traces->words[i], bytes, size, true))
			return true;
	return false;
}
