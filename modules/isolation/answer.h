/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's answer to "why": by the policy, and by the kernel's sets. */
#ifndef GATEHOUSE_ISOLATION_ANSWER_H
#define GATEHOUSE_ISOLATION_ANSWER_H

#include "modules/isolation/engine.h"
#include "modules/isolation/kernel/links.h"
#include "modules/isolation/kernel/neigh.h"

/* Whom it may ask. */
struct answer_sources {
	struct engine *engine;
	struct links *links;
	struct neigh *neigh;
};

/* Who else drops what the question is about; goes to because->foreign. */
void answer_foreign(const struct answer_sources *sources,
	const struct isolation_why *why, struct isolation_because *because);
/* -EINVAL for a question that no agent asks. */
_must_check_ int answer_why(const struct answer_sources *sources,
	const struct isolation_why *why, struct isolation_because *ret_because);

#endif
