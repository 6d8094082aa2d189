/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for a terminal: what may be shown, how wide it is. Pure. */
#ifndef GATEHOUSE_CTL_TEXT_H
#define GATEHOUSE_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "agent/lib/cleanup.h"

/* Once, at the start: finds out what the terminal can show. */
void text_set_up(void);
/* For tests: show nothing but ASCII, or UTF-8. */
void text_force_ascii(bool ascii);

/*
 * A copy that is safe to show: control characters, broken bytes and those
 * that turn the direction of writing come as \x1b or \u202e. Never NULL.
 */
char *text_clean(const char *raw);
/* Columns that a clean text takes. */
size_t text_width(const char *clean);
/* text, then blanks up to width columns; right: the blanks first. */
void text_pad(FILE *out, const char *clean, size_t width, bool right);
/*
 * Prints words of a clean text into lines of at most width columns; a word
 * that is too wide is continued on the next line. The first line starts at
 * column `at`, the others are indented by indent. Ends with a newline.
 */
void text_wrap(
	FILE *out, const char *clean, size_t at, size_t indent, size_t width);

/* "1,234,567" */
#define TEXT_NUMBER 32
const char *text_number(unsigned long long n, char text[static TEXT_NUMBER]);
/* "1.2 MB"; below 1000 the bytes themselves. */
const char *text_bytes(unsigned long long n, char text[static TEXT_NUMBER]);

#endif
