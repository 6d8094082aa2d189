/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which interfaces the flowtable looks at. May add uplinks to it, and do
 * without it; must never add an interface where devices are, and never let
 * the rules fail because of one: they hold without.
 */
#include "modules/isolation/engine_offload.h"

#include <string.h>

#include "agent/lib/log.h"

static bool is_hooked(
	const struct engine *engine, const struct topology_hook *uplink)
{
	for (size_t i = 0; i < engine->n_hooked; i++)
		if (engine->hooked[i].index == uplink->index &&
			!strcmp(engine->hooked[i].name, uplink->name))
			return true;
	return false;
}

/* A second time it would be no mistake: the kernel leaves it as it is. */
static void hook(struct engine *engine, const struct topology_hook *uplink)
{
	char reason[POLICY_REASON] = "";
	struct batch batch;
	int r;

	ruleset_build_hook(uplink->name, nft_seq(&engine->nft), &batch);
	r = nft_commit(&engine->nft, &batch, reason);
	batch_free(&batch);
	if (r < 0)
		log_info("%s: answers go through all rules there: %s",
			uplink->name, reason);
}

void engine_offload(struct engine *engine)
{
	const struct topology *t = &engine->topology;

	if (!engine->in_force || !engine->kernel.offloads ||
		!engine->policy.offloads.n)
		return;
	for (size_t i = 0; i < t->n_hooks; i++)
		if (!is_hooked(engine, &t->hooks[i]))
			hook(engine, &t->hooks[i]);
	memcpy(engine->hooked, t->hooks, sizeof(engine->hooked));
	engine->n_hooked = t->n_hooks;
}

/* Loads all rules anew: the old flowtable goes with the old tables. */
void engine_forgo_offload(struct engine *engine)
{
	log_warning("this kernel does not let go of connections that it "
		    "forwards by itself: from now on it forwards none so");
	engine->kernel.offloads = false;
	engine_reload(engine);
}
