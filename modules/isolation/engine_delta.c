/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes single devices in the tables in force by one small transaction.
 * May touch the elements of these devices only; must never leave a device
 * with what it was allowed before, which is why its connections are judged
 * again.
 */
#include "modules/isolation/engine_delta.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/rules/image.h"

/* The same devices before and after. */
struct change {
	struct policy old, new;
	struct image from, to;
};

static void free_change(struct change *change)
{
	image_free(&change->from);
	image_free(&change->to);
	policy_pick_free(&change->old);
	policy_pick_free(&change->new);
}

/* Images have the sets in the order in which they were loaded. */
static struct ruleset_set *find_set(
	const struct engine *engine, const struct image *image, size_t at)
{
	const struct ruleset_set *set = &engine->sets[at];

	if (at >= engine->n_sets || set->family != image->sets[at].family ||
		strcmp(set->name, image->sets[at].name) != 0)
		return NULL;
	return (struct ruleset_set *)set;
}

/* What one device alone is allowed, all together may still not have. */
static int check_room(const struct engine *engine, const struct change *change,
	uint32_t device, char *reason)
{
	for (size_t i = 0; i < change->to.n; i++) {
		const struct image_set *set = &change->to.sets[i];
		const struct ruleset_set *now = find_set(
			engine, &change->to, i);

		if (!now)
			return -EUCLEAN;
		if (!set->interval ||
			now->elements + set->n <=
				BOXES_MAX + change->from.sets[i].n)
			continue;
		snprintf(reason, POLICY_REASON,
			"too many allow lines with prefixes or port ranges: "
			"at device number %u the limit of %d is passed",
			device, BOXES_MAX);
		return -ENOSPC;
	}
	return 0;
}

static void count_slow(
	const struct image_set *set, bool add, const uint8_t *row, void *arg)
{
	(void)row;
	if (set->interval)
		((size_t *)arg)[add]++;
}

/*
 * The kernel goes through all elements of an interval set for each that is
 * deleted, and stops everybody else meanwhile: a whole load is quicker.
 */
static int check_effort(
	const struct engine *engine, struct change *change, char *reason)
{
	size_t slow[2] = {0}, size = 0;

	image_compare(&change->from, &change->to, count_slow, slow);
	for (size_t i = 0; i < engine->n_sets; i++)
		if (engine->sets[i].interval && engine->sets[i].elements > size)
			size = engine->sets[i].elements;
	if (slow[0] * size <= ENGINE_DELTA_EFFORT &&
		slow[1] <= ENGINE_DELTA_MAX)
		return 0;
	snprintf(reason, POLICY_REASON, "much changes in prefixes and ranges");
	return -E2BIG;
}

static int prepare(const struct engine *engine, const struct policy *policy,
	const struct policy_ids *ids, struct change *ret_change, char *reason)
{
	struct change *c = ret_change;
	struct ruleset_input input = {.topology = &engine->topology,
		.generation = engine->generation,
		.kernel = engine->kernel};
	int r;

	memset(c, 0, sizeof(*c));
	policy_pick(&engine->policy, ids, &c->old);
	policy_pick(policy, ids, &c->new);
	input.policy = &c->old;
	r = ruleset_image(&input, &c->from, reason);
	input.policy = &c->new;
	if (r == 0)
		r = ruleset_image(&input, &c->to, reason);
	if (r == 0)
		r = check_room(engine, c, ids->ids[ids->n - 1], reason);
	if (r < 0)
		free_change(c);
	return r;
}

int engine_check_devices(const struct engine *engine,
	const struct policy *policy, const struct policy_ids *ids,
	char *ret_reason)
{
	struct change change;
	int r = prepare(engine, policy, ids, &change, ret_reason);

	if (r == 0)
		free_change(&change);
	return r;
}

static void touch(struct engine *engine, const struct mac *mac)
{
	for (size_t i = 0; i < engine->n_touched; i++)
		if (mac_equal(&engine->touched[i], mac))
			return;
	engine->touched[engine->n_touched++] = *mac;
}

static void touch_devices(struct engine *engine, const struct change *change)
{
	size_t n = change->old.devices.n + change->new.devices.n;

	free(engine->touched);
	engine->n_touched = 0;
	engine->touched = must_have(calloc(n + 1, sizeof(struct mac)));
	policy_each(struct isolation_device, d, &change->old.devices)
		touch(engine, &d->mac);
	policy_each(struct isolation_device, d, &change->new.devices)
		touch(engine, &d->mac);
}

/*
 * An element that is there keeps its time on older kernels, and one that is
 * not there cannot be deleted: so it is added, deleted and added.
 */
static void write_again(
	const struct engine *engine, const char *who, struct batch *batch)
{
	struct image_set again = {.name = RULESET_AGAIN,
		.family = NFPROTO_INET,
		.key = sizeof(struct mac),
		.expires = true};

	for (size_t i = 0; i < engine->n_touched; i++)
		memcpy(image_add(&again, engine->n_touched),
			&engine->touched[i], sizeof(struct mac));
	image_write(&again, true, who, batch);
	image_write(&again, false, who, batch);
	image_write(&again, true, who, batch);
	free(again.rows);
}

/* Names the device in what the kernel refuses, if it is one. */
static void name_device(const struct engine *engine, char who[32])
{
	char text[MAC_TEXT];

	who[0] = 0;
	if (engine->n_touched == 1)
		snprintf(who, 32, "%s", mac_format(&engine->touched[0], text));
}

static int find_added(
	struct engine *engine, struct change *change, char *reason)
{
	struct batch questions;
	int r = 0;

	batch_begin_questions(&questions, nft_seq(&engine->nft));
	image_ask(&change->from, &change->to, &questions);
	if (questions.length) {
		batch_end_questions(&questions);
		r = nft_find_elements(&engine->nft, &questions, reason);
	}
	batch_free(&questions);
	return r < 0 ? -EUCLEAN : 0;
}

static void count_sets(struct engine *engine, const struct change *change)
{
	for (size_t i = 0; i < change->to.n; i++) {
		struct ruleset_set *now = find_set(engine, &change->to, i);

		now->elements += (uint32_t)change->to.sets[i].n -
				 (uint32_t)change->from.sets[i].n;
	}
}

/*
 * We do not listen to our own changes: a message for each element would cost
 * more than the change. Whether somebody else changed something meanwhile is
 * seen by the number of transactions; then all is loaded, as if it had been
 * heard.
 */
static int commit_unheard(
	struct engine *engine, const struct batch *batch, char *reason)
{
	uint32_t before = 0, after = 0;
	int r = nft_count_transactions(&engine->nft, &before), heard;

	if (r < 0)
		return nft_commit(&engine->nft, batch, reason);
	heard = engine_listen(engine, false);
	r = nft_commit(&engine->nft, batch, reason);
	if (heard == 0 && engine_listen(engine, true) < 0)
		log_error("changes to the rules by others go unnoticed");
	if (r < 0)
		return r;
	if (nft_count_transactions(&engine->nft, &after) == 0 &&
		after == before + 1)
		return 0;
	snprintf(reason, POLICY_REASON,
		"somebody else changed nftables in the same moment");
	return -EUCLEAN;
}

static int commit(struct engine *engine, struct change *change, char *reason)
{
	struct batch batch;
	char who[32];
	int r;

	name_device(engine, who);
	batch_begin(&batch, nft_seq(&engine->nft));
	write_again(engine, who, &batch);
	image_update(&change->from, &change->to, who, &batch);
	batch_end(&batch);
	r = commit_unheard(engine, &batch, reason);
	batch_free(&batch);
	return r;
}

int engine_change_devices(struct engine *engine, const struct policy *policy,
	const struct policy_ids *ids, char *ret_reason)
{
	struct change change;
	int r = prepare(engine, policy, ids, &change, ret_reason);

	if (r < 0)
		return r;
	touch_devices(engine, &change);
	r = check_effort(engine, &change, ret_reason);
	if (r == 0)
		r = commit(engine, &change, ret_reason);
	if (r == 0) {
		engine->again_until_ms = clock_ms() + RULESET_AGAIN_MS;
		count_sets(engine, &change);
		r = find_added(engine, &change, ret_reason);
	}
	free_change(&change);
	return r;
}
