/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets by which claims are judged: the gateway's own addresses, addresses
 * that are pinned to devices, and what was caught so far. Both tables have
 * them. Touches memory only; must never let a set that is full of old claims
 * stop a new load.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define MAC_IP CONCAT2(NFT_TYPE_ETHER, NFT_TYPE_IP)
#define MAC_IP6 CONCAT2(NFT_TYPE_ETHER, NFT_TYPE_IP6)
#define MAC_MAC CONCAT2(NFT_TYPE_ETHER, NFT_TYPE_ETHER)

static void add_gateway(
	struct ruleset *rs, const struct topology *t, uint16_t family)
{
	bool six = family == AF_INET6;
	const struct set_shape shape = set_shape_addresses(
		six ? "gateway6" : "gateway4", family);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, t->n_addresses);
	for (size_t i = 0; i < t->n_addresses; i++)
		if (t->addresses[i].family == family)
			set_put(&filler, t->addresses[i].b);
	set_end(&filler);
}

/* Device and address together: what a device may say. */
static void add_pins(
	struct ruleset *rs, const struct policy *policy, uint16_t family)
{
	bool six = family == AF_INET6;
	struct set_shape shape = {.name = six ? "pins6" : "pins4",
		.key_type = six ? MAC_IP6 : MAC_IP,
		.key_length = six ? 24 : 12};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->pins.n);
	policy_each(struct isolation_pin, p, &policy->pins) {
		struct set_key key = {0};

		if (p->ip.family != family)
			continue;
		set_key_add(&key, &policy_device(policy, p->device)->mac, 6);
		set_key_add_ip(&key, &p->ip);
		set_put(&filler, key.bytes);
	}
	set_end(&filler);
}

static void add_pinned(
	struct ruleset *rs, const struct policy *policy, uint16_t family)
{
	bool six = family == AF_INET6;
	const struct set_shape shape = set_shape_addresses(
		six ? "pinned6" : "pinned4", family);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->pins.n);
	policy_each(struct isolation_pin, p, &policy->pins)
		if (p->ip.family == family)
			set_put(&filler, p->ip.b);
	set_end(&filler);
}

static int by_mac(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

/* Devices with pins of the family, in order, some of them repeatedly. */
static struct mac *list_pinned(
	const struct policy *policy, uint16_t family, size_t *ret_n)
{
	struct mac *list = must_have(
		calloc(policy->pins.n + 1, sizeof(struct mac)));
	size_t n = 0;

	policy_each(struct isolation_pin, p, &policy->pins)
		if (p->ip.family == family)
			list[n++] = policy_device(policy, p->device)->mac;
	qsort(list, n, sizeof(*list), by_mac);
	*ret_n = n;
	return list;
}

static void add_pinned_macs(
	struct ruleset *rs, const struct policy *policy, uint16_t family)
{
	struct set_shape shape = {
		.name = family == AF_INET6 ? "pinned_macs6" : "pinned_macs4",
		.key_type = NFT_TYPE_ETHER,
		.key_length = sizeof(struct mac)};
	struct set_filler filler;
	size_t n;
	struct mac *list = list_pinned(policy, family, &n);

	set_begin(&filler, rs, &shape, n);
	for (size_t i = 0; i < n; i++)
		if (!i || by_mac(&list[i - 1], &list[i]))
			set_put(&filler, &list[i]);
	set_end(&filler);
	free(list);
}

/* The inet table takes over what both had caught; the reader adds up. */
static void put_caught(struct set_filler *filler,
	const struct ruleset_carry *carry, uint16_t family, uint8_t list)
{
	if (!carry || filler->rs->family != NFPROTO_INET)
		return;
	for (size_t i = 0; i < carry->n_spoofs; i++) {
		const struct ruleset_spoof *s = &carry->spoofs[i];
		struct set_key key = {0};

		if (s->ip.family != family || s->list != list ||
			filler->elements == RULESET_SPOOFS_MAX)
			continue;
		set_key_add(&key, &s->mac, sizeof(s->mac));
		if (family)
			set_key_add(&key, s->ip.b, family == AF_INET ? 4 : 16);
		else
			set_key_add_service(&key, s->protocol, s->what);
		set_put_counter(
			filler, key.bytes, &s->count, RULESET_SPOOFS_MS);
	}
}

static void add_caught(struct ruleset *rs, const struct ruleset_carry *carry)
{
	static const struct {
		const char *name;
		uint32_t key_type, key_length;
		uint16_t family;
		uint8_t list;
	} kinds[] = {
		{"spoofs4", MAC_IP, 12, AF_INET, RULESET_LIST_CLAIMS},
		{"spoofs6", MAC_IP6, 24, AF_INET6, RULESET_LIST_CLAIMS},
		{"unbound4", MAC_IP, 12, AF_INET, RULESET_LIST_UNBOUND},
		{"unbound6", MAC_IP6, 24, AF_INET6, RULESET_LIST_UNBOUND},
		{"spoof_kinds", MAC_PORT, 16, 0, RULESET_LIST_CLAIMS},
		{"spoof_limit", NFT_TYPE_ETHER, 6, AF_MAX,
			0}, /* never filled */
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct set_shape shape = {.name = kinds[i].name,
			.key_type = kinds[i].key_type,
			.key_length = kinds[i].key_length,
			.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
			.size = RULESET_SPOOFS_MAX,
			.keep_ms = RULESET_SPOOFS_MS};
		struct set_filler filler;

		set_begin(&filler, rs, &shape, 0);
		put_caught(&filler, carry, kinds[i].family, kinds[i].list);
		set_end(&filler);
	}
}

/* Pairs of the same address twice: what a sender may say of itself. */
static void add_selves(struct ruleset *rs)
{
	static const struct set_shape shape = {.name = "selves",
		.key_type = MAC_MAC,
		.key_length = 16,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_SELVES_MAX,
		.keep_ms = RULESET_SELVES_MS};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	set_end(&filler);
}

/*
 * Bridges, whose ports the other table judges; and interfaces that are none:
 * nobody else looks at their packets.
 */
void rules_add_zones_if(
	struct ruleset *rs, const struct topology *t, bool bridges)
{
	const struct set_shape shape = set_shape_interfaces(
		bridges ? "bridged_if" : "routed_if");
	struct set_filler filler;

	set_begin(&filler, rs, &shape, t->n_ports);
	for (size_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].routed && t->ports[i].is_bridge == bridges)
			set_put(&filler, t->ports[i].name);
	set_end(&filler);
}

void ruleset_add_spoof_sets(
	struct ruleset *rs, const struct ruleset_input *input)
{
	static const uint16_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		add_gateway(rs, input->topology, families[i]);
		add_pins(rs, input->policy, families[i]);
		add_pinned(rs, input->policy, families[i]);
		add_pinned_macs(rs, input->policy, families[i]);
	}
	add_caught(rs, input->carry);
	if (rs->family == NFPROTO_BRIDGE) {
		add_selves(rs);
		return;
	}
	rules_add_zones_if(rs, input->topology, true);
	rules_add_zones_if(rs, input->topology, false);
}
