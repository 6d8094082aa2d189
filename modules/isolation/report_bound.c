/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the agent which IPv4 addresses devices use and whether DHCP gave
 * them. Reads the engine's picture, changes nothing; must never tell the same
 * twice, nor of anybody who is not configured.
 */
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/report.h"

/* What the agent knows, in the order of the engine's list. */
static struct {
	struct ruleset_bound *rows;
	size_t n;
} told;

/* Addresses of the link only are nobody's to give. */
static bool is_worth_telling(const struct ruleset_bound *b)
{
	return b->ip.family == AF_INET &&
	       !(b->ip.b[0] == 169 && b->ip.b[1] == 254);
}

static bool is_told(const struct ruleset_bound *b, size_t *next)
{
	while (*next < told.n && ruleset_bound_order(&told.rows[*next], b) < 0)
		++*next;
	return *next < told.n && !ruleset_bound_order(&told.rows[*next], b) &&
	       mac_equal(&told.rows[*next].mac, &b->mac) &&
	       told.rows[*next].leased == b->leased;
}

static void tell(struct worker *worker, const struct engine *engine,
	const struct ruleset_bound *b)
{
	const struct isolation_device *d = policy_device_by_mac(
		&engine->policy, &b->mac);
	struct isolation_bound bound = {
		.ip = b->ip, .mac = b->mac, .leased = b->leased};

	if (!d || d->shared)
		return;
	bound.device = d->id;
	worker_send(worker, ISOLATION_BOUND, &bound, sizeof(bound));
}

/* What is pinned is as good as leased. */
static struct ruleset_bound *copy(const struct engine *engine)
{
	const struct ruleset_carry *now = &engine->carry;
	struct ruleset_bound *rows = must_have(
		calloc(now->n_bound + 1, sizeof(*rows)));

	for (size_t i = 0; i < now->n_bound; i++) {
		rows[i] = now->bound[i];
		rows[i].leased |= policy_pin(&engine->policy, &rows[i].ip) !=
				  NULL;
	}
	return rows;
}

void report_bound(struct worker *worker, const struct engine *engine)
{
	struct ruleset_bound *rows = copy(engine);
	size_t n = engine->carry.n_bound, next = 0;

	for (size_t i = 0; i < n; i++)
		if (is_worth_telling(&rows[i]) && !is_told(&rows[i], &next))
			tell(worker, engine, &rows[i]);
	report_forget_bound();
	told.rows = rows;
	told.n = n;
}

void report_forget_bound(void)
{
	free(told.rows);
	memset(&told, 0, sizeof(told));
}
