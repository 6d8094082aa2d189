/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose addresses were, as far as the policy of today has nothing against it.
 * Touches memory only; must never give away what configuration gives to
 * somebody, nor an address of the gateway.
 */
#include "modules/isolation/restore.h"

#include <stdlib.h>

_Static_assert(ISOLATION_BOUND_S * 1000ull == RULESET_BOUND_MS,
	"the file has the time of the sets");

/* Of a device, one for each family. */
#define PINNED_V4 1
#define PINNED_V6 2

static uint8_t family_bit(uint16_t family)
{
	return family == AF_INET ? PINNED_V4 : PINNED_V6;
}

static size_t place(
	const struct policy *policy, const struct isolation_device *d)
{
	return (size_t)(d -
			(const struct isolation_device *)policy->devices.items);
}

/* Which families each device has pins of, by its place. */
static uint8_t *find_pinned(const struct policy *policy)
{
	uint8_t *pinned = must_have(calloc(policy->devices.n + 1, 1));

	policy_each(struct isolation_pin, p, &policy->pins) {
		const struct isolation_device *d = policy_device(
			policy, p->device);

		/* Found by its number it is in another array. */
		if (d)
			d = policy_device_by_mac(policy, &d->mac);
		if (d)
			pinned[place(policy, d)] |= family_bit(p->ip.family);
	}
	return pinned;
}

static bool may_have(const struct isolation_bound *row,
	const struct policy *policy, const struct topology *topology,
	const uint8_t *pinned)
{
	const struct isolation_device *d = policy_device_by_mac(
		policy, &row->mac);

	return d && !d->shared && !policy_pin(policy, &row->ip) &&
	       !(pinned[place(policy, d)] & family_bit(row->ip.family)) &&
	       !topology_is_gateway(topology, &row->ip);
}

void restore_bound(const struct isolation_bound *rows, size_t n,
	const struct policy *policy, const struct topology *topology,
	struct ruleset_carry *carry)
{
	struct ruleset_bound *bound = must_have(calloc(n + 1, sizeof(*bound)));
	uint8_t *pinned = find_pinned(policy);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (may_have(&rows[i], policy, topology, pinned))
			bound[kept++] = (struct ruleset_bound){
				.ip = rows[i].ip,
				.mac = rows[i].mac,
				.rest_ms = rows[i].rest_s * 1000ull,
				.leased = rows[i].leased,
				.bridge = rows[i].bridge,
			};
	free(pinned);
	free(carry->bound);
	carry->bound = bound;
	carry->n_bound = ruleset_settle_bound(bound, kept);
}
