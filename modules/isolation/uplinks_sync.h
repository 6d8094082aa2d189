/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uplinks that nobody named, as the kernel's routes say. */
#ifndef GATEHOUSE_ISOLATION_UPLINKS_SYNC_H
#define GATEHOUSE_ISOLATION_UPLINKS_SYNC_H

#include "modules/isolation/kernel/routes.h"
#include "modules/isolation/topology.h"

/* Adds them to a topology, if the policy wants them found. -errno. */
_must_check_ int uplinks_sync_read(struct routes *routes,
	const struct policy *policy, const struct topology_fact *facts,
	size_t n_facts, struct topology *topology);
/* Says in the log which they are, when that is news. */
void uplinks_sync_tell(const struct topology *topology);

#endif
