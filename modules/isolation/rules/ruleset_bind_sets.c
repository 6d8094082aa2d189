/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets by which addresses and ports are bound, filled with what the tables
 * before them knew, and for as long as it had left there. Touches memory
 * only; must never put two holders of one address into a load, because the
 * kernel would refuse all of it.
 */
#include <libmnl/libmnl.h>
#include <libnftnl/set.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define INDEX_MAC_IP CONCAT3(NFT_TYPE_IFINDEX, NFT_TYPE_ETHER, NFT_TYPE_IP)
#define INDEX_MAC_IP6 CONCAT3(NFT_TYPE_IFINDEX, NFT_TYPE_ETHER, NFT_TYPE_IP6)
#define IP_MAC CONCAT2(NFT_TYPE_IP, NFT_TYPE_ETHER)
#define IP6_MAC CONCAT2(NFT_TYPE_IP6, NFT_TYPE_ETHER)
#define MAC_NAME CONCAT2(NFT_TYPE_ETHER, NFT_TYPE_IFNAME)

#define DYNAMIC (NFT_SET_EVAL | NFT_SET_TIMEOUT)
#define RECORDS_AT_ONCE 512

/* Holders go first: where they find a place, the others do. */
static const struct set_shape dynamic[] = {
	{"bound4", IP_MAC, 12, DYNAMIC, 0, 2 * RULESET_BOUND_MAX,
		RULESET_BOUND_MS},
	{"bound6", IP6_MAC, 24, DYNAMIC, 0, 2 * RULESET_BOUND_MAX,
		RULESET_BOUND_MS},
	{"holders4", NFT_TYPE_IP, 4, DYNAMIC | NFT_SET_MAP, 6,
		RULESET_BOUND_MAX, RULESET_BOUND_MS},
	{"holders6", NFT_TYPE_IP6, 16, DYNAMIC | NFT_SET_MAP, 6,
		RULESET_BOUND_MAX, RULESET_BOUND_MS},
	{"leased4", IP_MAC, 12, DYNAMIC, 0, RULESET_BOUND_MAX,
		RULESET_BOUND_MS},
	{"used4", IP_MAC, 12, DYNAMIC, 0, RULESET_BOUND_MAX, RULESET_USED_MS},
	/* By number: no kernel gives one to two interfaces in so few seconds. */
	{"live4", INDEX_MAC_IP, 16, DYNAMIC, 0, RULESET_LIVE_MAX,
		RULESET_LIVE_MS, true},
	{"live6", INDEX_MAC_IP6, 28, DYNAMIC, 0, RULESET_LIVE_MAX,
		RULESET_LIVE_MS, true},
	{"bind_limit", NFT_TYPE_ETHER, 6, DYNAMIC, 0, RULESET_BOUND_MAX,
		RULESET_BOUND_MS},
	{"bind_ports", NFT_TYPE_IFNAME, 16, DYNAMIC, 0, TOPOLOGY_PORTS_MAX,
		RULESET_BOUND_MS, true},
};

static const struct set_shape of_bridges[] = {
	{"seats", MAC_NAME, 24, DYNAMIC, 0, RULESET_SEATS_MAX, RULESET_SEATS_MS,
		true},
	{"seated", NFT_TYPE_ETHER, 6, DYNAMIC, 0, RULESET_SEATS_MAX,
		RULESET_SEATS_MS},
	{"seat_limit", NFT_TYPE_IFNAME, 16, DYNAMIC, 0, TOPOLOGY_PORTS_MAX,
		RULESET_SPOOFS_MS, true},
	{"spoof_seats", MAC_NAME, 24, DYNAMIC, 0, RULESET_SPOOFS_MAX,
		RULESET_SPOOFS_MS, true},
};

static void add_empty(
	struct ruleset *rs, const struct set_shape *shapes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct set_filler filler;

		set_begin(&filler, rs, &shapes[i], 0);
		set_end(&filler);
	}
}

enum trait {
	TRAIT_OFF,
	TRAIT_STRICT,
	TRAIT_ROAMING
};

static bool has(const struct topology_port *port, enum trait trait)
{
	switch (trait) {
	case TRAIT_OFF:
		return port->binding == ISOLATION_BINDING_OFF;
	case TRAIT_STRICT:
		return port->binding == ISOLATION_BINDING_STRICT;
	case TRAIT_ROAMING:
		return port->roaming;
	}
	return false;
}

/* Ports of bridges, or interfaces that are none, by what their zone says. */
static void add_ports(struct ruleset *rs, const struct topology *t,
	const char *name, enum trait trait)
{
	const struct set_shape shape = set_shape_interfaces(name);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, t->n_ports);
	for (size_t i = 0; i < t->n_ports; i++) {
		const struct topology_port *p = &t->ports[i];

		if (p->routed == (rs->family == NFPROTO_INET) && has(p, trait))
			set_put(&filler, p->name);
	}
	set_end(&filler);
}

static void add_shared(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape shape = {.name = "shared_macs",
		.key_type = NFT_TYPE_ETHER,
		.key_length = 6};
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->devices.n);
	policy_each(struct isolation_device, d, &policy->devices)
		if (d->shared)
			set_put(&filler, &d->mac);
	set_end(&filler);
}

/* Elements of a set that packets fill; sent off in pieces. */
struct carried {
	struct ruleset *rs;
	const char *name;
	struct nftnl_set *set;
	size_t n;
};

static void begin_carried(
	struct carried *c, struct ruleset *rs, const char *name)
{
	*c = (struct carried){.rs = rs, .name = name};
	c->set = must_have(nftnl_set_alloc());
	nftnl_set_set_str(c->set, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(c->set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(c->set, NFTNL_SET_FAMILY, rs->family);
}

static void end_carried(struct carried *c)
{
	struct nlmsghdr *m;

	if (c->n) {
		m = batch_message(&c->rs->batch, NFT_MSG_NEWSETELEM,
			c->rs->family, NLM_F_CREATE, "elements of the set %s",
			c->name);
		nftnl_set_elems_nlmsg_build_payload(m, c->set);
		batch_add(&c->rs->batch, m);
	}
	nftnl_set_free(c->set);
}

static struct nftnl_set_elem *carry(
	struct carried *c, const struct set_key *key, uint64_t rest_ms)
{
	struct nftnl_set_elem *e = must_have(nftnl_set_elem_alloc());

	if (c->n == RECORDS_AT_ONCE) {
		end_carried(c);
		begin_carried(c, c->rs, c->name);
	}
	nftnl_set_elem_set(
		e, NFTNL_SET_ELEM_KEY, key->bytes, (uint32_t)key->length);
	nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_EXPIRATION, rest_ms);
	nftnl_set_elem_add(c->set, e);
	c->n++;
	return e;
}

static bool is_here(const struct ruleset *rs, const struct ruleset_bound *b,
	uint16_t family)
{
	return b->ip.family == family &&
	       b->bridge == (rs->family == NFPROTO_BRIDGE);
}

static void carry_bound(struct ruleset *rs, const char *name,
	const struct ruleset_carry *from, uint16_t family, bool leased)
{
	struct carried c;

	begin_carried(&c, rs, name);
	for (size_t i = 0; i < from->n_bound; i++) {
		const struct ruleset_bound *b = &from->bound[i];
		struct set_key key = {0};

		if (!is_here(rs, b, family) || (leased && !b->leased))
			continue;
		set_key_add(&key, b->ip.b, family == AF_INET ? 4 : 16);
		set_key_add(&key, &b->mac, sizeof(b->mac));
		(void)carry(&c, &key, b->rest_ms);
	}
	end_carried(&c);
}

static void carry_holders(struct ruleset *rs, const char *name,
	const struct ruleset_carry *from, uint16_t family)
{
	struct carried c;

	begin_carried(&c, rs, name);
	for (size_t i = 0; i < from->n_bound; i++) {
		const struct ruleset_bound *b = &from->bound[i];
		struct set_key key = {0};

		if (!is_here(rs, b, family))
			continue;
		set_key_add(&key, b->ip.b, family == AF_INET ? 4 : 16);
		nftnl_set_elem_set(carry(&c, &key, b->rest_ms),
			NFTNL_SET_ELEM_DATA, &b->mac, sizeof(b->mac));
	}
	end_carried(&c);
}

static void carry_seats(
	struct ruleset *rs, const char *name, const struct ruleset_carry *from)
{
	bool with_port = !strcmp(name, "seats");
	struct carried c;

	begin_carried(&c, rs, name);
	for (size_t i = 0; i < from->n_seats; i++) {
		const struct ruleset_seat *s = &from->seats[i];
		struct set_key key = {0};

		set_key_add(&key, &s->mac, sizeof(s->mac));
		if (with_port)
			set_key_add(&key, s->port, sizeof(s->port));
		else
			key.length = sizeof(s->mac); /* alone it has no pad */
		(void)carry(&c, &key, s->rest_ms);
	}
	end_carried(&c);
}

static void carry_over(struct ruleset *rs, const struct ruleset_carry *from)
{
	carry_bound(rs, "bound4", from, AF_INET, false);
	carry_bound(rs, "bound6", from, AF_INET6, false);
	carry_bound(rs, "leased4", from, AF_INET, true);
	carry_holders(rs, "holders4", from, AF_INET);
	carry_holders(rs, "holders6", from, AF_INET6);
	if (rs->family != NFPROTO_BRIDGE)
		return;
	carry_seats(rs, "seats", from);
	carry_seats(rs, "seated", from);
}

void ruleset_add_bind_sets(
	struct ruleset *rs, const struct ruleset_input *input)
{
	bool bridge = rs->family == NFPROTO_BRIDGE;

	add_empty(rs, dynamic, ARRAY_SIZE(dynamic));
	if (bridge)
		add_empty(rs, of_bridges, ARRAY_SIZE(of_bridges));
	add_ports(rs, input->topology, "bind_off", TRAIT_OFF);
	add_ports(rs, input->topology, "bind_strict", TRAIT_STRICT);
	if (bridge)
		add_ports(rs, input->topology, "roaming", TRAIT_ROAMING);
	add_shared(rs, input->policy);
	/* An image has nothing of what packets fill. */
	if (input->carry && !rs->image)
		carry_over(rs, input->carry);
}

int ruleset_bound_order(const void *a, const void *b)
{
	const struct ruleset_bound *x = a, *y = b;
	int order = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	return order ? order : x->bridge - y->bridge;
}

static int by_claim(const void *a, const void *b)
{
	const struct ruleset_bound *x = a, *y = b;
	int order = ruleset_bound_order(x, y);

	if (order)
		return order;
	if (x->leased != y->leased)
		return x->leased ? -1 : 1;
	return (x->rest_ms < y->rest_ms) - (x->rest_ms > y->rest_ms);
}

size_t ruleset_settle_bound(struct ruleset_bound *bound, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(bound, n, sizeof(*bound), by_claim);
	for (size_t i = 0; i < n; i++)
		if (!kept || ruleset_bound_order(&bound[kept - 1], &bound[i]))
			bound[kept++] = bound[i];
	return kept;
}

static int by_seat(const void *a, const void *b)
{
	const struct ruleset_seat *x = a, *y = b;
	int order = memcmp(&x->mac, &y->mac, sizeof(x->mac));

	return order ? order
		     : (x->rest_ms < y->rest_ms) - (x->rest_ms > y->rest_ms);
}

size_t ruleset_settle_seats(struct ruleset_seat *seats, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(seats, n, sizeof(*seats), by_seat);
	for (size_t i = 0; i < n; i++)
		if (!kept || !mac_equal(&seats[kept - 1].mac, &seats[i].mac))
			seats[kept++] = seats[i];
	return kept;
}
