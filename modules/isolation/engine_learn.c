/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adds and deletes elements of the sets of what was learned. May touch those
 * only; must never leave in the kernel what was forgotten.
 */
#include "modules/isolation/engine_learn.h"

#include <linux/netfilter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/rules/set.h"

/* Elements of one family: those that may be there, and those that stay. */
struct waiting {
	struct image_set old, stay;
};

static void put(
	struct image_set *set, const struct learned_entry *e, int64_t now_ms)
{
	bool six = e->ip.family == AF_INET6;
	struct image_count c = {
		.timeout_ms = e->until_ms > now_ms
				      ? (uint64_t)(e->until_ms - now_ms)
				      : 1};
	struct set_key key = {0};
	uint8_t *row = image_add(set, 16);

	set_key_add(&key, &e->mac, sizeof(e->mac));
	set_key_add(&key, e->ip.b, six ? 16 : 4);
	set_key_add_service(&key, e->protocol, e->port);
	memcpy(row, key.bytes, set->key);
	memcpy(row + set->key, &c, sizeof(c));
}

static void begin(struct image_set *set, uint16_t family)
{
	*set = (struct image_set){.family = NFPROTO_INET,
		.key = family == AF_INET6 ? 32 : 20,
		.expires = true};
	snprintf(set->name, sizeof(set->name), "%s", learned_set(family));
}

static void collect(const struct learned *learned, uint16_t family,
	int64_t now_ms, struct waiting *ret_waiting)
{
	begin(&ret_waiting->old, family);
	begin(&ret_waiting->stay, family);
	list_for_each(it, &learned->pending) {
		const struct learned_entry *e = container_of(
			it, struct learned_entry, pending);

		if (e->ip.family != family)
			continue;
		if (!e->fresh)
			put(&ret_waiting->old, e, now_ms);
		if (e->until_ms > now_ms)
			put(&ret_waiting->stay, e, now_ms);
	}
}

/*
 * Whether one that was there has ended nobody knows for sure, and older
 * kernels do not make an element's time longer: so it is added, deleted, and
 * added again if it is to stay.
 */
static void write_waiting(struct batch *batch, const struct learned *learned,
	uint16_t family, int64_t now_ms)
{
	struct waiting w;

	collect(learned, family, now_ms, &w);
	image_write(&w.old, true, "", batch);
	image_write(&w.old, false, "", batch);
	image_write(&w.stay, true, "", batch);
	free(w.old.rows);
	free(w.stay.rows);
}

void engine_flush_learned(struct engine *engine)
{
	char reason[POLICY_REASON] = "";
	int64_t now_ms = clock_ms();
	struct batch batch;
	int r = 0;

	if (!engine->in_force || list_empty(&engine->learned.pending))
		return; /* the first load has it all */
	batch_begin(&batch, nft_seq(&engine->nft));
	write_waiting(&batch, &engine->learned, AF_INET, now_ms);
	write_waiting(&batch, &engine->learned, AF_INET6, now_ms);
	batch_end(&batch);
	/* What was forgotten in the same turn was never there. */
	if (batch.n_notes > 1)
		r = nft_commit(&engine->nft, &batch, reason);
	batch_free(&batch);
	if (r == 0) {
		learned_settle(&engine->learned, now_ms);
		return;
	}
	log_warning("%s; loading everything", reason);
	loop_set_timer(engine->loop, &engine->retry, 0);
}

void engine_drop_learned(struct engine *engine)
{
	const struct isolation_learned all = {.zero = 0};

	for (size_t i = 0; i < engine->n_touched; i++)
		if (!policy_device_by_mac(&engine->policy, &engine->touched[i]))
			(void)learned_forget(
				&engine->learned, &engine->touched[i], &all);
	engine_flush_learned(engine);
}
