/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device may that was approved with a shipped profile. A [profile]
 * section of the same name takes its place; that is not known here.
 */
#include "agent/lib/profile.h"

#include <string.h>

#include "agent/lib/cleanup.h"

#define LINES_MAX 8

static const struct profile {
	const char *name;
	const char *lines[LINES_MAX];
} shipped[] = {
	{PROFILE_USUAL, {"any any"}}, /* the world outside, nobody inside */
	{"local-only", {NULL}}, /* the owner reaches it, it reaches nobody */
};

const char *profile_name(size_t i)
{
	return i < ARRAY_SIZE(shipped) ? shipped[i].name : NULL;
}

static const struct profile *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++)
		if (strcmp(shipped[i].name, name) == 0)
			return &shipped[i];
	return NULL;
}

bool profile_shipped(const char *name)
{
	return find(name) != NULL;
}

const char *profile_line(const char *name, size_t n)
{
	const struct profile *profile = find(name);

	return profile && n < LINES_MAX ? profile->lines[n] : NULL;
}
