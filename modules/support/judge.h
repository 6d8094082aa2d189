/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a device is still supported, and whether its owner must hear. */
#ifndef GATEHOUSE_SUPPORT_JUDGE_H
#define GATEHOUSE_SUPPORT_JUDGE_H

#include <stdint.h>

#include "agent/lib/record.h"

struct judgement {
	enum record_support support;
	uint16_t stage; /* 180, 90, 30 or 7 while ENDING, else 0 */
	int32_t days; /* until the last day, 0 on it, negative after it */
};

/*
 * Judges a last supported day (dates.h) at a moment. A clock that stands
 * before the moment of the build is not believed: RECORD_SUPPORT_NO_CLOCK.
 */
struct judgement judge_support(
	int32_t last_day, int64_t wall, int64_t build_time);
/*
 * Milliseconds until judging again can make a difference: the next UTC day,
 * but an hour at most as clocks are set, a minute while it is not believed.
 */
int64_t judge_next_ms(int64_t wall, int64_t build_time);

#endif
