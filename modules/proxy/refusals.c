/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refused upgrades per device. Changes the state's warnings and nothing else;
 * what is refused is decided by the worker.
 */
#include <stdbool.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/proxy/refusals.h"

static bool is_about(
	const struct refusal *refusal, uint32_t device, const char *upgrade)
{
	return refusal->device == device &&
	       (!upgrade || strcmp(refusal->upgrade, upgrade) == 0);
}

static void remove_at(struct refusals *refusals, size_t i)
{
	memmove(&refusals->items[i], &refusals->items[i + 1],
		(--refusals->n - i) * sizeof(*refusals->items));
}

static bool remove_same(
	struct refusals *refusals, uint32_t device, const char *upgrade)
{
	for (size_t i = 0; i < refusals->n; i++)
		if (is_about(&refusals->items[i], device, upgrade)) {
			remove_at(refusals, i);
			return true;
		}
	return false;
}

static const struct refusal *latest(
	const struct refusals *refusals, uint32_t device)
{
	for (size_t i = refusals->n; i > 0; i--)
		if (is_about(&refusals->items[i - 1], device, NULL))
			return &refusals->items[i - 1];
	return NULL;
}

/* The warning says what is still refused, the latest of it. */
static void show(
	const struct refusals *refusals, struct state *state, uint32_t device)
{
	const struct refusal *refusal = latest(refusals, device);
	const struct record_device *record = state_device(state, device);

	if (refusal && record)
		state_warn(state, device, RECORD_SEVERITY_WARNING,
			REFUSALS_CODE, "%s: %s refused: %s", record->name,
			refusal->upgrade, refusal->reason);
	else
		state_unwarn(state, device, REFUSALS_CODE);
}

static bool make_room(struct refusals *refusals)
{
	size_t room = refusals->room ? refusals->room * 2 : 16;
	struct refusal *items;

	if (refusals->n < refusals->room)
		return true;
	items = reallocarray(refusals->items, room, sizeof(*items));
	if (!items)
		return false;
	refusals->items = items;
	refusals->room = room;
	return true;
}

void refusals_add(struct refusals *refusals, struct state *state,
	const struct proxy_flow *flow)
{
	struct refusal refusal = {.device = flow->device};

	remove_same(refusals, flow->device, flow->upgrade);
	if (refusals->n == REFUSALS_MAX) {
		uint32_t oldest = refusals->items[0].device;

		remove_at(refusals, 0);
		show(refusals, state, oldest);
	}
	if (!make_room(refusals)) {
		log_error("out of memory: a warning is missing");
		return;
	}
	memcpy(refusal.upgrade, flow->upgrade, sizeof(refusal.upgrade));
	memcpy(refusal.reason, flow->reason, sizeof(refusal.reason));
	refusals->items[refusals->n++] = refusal;
	show(refusals, state, flow->device);
}

void refusals_drop(struct refusals *refusals, struct state *state,
	const struct proxy_flow *flow)
{
	if (remove_same(refusals, flow->device, flow->upgrade))
		show(refusals, state, flow->device);
}

static bool is_known(const struct refusal *refusal, const struct state *state,
	const struct proxy_upgrade *upgrades, size_t n)
{
	if (!state_device(state, refusal->device))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(upgrades[i].name, refusal->upgrade) == 0)
			return true;
	return false;
}

void refusals_review(struct refusals *refusals, struct state *state,
	const struct proxy_upgrade *upgrades, size_t n_upgrades)
{
	for (size_t i = 0; i < refusals->n;) {
		uint32_t device = refusals->items[i].device;

		if (is_known(
			    &refusals->items[i], state, upgrades, n_upgrades)) {
			i++;
			continue;
		}
		remove_at(refusals, i);
		show(refusals, state, device);
	}
}
