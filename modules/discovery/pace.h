/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much each sender may say. Who finds no place here may nothing. Pure. */
#ifndef GATEHOUSE_DISCOVERY_PACE_H
#define GATEHOUSE_DISCOVERY_PACE_H

#include "agent/lib/net.h"

#define PACE_SENDERS_MAX 1024 /* within PACE_FORGET_MS */
#define PACE_FORGET_MS 10000
#define PACE_RATE 10 /* messages of one sender in a second */
#define PACE_BURST 30
#define PACE_RATE_ALL 200 /* of all together */
#define PACE_BURST_ALL 400

struct pace_bucket {
	int64_t filled_ms;
	int64_t tokens; /* thousandths of a message */
};

struct pace_sender {
	struct mac mac;
	struct pace_bucket bucket;
};

/* All zero is a beginning. */
struct pace {
	struct pace_sender senders[PACE_SENDERS_MAX];
	size_t n;
	struct pace_bucket all;
};

/* One message more; false: it is too much. */
bool pace_allows(struct pace *pace, const struct mac *mac, int64_t now_ms);

#endif
