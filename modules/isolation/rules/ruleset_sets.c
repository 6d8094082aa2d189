/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy as set elements: all that differs between two gateways is in
 * sets, the rules are the same everywhere. Here: who and where; what they
 * may is in ruleset_allows.c. Touches memory only; must never put more into
 * a set than the policy says.
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "modules/isolation/rules/ruleset_parts.h"

static void put_name(struct set_filler *filler, const char *name)
{
	char key[16] = "";

	memcpy(key, name, strnlen(name, sizeof(key)));
	set_put(filler, key);
}

/* Interfaces of one role; mode 0: in any mode. */
static void add_interfaces(struct ruleset *rs, const struct policy *policy,
	const char *name, uint8_t role, uint8_t mode)
{
	const struct set_shape shape = set_shape_interfaces(name);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->zones.n);
	policy_each(struct isolation_zone, z, &policy->zones)
		if (z->role == role && (!mode || z->mode == mode))
			put_name(&filler, z->interface);
	set_end(&filler);
}

/* Devices in one mode of their own; mode 0: all. */
static void add_devices(struct ruleset *rs, const struct policy *policy,
	const char *name, uint8_t mode)
{
	struct set_shape shape = {.name = name,
		.key_type = NFT_TYPE_ETHER,
		.key_length = sizeof(struct mac)};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->devices.n);
	policy_each(struct isolation_device, d, &policy->devices)
		if (!mode || d->mode == mode)
			set_put(&filler, &d->mac);
	set_end(&filler);
}

/* Devices that are in another zone than where they are, and where. */
static void add_moved(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape macs = {.name = "moved",
		.key_type = NFT_TYPE_ETHER,
		.key_length = sizeof(struct mac)};
	struct set_filler filler;

	set_begin(&filler, rs, &macs, policy->devices.n);
	policy_each(struct isolation_device, d, &policy->devices)
		if (d->moved)
			set_put(&filler, &d->mac);
	set_end(&filler);
	for (int six = 0; six < 2; six++) {
		const uint16_t family = six ? AF_INET6 : AF_INET;
		const struct set_shape shape = set_shape_addresses(
			six ? "moved_at6" : "moved_at4", family);

		set_begin(&filler, rs, &shape, policy->pins.n);
		policy_each(struct isolation_pin, p, &policy->pins)
			if (p->ip.family == family &&
				policy_device(policy, p->device)->moved)
				set_put(&filler, p->ip.b);
		set_end(&filler);
	}
}

static void add_addresses(struct ruleset *rs, const char *name,
	const struct policy_array *addresses, uint16_t family)
{
	const struct set_shape shape = set_shape_addresses(name, family);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, addresses->n);
	policy_each(struct isolation_address, a, addresses)
		if (a->ip.family == family)
			set_put(&filler, a->ip.b);
	set_end(&filler);
}

static void add_constants(struct ruleset *rs, uint8_t generation)
{
	static const struct set_shape icmp6 = {.name = "icmp6_neighbours",
		.key_type = NFT_TYPE_ICMP6_TYPE,
		.key_length = 1};
	static const struct set_shape groups = {.name = "icmp6_groups",
		.key_type = NFT_TYPE_ICMP6_TYPE,
		.key_length = 1};
	static const struct set_shape here = {.name = "here",
		.key_type = NFT_TYPE_FIB_TYPE,
		.key_length = 4,
		.host_order = true};
	static const struct set_shape mark = {.name = "generation",
		.key_type = NFT_TYPE_MARK,
		.key_length = 4,
		.host_order = true};
	static const uint8_t nd[] = {133, 135, 136};
	static const uint8_t mld[] = {130, 131, 132, 143};
	static const uint32_t types[] = {
		RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST};
	const uint32_t value = generation;
	struct set_filler filler;

	set_begin(&filler, rs, &icmp6, ARRAY_SIZE(nd));
	for (size_t i = 0; i < ARRAY_SIZE(nd); i++)
		set_put(&filler, &nd[i]);
	set_end(&filler);
	set_begin(&filler, rs, &groups, ARRAY_SIZE(mld));
	for (size_t i = 0; i < ARRAY_SIZE(mld); i++)
		set_put(&filler, &mld[i]);
	set_end(&filler);
	set_begin(&filler, rs, &here, ARRAY_SIZE(types));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		set_put(&filler, &types[i]);
	set_end(&filler);
	set_begin(&filler, rs, &mark, 1);
	set_put(&filler, &value);
	set_end(&filler);
}

/* Filled by the engine when it changes single devices. */
static void add_again(struct ruleset *rs)
{
	static const struct set_shape shape = {.name = RULESET_AGAIN,
		.key_type = NFT_TYPE_ETHER,
		.key_length = sizeof(struct mac),
		.flags = NFT_SET_TIMEOUT,
		.size = RULESET_AGAIN_MAX,
		.keep_ms = RULESET_AGAIN_MS};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	set_end(&filler);
}

int ruleset_add_inet_sets(
	struct ruleset *rs, const struct ruleset_input *input, char *ret_reason)
{
	const struct policy *p = input->policy;
	int r;

	add_interfaces(rs, p, "devices_if", ISOLATION_ROLE_DEVICES, 0);
	add_interfaces(rs, p, "enforce_if", ISOLATION_ROLE_DEVICES,
		RECORD_MODE_ENFORCE);
	add_interfaces(rs, p, "owner_if", ISOLATION_ROLE_OWNER, 0);
	add_devices(rs, p, "known", 0);
	add_devices(rs, p, "observed", RECORD_MODE_OBSERVE);
	add_devices(rs, p, "enforced", RECORD_MODE_ENFORCE);
	add_moved(rs, p);
	add_addresses(rs, "name_servers4", &p->name_servers, AF_INET);
	add_addresses(rs, "name_servers6", &p->name_servers, AF_INET6);
	add_addresses(rs, "admins4", &p->admins, AF_INET);
	add_addresses(rs, "admins6", &p->admins, AF_INET6);
	add_constants(rs, input->generation);
	add_again(rs);
	ruleset_add_learned_sets(rs, input);
	ruleset_add_fence_sets(rs, p);
	ruleset_add_log_sets(rs);
	ruleset_add_reflect_sets(rs, p);
	ruleset_add_router_sets(rs, p);
	ruleset_add_count_sets(rs, p, input->carry);
	ruleset_add_spoof_sets(rs, input);
	ruleset_add_limit_sets(rs, p, input->carry);
	ruleset_add_bandwidth_sets(rs, p, input->carry);
	ruleset_add_bind_sets(rs, input);
	r = ruleset_add_zone_sets(rs, p, ret_reason);
	if (r == 0)
		r = ruleset_add_stranger_sets(rs, p, ret_reason);
	if (r == 0)
		r = ruleset_add_outside_sets(rs, input, ret_reason);
	return r < 0 ? r : ruleset_add_allow_sets(rs, p, ret_reason);
}

/* Ports of bridges; mode 0: in any mode. */
static void add_ports(struct ruleset *rs, const struct topology *topology,
	const char *name, uint8_t mode)
{
	const struct set_shape shape = set_shape_interfaces(name);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, topology->n_ports);
	for (size_t i = 0; i < topology->n_ports; i++) {
		const struct topology_port *port = &topology->ports[i];

		if (!port->routed && (!mode || port->mode == mode))
			put_name(&filler, port->name);
	}
	set_end(&filler);
}

/* Which the bridge keeps apart before its forward hook sees anything. */
static void add_apart(struct ruleset *rs, const struct topology *topology)
{
	const struct set_shape shape = set_shape_interfaces("ports_apart");
	struct set_filler filler;

	set_begin(&filler, rs, &shape, topology->n_ports);
	for (size_t i = 0; i < topology->n_ports; i++)
		if (topology->ports[i].apart)
			put_name(&filler, topology->ports[i].name);
	set_end(&filler);
}

/* Link addresses of the bridges and ports: none twice. */
static void add_own_macs(struct ruleset *rs, const struct topology *topology)
{
	static const struct mac none;
	struct set_shape shape = {.name = "own_macs",
		.key_type = NFT_TYPE_ETHER,
		.key_length = sizeof(struct mac)};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, topology->n_ports);
	for (size_t i = 0; i < topology->n_ports; i++) {
		const struct topology_port *p = &topology->ports[i];
		size_t k = 0;

		while (!mac_equal(&topology->ports[k].mac, &p->mac))
			k++;
		if (k == i && !mac_equal(&p->mac, &none))
			set_put(&filler, &p->mac);
	}
	set_end(&filler);
}

void ruleset_add_bridge_sets(
	struct ruleset *rs, const struct ruleset_input *input)
{
	add_interfaces(
		rs, input->policy, "devices_if", ISOLATION_ROLE_DEVICES, 0);
	add_interfaces(rs, input->policy, "enforce_if", ISOLATION_ROLE_DEVICES,
		RECORD_MODE_ENFORCE);
	add_ports(rs, input->topology, "ports", 0);
	add_ports(rs, input->topology, "ports_enforce", RECORD_MODE_ENFORCE);
	add_apart(rs, input->topology);
	add_own_macs(rs, input->topology);
	add_devices(rs, input->policy, "observed", RECORD_MODE_OBSERVE);
	add_devices(rs, input->policy, "enforced", RECORD_MODE_ENFORCE);
	ruleset_add_router_sets(rs, input->policy);
	ruleset_add_log_sets(rs);
	ruleset_add_bandwidth_sets(rs, input->policy, NULL);
	ruleset_add_spoof_sets(rs, input);
	ruleset_add_bind_sets(rs, input);
}
