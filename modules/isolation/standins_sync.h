/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the agent for whom this host has to answer (standins_plan.h). */
#ifndef GATEHOUSE_ISOLATION_STANDINS_SYNC_H
#define GATEHOUSE_ISOLATION_STANDINS_SYNC_H

#include "agent/lib/worker.h"
#include "modules/isolation/kernel/links.h"
#include "modules/isolation/topology.h"

/* After each change of the interfaces or of what is wanted. -errno: again. */
_must_check_ int standins_sync(struct worker *worker, struct links *links,
	const struct policy *policy, const struct topology *topology);

#endif
