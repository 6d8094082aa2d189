/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's small changes: single devices. Only for engine.c. */
#ifndef GATEHOUSE_ISOLATION_ENGINE_DELTA_H
#define GATEHOUSE_ISOLATION_ENGINE_DELTA_H

#include "modules/isolation/engine.h"
#include "modules/isolation/policy_delta.h"

/* More devices at once than this are loaded as a whole. */
#define ENGINE_DELTA_MAX 256
/* Elements to delete of interval sets times those that are in them. */
#define ENGINE_DELTA_EFFORT 50000

/* engine.c: hear of changes to nftables or not. */
int engine_listen(struct engine *engine, bool on);

/* Can it be done? -ENOSPC with a reason. Changes nothing. */
_must_check_ int engine_check_devices(const struct engine *engine,
	const struct policy *policy, const struct policy_ids *ids,
	char *ret_reason);
/*
 * Makes these devices in the kernel those of the policy and fills
 * engine->touched. -EUCLEAN: it was taken but is not in force; after any
 * other error nothing has changed.
 */
_must_check_ int engine_change_devices(struct engine *engine,
	const struct policy *policy, const struct policy_ids *ids,
	char *ret_reason);

#endif
