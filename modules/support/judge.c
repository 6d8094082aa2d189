/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The support period against the clock. Pure: told what time it is. */
#include "agent/lib/cleanup.h"
#include "modules/support/dates.h"
#include "modules/support/judge.h"

#define SECONDS_A_DAY 86400
#define SECONDS_AN_HOUR 3600
#define SECONDS_A_MINUTE 60

/* Days before the end on which the owner hears of it, the last first. */
static const uint16_t stages[] = {7, 30, 90, 180};

struct judgement judge_support(
	int32_t last_day, int64_t wall, int64_t build_time)
{
	struct judgement judgement = {.support = RECORD_SUPPORT_NO_CLOCK};

	if (wall < build_time)
		return judgement;
	judgement.days = last_day - dates_day_of(wall);
	judgement.support = RECORD_SUPPORT_SUPPORTED;
	if (judgement.days < 0) {
		judgement.support = RECORD_SUPPORT_ENDED;
		return judgement;
	}
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		if (judgement.days > stages[i])
			continue;
		judgement.support = RECORD_SUPPORT_ENDING;
		judgement.stage = stages[i];
		break;
	}
	return judgement;
}

int64_t judge_next_ms(int64_t wall, int64_t build_time)
{
	int64_t seconds;

	if (wall < build_time)
		return SECONDS_A_MINUTE * 1000;
	seconds = SECONDS_A_DAY - wall % SECONDS_A_DAY;
	if (seconds > SECONDS_AN_HOUR)
		seconds = SECONDS_AN_HOUR;
	return seconds * 1000;
}
