/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line to stderr for each event, with the journal's level prefix when
 * stderr is the journal. Text that came from outside is escaped here.
 */
#ifndef GATEHOUSE_LOG_H
#define GATEHOUSE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

/* The numbers are syslog's. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Who speaks (the process) and how much is said. */
void log_open(const char *who, enum log_level most);
enum log_level log_most(void);
/* The level by its name ("error" ... "debug"); -EINVAL. */
_must_check_ int log_level_parse(const char *name, enum log_level *ret_level);

void log_write(enum log_level level, const char *format, ...) _printf_(2, 3);
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* A source of lines that a device can cause: at most burst per interval. */
struct log_limit {
	int64_t interval_ms;
	unsigned burst;
	int64_t window_ms; /* start of the current interval */
	unsigned said, dropped;
};

/*
 * True when a line may be said now. The first line of a new interval is
 * preceded by one that counts those left out.
 */
bool log_allowed(struct log_limit *limit);

#endif
