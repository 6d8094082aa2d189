/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's messages about what devices learned. */
#ifndef GATEHOUSE_ISOLATION_LEARNING_H
#define GATEHOUSE_ISOLATION_LEARNING_H

#include "modules/isolation/cuts.h"

struct learning {
	struct cuts *cuts;
	struct timer flush;
	unsigned refused; /* since the last word about it */
	int64_t told_ms;
};

void learning_init(struct learning *learning, struct cuts *cuts);
/* -EINVAL: no agent sends this. What comes in one turn goes out as one. */
_must_check_ int learning_add(
	struct learning *learning, const struct isolation_learned *what);
_must_check_ int learning_forget(
	struct learning *learning, const struct isolation_learned *what);

#endif
