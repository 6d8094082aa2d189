/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent and the support worker say to each other. */
#ifndef GATEHOUSE_SUPPORT_PROTO_H
#define GATEHOUSE_SUPPORT_PROTO_H

#include "agent/lib/ipc.h"
#include "agent/lib/record.h"

enum support_message {
	/* down, between BEGIN and COMMIT */
	SUPPORT_DEVICE = IPC_BASE_SUPPORT,
	/* up, after APPLY and whenever a day changes something */
	SUPPORT_VERDICT = IPC_BASE_SUPPORT + 32,
};

struct support_device {
	uint32_t id;
	char ends[16]; /* YYYY, YYYY-MM or YYYY-MM-DD */
};

struct support_verdict {
	uint32_t id;
	uint8_t support; /* enum record_support */
	uint8_t zero;
	uint16_t stage; /* 180, 90, 30, 7 days before; 0 = no warning is due */
	int32_t days; /* until the last supported day; negative after it */
	char last_day[16]; /* YYYY-MM-DD */
};

#endif
