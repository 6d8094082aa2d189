/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks where followed devices are and has the rules say so. May put a policy
 * in force that differs from the one before in found addresses only; must
 * never let a line lead on to where its device is not any more.
 */
#include "modules/isolation/following.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/log.h"

static void on_soon(struct timer *timer)
{
	struct following *f = container_of(timer, struct following, soon);

	f->looked_ms = clock_ms();
	if (engine_read_bound(f->cuts->engine) == 0)
		following_look(f);
}

void following_init(struct following *following, struct cuts *cuts)
{
	*following = (struct following){.cuts = cuts};
	following->soon.fired = on_soon;
}

/*
 * On bridges an address has one holder, and so it has elsewhere; between the
 * two the route decides who is meant.
 */
static bool is_routed_there(const struct following *f,
	const struct topology *topology, const struct follow_place *place)
{
	int index = neigh_route(f->cuts->neigh, &place->ip);
	const struct topology_port *port = index > 0 ? topology_port(
							       topology, index)
						     : NULL;

	return port && port->routed && port->is_bridge == place->bridge;
}

static void find(const struct following *f, const struct policy *policy,
	const struct topology *topology, struct follow_places *ret_places)
{
	const struct ruleset_carry *now = &f->cuts->engine->carry;
	size_t kept = 0;

	follow_find(policy, topology, now->bound, now->n_bound, &f->places,
		ret_places);
	for (size_t i = 0; i < ret_places->n; i++)
		if (is_routed_there(f, topology, &ret_places->rows[i]))
			ret_places->rows[kept++] = ret_places->rows[i];
	ret_places->n = kept;
}

static void take_over(struct following *f, struct follow_places *places)
{
	follow_places_free(&f->places);
	f->places = *places;
}

static void lead(struct policy *policy, const struct follow_places *places)
{
	size_t left_out = follow_set(policy, places);

	if (left_out)
		log_warning("%zu ways between devices are left out: there are "
			    "more than %d",
			left_out, ISOLATION_PASSES_MAX);
}

bool following_is_wanted(const struct policy *policy)
{
	return policy->follows.n || policy->zone_follows.n;
}

void following_find(struct following *following, struct policy *policy,
	const struct topology *topology)
{
	struct follow_places places;

	if (engine_read_bound(following->cuts->engine) < 0)
		log_warning("whose addresses are is unreadable");
	find(following, policy, topology, &places);
	lead(policy, &places);
	take_over(following, &places);
}

static int put(
	struct following *f, const struct follow_places *places, char *reason)
{
	struct engine *engine = f->cuts->engine;
	uint8_t generation = engine->generation;
	struct topology topology;
	struct policy policy;
	int r;

	policy_copy(&engine->policy, &policy);
	topology_copy(&engine->topology, &topology);
	lead(&policy, places);
	r = engine_apply(engine, &policy, &topology, reason);
	policy_free(&policy);
	topology_free(&topology);
	if (r < 0)
		return r;
	cuts_after(f->cuts, generation);
	f->on_change(f);
	return 0;
}

void following_look(struct following *following)
{
	struct engine *engine = following->cuts->engine;
	struct follow_places places = {0};
	char reason[POLICY_REASON] = "";

	if (!engine->in_force || !following_is_wanted(&engine->policy))
		return;
	find(following, &engine->policy, &engine->topology, &places);
	if (follow_places_same(&following->places, &places)) {
		take_over(following, &places);
		return;
	}
	if (put(following, &places, reason) == 0) {
		take_over(following, &places);
		return;
	}
	log_error("%s; lines that lead to devices without an address in their "
		  "sections are closed",
		reason);
	follow_places_free(&places);
	if (put(following, &places, reason) == 0)
		follow_places_free(&following->places);
}

static bool is_followed(const struct policy *policy, uint32_t device)
{
	policy_each(struct isolation_pass, p, &policy->follows)
		if (p->to_device == device)
			return true;
	policy_each(struct isolation_pass, p, &policy->zone_follows)
		if (p->to_device == device)
			return true;
	return false;
}

static void look_soon(struct following *f)
{
	int64_t wait_ms = f->looked_ms + FOLLOWING_EACH_MS - clock_ms();

	if (!f->looked_ms || wait_ms < FOLLOWING_SOON_MS)
		wait_ms = FOLLOWING_SOON_MS;
	loop_set_timer(f->cuts->engine->loop, &f->soon, wait_ms);
}

void following_seen(struct following *following, const struct neigh_fact *fact)
{
	const struct engine *engine = following->cuts->engine;
	const struct isolation_device *d = policy_device_by_mac(
		&engine->policy, &fact->mac);
	const struct follow_places *places = &following->places;
	uint32_t holder = 0;

	if (!fact->ip.family || following->soon.slot)
		return;
	for (size_t i = 0; i < places->n && !holder; i++)
		if (ip_equal(&places->rows[i].ip, &fact->ip))
			holder = places->rows[i].device;
	if (holder ? !d || d->id != holder
		   : d && is_followed(&engine->policy, d->id) &&
				follow_counts(&engine->policy,
					&engine->topology, &fact->ip))
		look_soon(following);
}
