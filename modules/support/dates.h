/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calendar days, counted from 1970-01-01 = 0. A day is a UTC day: it begins
 * and ends at the same moment for every gateway, wherever it stands.
 */
#ifndef GATEHOUSE_SUPPORT_DATES_H
#define GATEHOUSE_SUPPORT_DATES_H

#include <stdint.h>

#include "agent/lib/cleanup.h"

#define DATES_YEAR_LEAST 2000
#define DATES_YEAR_MOST 2199
#define DATES_TEXT 16 /* "YYYY-MM-DD" and its NUL, as in support_verdict */

/*
 * The last day that YYYY, YYYY-MM or YYYY-MM-DD covers: 31 December, the last
 * of the month, the day itself. -EINVAL for anything else.
 */
_must_check_ int dates_parse(const char *text, int32_t *ret_last_day);
/* The day as YYYY-MM-DD; the rest of text is zero. Returns text. */
const char *dates_format(int32_t day, char text[static DATES_TEXT]);
/* The day of a moment in seconds since 1970. */
int32_t dates_day_of(int64_t wall);

#endif
