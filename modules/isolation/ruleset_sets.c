/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy as set elements: all that differs between two gateways is in
 * here, the rules are the same everywhere. Touches memory only; must never
 * put more into a set than the policy says.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/boxes.h"
#include "modules/isolation/ruleset_parts.h"

/* nft's numbers of types, so that it can list what we made. */
enum nft_type {
	NFT_TYPE_IP = 7,
	NFT_TYPE_IP6 = 8,
	NFT_TYPE_ETHER = 9,
	NFT_TYPE_PROTOCOL = 12,
	NFT_TYPE_SERVICE = 13,
	NFT_TYPE_MARK = 19,
	NFT_TYPE_UID = 25,
	NFT_TYPE_ICMP6_TYPE = 29,
	NFT_TYPE_FIB_TYPE = 38,
	NFT_TYPE_IFNAME = 41,
};
#define CONCAT2(a, b) ((a) << 6 | (b))
#define CONCAT3(a, b, c) (CONCAT2(a, b) << 6 | (c))
#define CONCAT4(a, b, c, d) (CONCAT3(a, b, c) << 6 | (d))

#define MAC_IP_PORT                                             \
	CONCAT4(NFT_TYPE_ETHER, NFT_TYPE_IP, NFT_TYPE_PROTOCOL, \
		NFT_TYPE_SERVICE)
#define MAC_IP6_PORT                                             \
	CONCAT4(NFT_TYPE_ETHER, NFT_TYPE_IP6, NFT_TYPE_PROTOCOL, \
		NFT_TYPE_SERVICE)
#define MAC_PORT CONCAT3(NFT_TYPE_ETHER, NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE)

#define KEY_MAX 32

/* A key grows field by field, each padded to four bytes. */
struct key {
	uint8_t bytes[KEY_MAX];
	size_t length;
};

static void key_add(struct key *key, const void *field, size_t length)
{
	memcpy(key->bytes + key->length, field, length);
	key->length += (length + 3) & ~(size_t)3;
}

static void key_add_tail(struct key *key, uint8_t protocol, uint16_t port)
{
	uint16_t wire = htons(port);

	key_add(key, &protocol, sizeof(protocol));
	key_add(key, &wire, sizeof(wire));
}

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
	struct set_shape shape = {.name = name,
		.key_type = NFT_TYPE_IFNAME,
		.key_length = 16,
		.host_order = true};
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

static void add_addresses(struct ruleset *rs, const char *name,
	const struct policy_array *addresses, uint16_t family)
{
	bool six = family == AF_INET6;
	struct set_shape shape = {.name = name,
		.key_type = six ? NFT_TYPE_IP6 : NFT_TYPE_IP,
		.key_length = six ? 16 : 4};
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

/* A line that hash sets can hold: one port of TCP or UDP. */
static bool one_port(const struct isolation_allow *a)
{
	return a->first == a->last &&
	       (a->protocol == IPPROTO_TCP || a->protocol == IPPROTO_UDP);
}

static bool one_address(const struct isolation_allow *a, uint16_t family)
{
	return a->to.family == family && a->length == ip_bits(&a->to);
}

static void add_exact(
	struct ruleset *rs, const struct policy *policy, uint16_t family)
{
	bool six = family == AF_INET6;
	struct set_shape shape = {.name = six ? "allow6" : "allow4",
		.key_type = six ? MAC_IP6_PORT : MAC_IP_PORT,
		.key_length = six ? 32 : 20};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->allows.n);
	policy_each(struct isolation_allow, a, &policy->allows) {
		struct key key = {0};

		if (!one_port(a) || !one_address(a, family))
			continue;
		key_add(&key, &policy_device(policy, a->device)->mac, 6);
		key_add(&key, a->to.b, six ? 16 : 4);
		key_add_tail(&key, a->protocol, a->first);
		set_put(&filler, key.bytes);
	}
	set_end(&filler);
}

static void add_anywhere(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "allow_anywhere",
		.key_type = MAC_PORT,
		.key_length = 16};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->allows.n);
	policy_each(struct isolation_allow, a, &policy->allows) {
		struct key key = {0};

		if (!one_port(a) || a->to.family)
			continue;
		key_add(&key, &policy_device(policy, a->device)->mac, 6);
		key_add_tail(&key, a->protocol, a->first);
		set_put(&filler, key.bytes);
	}
	set_end(&filler);
}

/* The rest: prefixes, port ranges, other protocols. */
static bool is_wide(const struct isolation_allow *a, uint16_t family)
{
	return a->to.family == family &&
	       !(one_port(a) && (!family || one_address(a, family)));
}

static void side(struct box *box, enum boxes_side s, const void *first,
	const void *last, size_t length)
{
	memcpy(box->side[s].first + 16 - length, first, length);
	memcpy(box->side[s].last + 16 - length, last, length);
}

static struct box allow_to_box(
	const struct isolation_allow *a, uint8_t protocol)
{
	uint8_t last[16] = {0}, from = protocol, to = protocol;
	uint16_t ports[2] = {htons(a->first), htons(a->last)};
	size_t length = a->to.family == AF_INET6 ? 16 : 4;
	struct box box = {0};

	memcpy(last, a->to.b, sizeof(last));
	for (unsigned bit = a->length; a->to.family && bit < length * 8; bit++)
		last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	if (!protocol)
		to = 255;
	side(&box, BOXES_ADDRESS, a->to.b, last, length);
	side(&box, BOXES_PROTOCOL, &from, &to, 1);
	side(&box, BOXES_PORT, &ports[0], &ports[1], 2);
	return box;
}

/* ICMP means the family's own; without an address both. */
static int add_allow_boxes(
	struct boxes *boxes, const struct isolation_allow *a, size_t most)
{
	bool icmp = a->protocol == IPPROTO_ICMP;
	struct box box;
	int r = 0;

	if (!icmp || a->to.family != AF_INET6) {
		box = allow_to_box(a, a->protocol);
		r = boxes_add(boxes, &box, most);
	}
	if (r == 0 && icmp && a->to.family != AF_INET) {
		box = allow_to_box(a, IPPROTO_ICMPV6);
		r = boxes_add(boxes, &box, most);
	}
	return r;
}

static void put_box(struct set_filler *filler, const struct mac *mac,
	const struct box *box, size_t address)
{
	struct key first = {0}, last = {0};

	key_add(&first, mac, sizeof(*mac));
	key_add(&last, mac, sizeof(*mac));
	for (int s = 0; s < BOXES_SIDES; s++) {
		size_t n = s == BOXES_ADDRESS    ? address
			   : s == BOXES_PROTOCOL ? 1
						 : 2;

		key_add(&first, box->side[s].first + 16 - n, n);
		key_add(&last, box->side[s].last + 16 - n, n);
	}
	set_put_range(filler, first.bytes, last.bytes);
}

/* All lines of one device; *a is moved behind them. */
static int add_wide_device(struct set_filler *filler,
	const struct isolation_allow **a, const struct isolation_allow *end,
	const struct isolation_device *device, uint16_t family)
{
	size_t address = family == AF_INET6 ? 16 : family == AF_INET ? 4 : 0;
	struct boxes boxes = {0};
	int r = 0;

	for (; *a < end && (*a)->device == device->id; (*a)++)
		if (r == 0 && is_wide(*a, family))
			r = add_allow_boxes(
				&boxes, *a, BOXES_MAX - filler->elements);
	for (size_t i = 0; i < boxes.n && r == 0; i++)
		put_box(filler, &device->mac, &boxes.box[i], address);
	boxes_free(&boxes);
	return r;
}

static int add_wide(struct ruleset *rs, const struct policy *policy,
	const struct set_shape *shape, uint16_t family, char *reason)
{
	const struct isolation_allow *a = policy->allows.items;
	const struct isolation_allow *end = a + policy->allows.n;
	struct set_filler filler;
	int r = 0;

	set_begin(&filler, rs, shape, 0);
	while (a < end && r == 0) {
		const struct isolation_device *d = policy_device(
			policy, a->device);

		r = add_wide_device(&filler, &a, end, d, family);
		if (r < 0)
			snprintf(reason, POLICY_REASON,
				"too many allow lines with prefixes or port "
				"ranges: at device number %u the limit of %d "
				"is passed",
				d->id, BOXES_MAX);
	}
	set_end(&filler);
	return r;
}

static int add_all_wide(
	struct ruleset *rs, const struct policy *policy, char *reason)
{
	static const struct set_shape four = {.name = "wide4",
		.key_type = MAC_IP_PORT,
		.key_length = 20,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {6, 4, 1, 2}};
	static const struct set_shape six = {.name = "wide6",
		.key_type = MAC_IP6_PORT,
		.key_length = 32,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {6, 16, 1, 2}};
	static const struct set_shape any = {.name = "wide_anywhere",
		.key_type = MAC_PORT,
		.key_length = 16,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {6, 1, 2}};
	int r = add_wide(rs, policy, &four, AF_INET, reason);

	if (r == 0)
		r = add_wide(rs, policy, &six, AF_INET6, reason);
	if (r == 0)
		r = add_wide(rs, policy, &any, 0, reason);
	return r;
}

/*
 * Devices that only observe are not redirected. Those without a mode of
 * their own follow their zone, which a rule checks.
 */
static void add_redirects(struct ruleset *rs, const struct policy *policy,
	const char *name, uint8_t mode)
{
	struct set_shape shape = {.name = name,
		.key_type = CONCAT2(NFT_TYPE_ETHER, NFT_TYPE_SERVICE),
		.key_length = 12,
		.flags = NFT_SET_MAP,
		.data_length = 2};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->redirects.n);
	policy_each(struct isolation_redirect, r, &policy->redirects) {
		const struct isolation_device *d = policy_device(
			policy, r->device);
		uint16_t wire = htons(r->port);
		struct key key = {0};

		if (d->mode != mode)
			continue;
		key_add(&key, &d->mac, sizeof(d->mac));
		key_add(&key, &wire, sizeof(wire));
		set_put_port(&filler, key.bytes, r->to_port);
	}
	set_end(&filler);
}

static void add_proxy_ports(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "proxy_ports",
		.key_type = NFT_TYPE_SERVICE,
		.key_length = 2};
	uint8_t seen[65536 / 8] = {0};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->redirects.n);
	policy_each(struct isolation_redirect, r, &policy->redirects) {
		uint16_t wire = htons(r->to_port);

		if (seen[r->to_port / 8] & 1 << r->to_port % 8)
			continue;
		seen[r->to_port / 8] |= (uint8_t)(1 << r->to_port % 8);
		set_put(&filler, &wire);
	}
	set_end(&filler);
}

/* Our workers, the ports they may go to, and where devices sent them. */
static void add_fences(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape users = {.name = "fenced",
		.key_type = NFT_TYPE_UID,
		.key_length = 4,
		.host_order = true};
	static const struct set_shape ports = {.name = "fence_ports",
		.key_type = CONCAT2(NFT_TYPE_UID, NFT_TYPE_SERVICE),
		.key_length = 8};
	const struct isolation_fence *last = NULL;
	struct set_filler filler;

	set_begin(&filler, rs, &users, policy->fences.n);
	policy_each(struct isolation_fence, f, &policy->fences) {
		if (!last || last->uid != f->uid)
			set_put(&filler, &f->uid);
		last = f;
	}
	set_end(&filler);
	set_begin(&filler, rs, &ports, policy->fences.n);
	policy_each(struct isolation_fence, f, &policy->fences) {
		uint16_t wire = htons(f->port);
		struct key key = {0};

		key_add(&key, &f->uid, sizeof(f->uid));
		key_add(&key, &wire, sizeof(wire));
		set_put(&filler, key.bytes);
	}
	set_end(&filler);
}

static void add_dialled(struct ruleset *rs, const char *name, uint16_t family)
{
	bool six = family == AF_INET6;
	struct set_shape shape = {.name = name,
		.key_type = six ? NFT_TYPE_IP6 : NFT_TYPE_IP,
		.key_length = six ? 16 : 4,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_DIALLED_MAX,
		.keep_ms = RULESET_DIALLED_MS};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	set_end(&filler);
}

static void add_attempts(
	struct ruleset *rs, const struct ruleset_carry *carry, uint16_t family)
{
	bool six = family == AF_INET6;
	struct set_shape shape = {.name = six ? "attempts6" : "attempts4",
		.key_type = six ? MAC_IP6_PORT : MAC_IP_PORT,
		.key_length = six ? 32 : 20,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_ATTEMPTS_MAX};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, 0);
	for (size_t i = 0; carry && i < carry->n_attempts; i++) {
		const struct ruleset_attempt *a = &carry->attempts[i];
		struct key key = {0};

		if (a->to.family != family)
			continue;
		key_add(&key, &a->mac, sizeof(a->mac));
		key_add(&key, a->to.b, six ? 16 : 4);
		key_add_tail(&key, a->protocol, a->port);
		set_put_counter(
			&filler, key.bytes, &a->count, RULESET_REMEMBER_MS);
	}
	set_end(&filler);
}

static int by_mac(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

static const struct ruleset_count *carried(
	const struct ruleset_carry *carry, const struct mac *mac)
{
	static const struct ruleset_count none;
	const struct ruleset_tally *t = NULL;

	if (carry && carry->n_tallies)
		t = bsearch(mac, carry->tallies, carry->n_tallies,
			sizeof(*carry->tallies), by_mac);
	return t ? &t->count : &none;
}

/* Known devices have a place for sure; strangers share a bounded set. */
static void add_tallies(struct ruleset *rs, const struct policy *policy,
	const struct ruleset_carry *carry)
{
	static const struct set_shape known = {
		.name = "tally", .key_type = NFT_TYPE_ETHER, .key_length = 6};
	static const struct set_shape others = {.name = "strangers",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_STRANGERS_MAX};
	struct set_filler filler;

	set_begin(&filler, rs, &known, policy->devices.n);
	policy_each(struct isolation_device, d, &policy->devices)
		set_put_counter(&filler, &d->mac, carried(carry, &d->mac), 0);
	set_end(&filler);
	set_begin(&filler, rs, &others, 0);
	for (size_t i = 0; carry && i < carry->n_tallies; i++) {
		const struct ruleset_tally *t = &carry->tallies[i];

		if (!policy_device_by_mac(policy, &t->mac))
			set_put_counter(&filler, &t->mac, &t->count,
				RULESET_REMEMBER_MS);
	}
	set_end(&filler);
}

static void add_limits(struct ruleset *rs)
{
	static const struct set_shape itemise = {.name = "attempt_limit",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_ATTEMPTS_MAX};
	static const struct set_shape echo = {.name = "echo_limit",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6,
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = RULESET_ATTEMPTS_MAX};
	struct set_filler filler;

	set_begin(&filler, rs, &itemise, 0);
	set_end(&filler);
	set_begin(&filler, rs, &echo, 0);
	set_end(&filler);
}

int ruleset_add_inet_sets(
	struct ruleset *rs, const struct ruleset_input *input, char *ret_reason)
{
	const struct policy *p = input->policy;

	add_interfaces(rs, p, "devices_if", ISOLATION_ROLE_DEVICES, 0);
	add_interfaces(rs, p, "enforce_if", ISOLATION_ROLE_DEVICES,
		RECORD_MODE_ENFORCE);
	add_interfaces(rs, p, "owner_if", ISOLATION_ROLE_OWNER, 0);
	add_devices(rs, p, "known", 0);
	add_devices(rs, p, "observed", RECORD_MODE_OBSERVE);
	add_devices(rs, p, "enforced", RECORD_MODE_ENFORCE);
	add_addresses(rs, "name_servers4", &p->name_servers, AF_INET);
	add_addresses(rs, "name_servers6", &p->name_servers, AF_INET6);
	add_addresses(rs, "admins4", &p->admins, AF_INET);
	add_addresses(rs, "admins6", &p->admins, AF_INET6);
	add_constants(rs, input->generation);
	add_exact(rs, p, AF_INET);
	add_exact(rs, p, AF_INET6);
	add_anywhere(rs, p);
	add_redirects(rs, p, "redirect_own", RECORD_MODE_ENFORCE);
	add_redirects(rs, p, "redirect_zone", 0);
	add_proxy_ports(rs, p);
	add_fences(rs, p);
	add_dialled(rs, "dialled4", AF_INET);
	add_dialled(rs, "dialled6", AF_INET6);
	add_attempts(rs, input->carry, AF_INET);
	add_attempts(rs, input->carry, AF_INET6);
	add_tallies(rs, p, input->carry);
	add_limits(rs);
	return add_all_wide(rs, p, ret_reason);
}

/* Ports of bridges; mode 0: in any mode. */
static void add_ports(struct ruleset *rs, const struct topology *topology,
	const char *name, uint8_t mode)
{
	struct set_shape shape = {.name = name,
		.key_type = NFT_TYPE_IFNAME,
		.key_length = 16,
		.host_order = true};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, topology->n_ports);
	for (size_t i = 0; i < topology->n_ports; i++) {
		const struct topology_port *port = &topology->ports[i];

		if (!port->routed && (!mode || port->mode == mode))
			put_name(&filler, port->name);
	}
	set_end(&filler);
}

void ruleset_add_bridge_sets(
	struct ruleset *rs, const struct ruleset_input *input)
{
	add_ports(rs, input->topology, "ports", 0);
	add_ports(rs, input->topology, "ports_enforce", RECORD_MODE_ENFORCE);
	add_devices(rs, input->policy, "observed", RECORD_MODE_OBSERVE);
	add_devices(rs, input->policy, "enforced", RECORD_MODE_ENFORCE);
}
