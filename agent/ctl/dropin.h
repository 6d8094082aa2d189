/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drop-in that holds the owner's decisions: its text, its file. */
#ifndef GATEHOUSE_CTL_DROPIN_H
#define GATEHOUSE_CTL_DROPIN_H

#include <stdbool.h>

#include "agent/lib/cleanup.h"

#define DROPIN_NAME "90-mode.conf"

/*
 * text with "key = value" in [section]; all else stays as it is. add: beside
 * other values of that key, once; else instead of them. Pure; the result is
 * the caller's to free, NULL when memory is out.
 */
char *dropin_set(const char *text, const char *section, const char *key,
	const char *value, bool add);

/* text without "key = value" in [section]; as above. */
char *dropin_remove(const char *text, const char *section, const char *key,
	const char *value);
/* All of [section], its head too. */
char *dropin_drop(const char *text, const char *section);

struct dropin {
	char *path;
	char *old; /* its text before; NULL: there was no file */
};

/* Reads CONFIG.d/90-mode.conf, making the folder if need be. -errno. */
_must_check_ int dropin_open(const char *config, struct dropin *ret_dropin);
/* Replaces the file at once and for good, or not at all. -errno. */
_must_check_ int dropin_write(const struct dropin *dropin, const char *text);
/* Brings back what dropin_open() found. -errno. */
_must_check_ int dropin_restore(const struct dropin *dropin);
void dropin_clear(struct dropin *dropin);

#endif
