/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of records, and the words of a configuration for them. Pure. */
#include "agent/lib/record.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/cleanup.h"

void record_set_text(char *text, size_t size, const char *value)
{
	memset(text, 0, size);
	memcpy(text, value, strnlen(value, size - 1));
}

int record_parse_decision(const char *word)
{
	static const struct {
		const char *word;
		enum record_decision decision;
	} words[] = {
		{"approve", RECORD_DECISION_APPROVED},
		{"quarantine", RECORD_DECISION_QUARANTINE},
		{"block", RECORD_DECISION_BLOCKED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].decision;
	return -EINVAL;
}
