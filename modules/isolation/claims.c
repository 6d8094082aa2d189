/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds out what somebody claimed, from the little that the kernel wrote
 * down. Touches memory only; must never blame a device for what its address
 * does not prove.
 */
#include "modules/isolation/claims.h"

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

static void explain_address(struct isolation_spoof *s,
	const struct policy *policy, const struct topology *topology)
{
	const struct isolation_pin *pin = policy_pin(policy, &s->ip);

	if (topology_is_gateway(topology, &s->ip)) {
		s->claim = ISOLATION_CLAIM_GATEWAY;
	} else if (pin && pin->device != s->device) {
		s->claim = ISOLATION_CLAIM_PINNED;
		s->victim = pin->device;
	} else if (!pin && has_pins(policy, s->device, s->ip.family)) {
		s->claim = ISOLATION_CLAIM_NOT_PINNED;
	} else {
		s->claim = ISOLATION_CLAIM_MAC;
	}
}

struct isolation_spoof claims_explain(const struct policy *policy,
	const struct topology *topology, const struct ruleset_spoof *caught)
{
	const struct isolation_device *d = policy_device_by_mac(
		policy, &caught->mac);
	struct isolation_spoof s = {.packets = caught->count.packets,
		.ip = caught->ip,
		.mac = caught->mac,
		.device = d ? d->id : 0};

	if (s.ip.family)
		explain_address(&s, policy, topology);
	else
		s.claim = claim_of_kind(caught);
	return s;
}
