/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the agent which addresses devices have, for how long, and whether
 * DHCP gave them. Reads the engine's picture, changes nothing; must never
 * tell the same twice, nor of anybody who is not configured.
 */
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/report.h"
#include "modules/isolation/saved_bound.h"

/* A binding is told again when it became so much longer. */
#define LONGER_MS (3600 * 1000)

struct row {
	struct ruleset_bound bound;
	int64_t until_ms; /* as it was told */
	uint32_t device;
	bool pinned;
};

/* What the agent knows, in the order of the engine's list. */
static struct {
	struct row *rows; /* NULL: nothing was told yet */
	size_t n;
} told;

/* Addresses of the link only are nobody's to give. */
static bool is_worth_telling(const struct ruleset_bound *b)
{
	return b->ip.family == AF_INET && !ip_is_link_local(&b->ip);
}

static void tell(struct worker *worker, const struct row *row, uint64_t rest_ms,
	bool news)
{
	uint64_t rest_s = rest_ms / 1000;
	struct isolation_bound bound = {.ip = row->bound.ip,
		.mac = row->bound.mac,
		.device = row->device,
		.rest_s = rest_s < ISOLATION_BOUND_S ? (uint32_t)rest_s
						     : ISOLATION_BOUND_S,
		.leased = row->bound.leased,
		.bridge = row->bound.bridge,
		.pinned = row->pinned,
		.news = news};

	worker_send(worker, ISOLATION_BOUND, &bound, sizeof(bound));
}

/* A device may claim whatever it likes: the agent hears of no nonsense. */
static bool is_sane(const struct ruleset_bound *b)
{
	const struct isolation_bound bound = {
		.ip = b->ip, .mac = b->mac, .rest_s = 1};

	return saved_bound_sane(&bound);
}

static bool take(struct row *row, const struct engine *engine,
	const struct ruleset_bound *b, int64_t now_ms)
{
	const struct isolation_device *d = policy_device_by_mac(
		&engine->policy, &b->mac);

	if (!d || d->shared || !is_sane(b) ||
		topology_is_gateway(&engine->topology, &b->ip))
		return false;
	*row = (struct row){.bound = *b,
		.until_ms = now_ms + (int64_t)b->rest_ms,
		.device = d->id,
		.pinned = policy_pin(&engine->policy, &b->ip) != NULL};
	return true;
}

static struct row *list(
	const struct engine *engine, int64_t now_ms, size_t *ret_n)
{
	const struct ruleset_carry *now = &engine->carry;
	struct row *rows = must_have(calloc(now->n_bound + 1, sizeof(*rows)));

	*ret_n = 0;
	for (size_t i = 0; i < now->n_bound; i++)
		*ret_n += take(&rows[*ret_n], engine, &now->bound[i], now_ms);
	return rows;
}

static bool same(const struct row *a, const struct row *b)
{
	return mac_equal(&a->bound.mac, &b->bound.mac) &&
	       a->bound.leased == b->bound.leased && a->pinned == b->pinned;
}

/* True if something was said. What was told stays the row's time. */
static bool tell_if_new(
	struct worker *worker, struct row *row, const struct row *old)
{
	uint64_t rest_ms = row->bound.rest_ms;

	if (old && same(old, row)) {
		if (row->until_ms - old->until_ms < LONGER_MS) {
			row->until_ms = old->until_ms;
			return false;
		}
		tell(worker, row, rest_ms, false);
		return true;
	}
	tell(worker, row, rest_ms, is_worth_telling(&row->bound));
	return true;
}

static bool tell_gone(struct worker *worker, const struct row *old)
{
	tell(worker, old, 0, false);
	return true;
}

/* Both lists are in the same order. */
static bool tell_changes(struct worker *worker, struct row *rows, size_t n)
{
	bool said = false;
	size_t next = 0;

	for (size_t i = 0; i < n; i++) {
		const struct row *old = NULL;

		while (next < told.n &&
			ruleset_bound_order(&told.rows[next], &rows[i]) < 0)
			said |= tell_gone(worker, &told.rows[next++]);
		if (next < told.n &&
			!ruleset_bound_order(&told.rows[next], &rows[i]))
			old = &told.rows[next++];
		if (old && !mac_equal(&old->bound.mac, &rows[i].bound.mac))
			said |= tell_gone(worker, old);
		said |= tell_if_new(worker, &rows[i], old);
	}
	while (next < told.n)
		said |= tell_gone(worker, &told.rows[next++]);
	return said;
}

void report_bound(struct worker *worker, const struct engine *engine)
{
	struct isolation_bound end = {.all = !told.rows};
	size_t n = 0;
	struct row *rows = list(engine, clock_ms(), &n);

	if (tell_changes(worker, rows, n) || end.all)
		worker_send(worker, ISOLATION_BOUND, &end, sizeof(end));
	report_forget_bound();
	told.rows = rows;
	told.n = n;
}

void report_forget_bound(void)
{
	free(told.rows);
	memset(&told, 0, sizeof(told));
}
