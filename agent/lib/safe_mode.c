/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for the signs of safe mode. Reads nothing but whether files are
 * there; must never take one that another than root could have put there,
 * because it opens everything.
 */
#include "agent/lib/safe_mode.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Raspberry Pi OS has it at one of these, by its version. */
static const char *const boots[] = {"/boot", "/boot/firmware"};

static bool is_roots(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0 && !S_ISLNK(info.st_mode) &&
	       info.st_uid == 0;
}

static bool has_file(const char *boot, char what[static SAFE_MODE_TEXT])
{
	int n = snprintf(what, SAFE_MODE_TEXT, "%s/" SAFE_MODE_FILE, boot);

	return n > 0 && n < SAFE_MODE_TEXT && is_roots(what);
}

/* /tmp is everybody's: it means something on OpenWrt only. */
static bool is_failsafe(char what[static SAFE_MODE_TEXT])
{
	const char *word = getenv("FAILSAFE");

	snprintf(what, SAFE_MODE_TEXT, "OpenWrt's failsafe");
	if (word && *word)
		return true;
	return is_roots("/etc/openwrt_release") && is_roots("/tmp/failsafe");
}

bool safe_mode_wanted(const char *boot, char what[static SAFE_MODE_TEXT])
{
	if (boot)
		return has_file(boot, what);
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++)
		if (has_file(boots[i], what))
			return true;
	return is_failsafe(what);
}
