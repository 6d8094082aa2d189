/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds out what somebody claimed, from the little that the kernel wrote
 * down. Touches memory only; must never blame a device for what its address
 * does not prove.
 */
#include "modules/isolation/claims.h"

#include <string.h>

static bool has_pins(
	const struct policy *policy, uint32_t device, uint16_t family)
{
	policy_each(struct isolation_pin, p, &policy->pins)
		if (p->device == device && p->ip.family == family)
			return true;
	return false;
}

static uint8_t claim_of_kind(const struct ruleset_spoof *caught)
{
	uint8_t type = (uint8_t)(caught->what >> 8);

	switch (caught->protocol) {
	case IPPROTO_UDP:
		return ISOLATION_CLAIM_DHCP;
	case IPPROTO_ICMPV6:
		return type == 134 ? ISOLATION_CLAIM_ROUTER
				   : ISOLATION_CLAIM_REDIRECT;
	case IPPROTO_ICMP:
		return ISOLATION_CLAIM_REDIRECT;
	default:
		return ISOLATION_CLAIM_TAGS;
	}
}

/* Who else has the address. */
static const struct ruleset_bound *find_holder(
	const struct ruleset_carry *carry, const struct isolation_spoof *s)
{
	size_t low = 0, high = carry->n_bound;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&carry->bound[middle].ip, &s->ip, sizeof(s->ip)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < carry->n_bound && ip_equal(&carry->bound[low].ip, &s->ip);
		low++)
		if (!mac_equal(&carry->bound[low].mac, &s->mac))
			return &carry->bound[low];
	return NULL;
}

static void explain_bound(struct isolation_spoof *s,
	const struct policy *policy, const struct ruleset_bound *holder)
{
	const struct isolation_device *d = policy_device_by_mac(
		policy, &holder->mac);

	s->claim = ISOLATION_CLAIM_BOUND;
	s->holder = holder->mac;
	s->victim = d ? d->id : 0;
}

static void explain_address(struct isolation_spoof *s,
	const struct policy *policy, const struct topology *topology,
	const struct ruleset_carry *carry)
{
	const struct ruleset_bound *holder = find_holder(carry, s);
	const struct isolation_pin *pin = policy_pin(policy, &s->ip);

	if (topology_is_gateway(topology, &s->ip)) {
		s->claim = ISOLATION_CLAIM_GATEWAY;
	} else if (pin && pin->device != s->device) {
		s->claim = ISOLATION_CLAIM_PINNED;
		s->victim = pin->device;
	} else if (holder) {
		explain_bound(s, policy, holder);
	} else if (!pin && has_pins(policy, s->device, s->ip.family)) {
		s->claim = ISOLATION_CLAIM_NOT_PINNED;
	} else {
		s->claim = ISOLATION_CLAIM_MAC;
	}
}

struct isolation_spoof claims_explain(const struct policy *policy,
	const struct topology *topology, const struct ruleset_carry *carry,
	const struct ruleset_spoof *caught)
{
	const struct isolation_device *d = policy_device_by_mac(
		policy, &caught->mac);
	struct isolation_spoof s = {.packets = caught->count.packets,
		.ip = caught->ip,
		.mac = caught->mac,
		.device = d ? d->id : 0};

	if (caught->list == RULESET_LIST_UNBOUND) {
		s.claim = ISOLATION_CLAIM_UNBOUND;
	} else if (caught->list == RULESET_LIST_SEATS) {
		s.claim = ISOLATION_CLAIM_PORT;
		memcpy(s.interface, caught->port, sizeof(s.interface));
	} else if (s.ip.family) {
		explain_address(&s, policy, topology, carry);
	} else {
		s.claim = claim_of_kind(caught);
	}
	return s;
}
