/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to stderr, whole lines in one write. Control bytes are escaped
 * here, so that a name chosen by a device cannot forge a line or drive a
 * terminal. Never fails, never allocates.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/loop.h"

#define LINE_MAX_BYTES 1024

static const char *speaker = "gatehouse";
static enum log_level most_said = LOG_LEVEL_INFO;
static bool to_journal;

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
};

void log_open(const char *who, enum log_level most)
{
	speaker = who;
	most_said = most;
	to_journal = getenv("JOURNAL_STREAM") != NULL;
}

enum log_level log_most(void)
{
	return most_said;
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*ret_level = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

/* Replaces what could end the line or move a cursor. */
static void make_harmless(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		/* U+0080 to U+009F: to some terminals they are escapes. */
		if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (levels[i].level == level)
			return levels[i].name;
	}
	return "?";
}

void log_write(enum log_level level, const char *format, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 64];
	ssize_t written;
	va_list args;
	int n;

	if (level > most_said)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_harmless(text);
	if (to_journal)
		n = snprintf(line, sizeof(line), "<%d>%s: %s\n", level, speaker,
			text);
	else
		n = snprintf(line, sizeof(line), "%s: %s: %s\n", speaker,
			level_name(level), text);
	written = write(STDERR_FILENO, line, n);
	(void)written; /* there is nowhere to complain to */
}

bool log_allowed(struct log_limit *limit)
{
	int64_t now = clock_ms();

	if (!limit->window_ms || now - limit->window_ms >= limit->interval_ms) {
		if (limit->dropped)
			log_notice("%u lines of this kind were left out",
				limit->dropped);
		limit->window_ms = now;
		limit->said = limit->dropped = 0;
	}
	if (limit->said >= limit->burst) {
		limit->dropped++;
		return false;
	}
	limit->said++;
	return true;
}
