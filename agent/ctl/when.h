/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments as people say them. Pure but for the time zone. */
#ifndef GATEHOUSE_CTL_WHEN_H
#define GATEHOUSE_CTL_WHEN_H

#include <stdint.h>

#include "agent/lib/cleanup.h"

#define WHEN_TEXT 96

/* "3 min ago", "in 2 days", "just now". */
const char *when_relative(
	int64_t moment, int64_t now, char text[static WHEN_TEXT]);
/* "2026-11-22 11:09 (3 min ago)"; "never" for 0. */
const char *when_local(
	int64_t moment, int64_t now, char text[static WHEN_TEXT]);
/* "2026-11-22T11:09:33Z" */
const char *when_utc(int64_t moment, char text[static WHEN_TEXT]);
/* "in 12 days", "today", "3 days ago". */
const char *when_days(int32_t days, char text[static WHEN_TEXT]);

/* "60 s", "5 min". */
const char *when_span(uint32_t seconds, char text[static WHEN_TEXT]);
/* "60", "60s", "5m", "1h": seconds, from 1 to a day. -EINVAL. */
_must_check_ int when_parse_span(const char *text, uint32_t *ret_seconds);

#endif
