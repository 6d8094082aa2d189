/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the keys of binding out of checked configuration; touches no more. */
#include "modules/isolation/agent/binding.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/cleanup.h"

static const char *const words[] = {[ISOLATION_BINDING_FIRST] = "first",
	[ISOLATION_BINDING_STRICT] = "strict",
	[ISOLATION_BINDING_OFF] = "off"};

static int find_word(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i]))
			return (int)i;
	return -EINVAL;
}

int binding_check_word(const char *text)
{
	int r = find_word(text);

	return r < 0 ? r : 0;
}

static int one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) && strcmp(text, b) ? -EINVAL : 0;
}

int binding_check_roaming(const char *text)
{
	return one_of(text, "bound", "free");
}

int binding_check_shared(const char *text)
{
	return one_of(text, "yes", "no");
}

void binding_of_zone(
	const struct conf_section *section, struct isolation_zone *zone)
{
	int word = find_word(conf_text(section, "binding", "first"));

	zone->binding = word < 0 ? ISOLATION_BINDING_FIRST : (uint8_t)word;
	zone->roaming = !strcmp(conf_text(section, "roaming", "bound"), "free");
}

bool binding_is_shared(const struct conf_section *section)
{
	return !strcmp(conf_text(section, "shared-mac", "no"), "yes");
}
