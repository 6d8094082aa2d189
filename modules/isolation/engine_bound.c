/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose addresses are, as far as the engine has to know it: read out of the
 * kernel, or taken from what the agent had saved. Must never prefer what was
 * saved to what the kernel says.
 */
#include <errno.h>
#include <stdlib.h>

#include "modules/isolation/engine.h"
#include "modules/isolation/restore.h"
#include "modules/isolation/saved_bound.h"

int engine_read_bound(struct engine *engine)
{
	struct ruleset_bound *bound = NULL;
	size_t n = 0;
	int r = nft_read_bound(&engine->nft, &bound, &n);

	if (r < 0)
		return r;
	free(engine->carry.bound);
	engine->carry.bound = bound;
	engine->carry.n_bound = n;
	return 0;
}

int engine_know_bound(
	struct engine *engine, const struct isolation_bound *bound)
{
	if (!saved_bound_sane(bound))
		return -EINVAL;
	if (engine->n_known == ISOLATION_BOUND_MAX)
		return -ENOSPC;
	if (!engine->known)
		engine->known = must_have(
			calloc(ISOLATION_BOUND_MAX, sizeof(*bound)));
	engine->known[engine->n_known++] = *bound;
	return 0;
}

void engine_restore_bound(struct engine *engine, const struct policy *policy,
	const struct topology *topology)
{
	if (engine->n_known)
		restore_bound(engine->known, engine->n_known, policy, topology,
			&engine->carry);
}

void engine_forget_known(struct engine *engine)
{
	free(engine->known);
	engine->known = NULL;
	engine->n_known = 0;
}
