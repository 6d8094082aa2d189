/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel for single elements and routes. Reads only; must never
 * take silence for a no.
 */
#include "modules/isolation/kernel/element.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>

#include "modules/isolation/kernel/nft_dump.h"
#include "modules/isolation/rules/set.h"

static int ask(
	struct nft *nft, const char *name, const void *key, size_t length)
{
	char bytes[1024] __attribute__((aligned(8)));
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETSETELEM, NFPROTO_INET, 0, 0);

	nftnl_set_set_str(set, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	if (key) {
		struct nftnl_set_elem *e = must_have(nftnl_set_elem_alloc());

		nftnl_set_elem_set(
			e, NFTNL_SET_ELEM_KEY, key, (uint32_t)length);
		nftnl_set_elem_add(set, e);
		nftnl_set_elems_nlmsg_build_payload(m, set);
	} else {
		nftnl_set_nlmsg_build_payload(m, set);
		m->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSET;
	}
	nftnl_set_free(set);
	return nft_ask(nft, m);
}

int element_find(
	struct nft *nft, const char *set, const void *key, size_t length)
{
	int r = ask(nft, set, key, length);

	if (r != -ENOENT)
		return r < 0 ? r : 1;
	/* Neither the element, or not even the set? */
	return ask(nft, set, NULL, 0);
}

static void add_service(struct set_key *key, const struct flow *flow)
{
	uint8_t protocol = flow->protocol;

	if (protocol == IPPROTO_ICMP && flow->to.family == AF_INET6)
		protocol = IPPROTO_ICMPV6;
	set_key_add_service(key, protocol, flow->port);
}

/* One of several sets is enough. */
static int find_any(struct nft *nft, const char *const *sets, size_t n,
	const struct set_key *key)
{
	for (size_t i = 0; i < n; i++) {
		int r = element_find(nft, sets[i], key->bytes, key->length);

		if (r != 0)
			return r;
	}
	return 0;
}

int element_allows(struct nft *nft, const struct mac *mac,
	const struct flow *flow, bool anywhere)
{
	static const char *const named[2][2] = {
		{"allow4", "wide4"}, {"allow6", "wide6"}};
	static const char *const any[] = {"allow_anywhere", "wide_anywhere"};
	bool six = flow->to.family == AF_INET6;
	struct set_key key = {0};
	int r;

	if (flows_is_dns(flow))
		return element_find(nft,
			six ? "name_servers6" : "name_servers4", flow->to.b,
			six ? 16 : 4);
	set_key_add(&key, mac, sizeof(*mac));
	set_key_add(&key, flow->to.b, six ? 16 : 4);
	add_service(&key, flow);
	r = find_any(nft, named[six], 2, &key);
	if (r != 0 || !anywhere)
		return r;
	memset(&key, 0, sizeof(key));
	set_key_add(&key, mac, sizeof(*mac));
	add_service(&key, flow);
	return find_any(nft, any, ARRAY_SIZE(any), &key);
}

/* From a device or an interface; to an address, an interface, or neither. */
static int find_pass(struct nft *nft, const char *set, const struct mac *mac,
	const char *from, const struct ip *ip, const char *to,
	const struct flow *flow)
{
	struct set_key key = {0};
	char name[16] = "";

	if (mac) {
		set_key_add(&key, mac, sizeof(*mac));
	} else {
		memcpy(name, from, strnlen(from, sizeof(name)));
		set_key_add(&key, name, sizeof(name));
	}
	if (ip)
		set_key_add(&key, ip->b, ip_bits(ip) / 8);
	memset(name, 0, sizeof(name));
	if (to) {
		memcpy(name, to, strnlen(to, sizeof(name)));
		set_key_add(&key, name, sizeof(name));
	}
	add_service(&key, flow);
	return element_find(nft, set, key.bytes, key.length);
}

int element_zone_allows(struct nft *nft, const char *from,
	const struct flow *flow, bool anywhere)
{
	bool six = flow->to.family == AF_INET6;
	int r = find_pass(nft, six ? "zone_allow6" : "zone_allow4", NULL, from,
		&flow->to, NULL, flow);

	if (r != 0 || !anywhere)
		return r;
	return find_pass(nft, "zone_any", NULL, from, NULL, NULL, flow);
}

int element_passes(struct nft *nft, const struct mac *mac,
	const struct flow *flow, const char *from, const char *to)
{
	bool six = flow->to.family == AF_INET6;
	const struct ip *ip = &flow->to;
	int r;

	if (!to) {
		r = find_pass(nft, "peer_gate", mac, NULL, NULL, NULL, flow);
		if (r == 0)
			r = find_pass(nft, "wide_peer_gate", mac, NULL, NULL,
				NULL, flow);
		return r ? r
			 : find_pass(nft, "zone_gate", NULL, from, NULL, NULL,
				   flow);
	}
	r = find_pass(
		nft, six ? "peers6" : "peers4", mac, NULL, ip, NULL, flow);
	if (r == 0)
		r = find_pass(nft, six ? "wide_peers6" : "wide_peers4", mac,
			NULL, ip, NULL, flow);
	if (r == 0)
		r = find_pass(nft, "peer_zones", mac, NULL, NULL, to, flow);
	if (r == 0)
		r = find_pass(nft, six ? "zone_peers6" : "zone_peers4", NULL,
			from, ip, NULL, flow);
	return r ? r : find_pass(nft, "zone_zones", NULL, from, NULL, to, flow);
}

/* The name behind an index, without a call that opens sockets. */
static int find_name(struct links *links, int index, char name[static 16])
{
	struct topology_fact *facts = NULL;
	size_t n = 0;
	int r = links_read(links, &facts, &n);

	if (r < 0)
		return r;
	r = -ENOENT;
	for (size_t i = 0; i < n && r < 0; i++)
		if (facts[i].index == index) {
			memcpy(name, facts[i].name, sizeof(facts[i].name));
			r = 0;
		}
	free(facts);
	return r;
}

static int read_route(struct links *links, struct rtnl_route *route,
	struct element_route *ret_route)
{
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);

	switch (rtnl_route_get_type(route)) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		ret_route->local = true;
		return 0;
	case RTN_UNICAST:
		break;
	default:
		ret_route->none = true;
		return 0;
	}
	if (!hop)
		return -ENOENT;
	return find_name(
		links, rtnl_route_nh_get_ifindex(hop), ret_route->interface);
}

int element_route(struct links *links, const struct ip *to,
	struct element_route *ret_route)
{
	struct nl_addr *addr = must_have(
		nl_addr_build(to->family, to->b, ip_bits(to) / 8));
	struct rtnl_route *route = NULL;
	int r = rtnl_route_lookup(links->ask, addr, &route);

	nl_addr_put(addr);
	memset(ret_route, 0, sizeof(*ret_route));
	if (r < 0) {
		ret_route->none = true;
		return 0;
	}
	r = read_route(links, route, ret_route);
	rtnl_route_put(route);
	return r;
}
