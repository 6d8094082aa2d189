/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches interfaces. Reads only; must never change one. An event says that
 * something happened, the truth is read again as a whole: so a lost event
 * cannot leave a wrong picture.
 */
#include "modules/isolation/kernel/links.h"

#include <errno.h>
#include <net/if.h>
#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/rules/batch.h"
#include "modules/isolation/uplinks.h"

#define EVENT_BUFFER (1 << 20)

int links_error(int code)
{
	switch (code < 0 ? -code : code) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return -ENOBUFS; /* what libnl makes of a full buffer */
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:
		return -ENOENT;
	case NLE_DUMP_INTR:
		return -EINTR;
	default:
		return -EIO;
	}
}

int links_open(struct links *links)
{
	int r;

	links->ask = must_have(nl_socket_alloc());
	links->events = must_have(nl_socket_alloc());
	nl_socket_disable_seq_check(links->events);
	r = nl_connect(links->ask, NETLINK_ROUTE);
	if (r == 0)
		r = nl_connect(links->events, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_add_memberships(links->events, RTNLGRP_LINK,
			RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0);
	if (r == 0)
		r = nl_socket_set_nonblocking(links->events);
	if (r < 0)
		return links_error(r);
	(void)nl_socket_set_buffer_size(links->events, EVENT_BUFFER, 0);
	return 0;
}

/* What the events say is read from the kernel anyway. */
static void on_event(struct watch *watch, uint32_t events)
{
	struct links *links = container_of(watch, struct links, watch);
	char byte[8];

	(void)events;
	while (recv(watch->fd, byte, sizeof(byte), MSG_DONTWAIT) >= 0 ||
		errno == ENOBUFS)
		;
	if (!links->settle.slot)
		loop_set_timer(links->loop, &links->settle, LINKS_SETTLE_MS);
}

static void on_settled(struct timer *timer)
{
	struct links *links = container_of(timer, struct links, settle);

	links->on_change(links);
}

int links_start(struct links *links, struct loop *loop)
{
	links->loop = loop;
	links->watch.ready = on_event;
	links->settle.fired = on_settled;
	return loop_add_watch(
		loop, &links->watch, nl_socket_get_fd(links->events), EPOLLIN);
}

struct collection {
	struct topology_fact *facts;
	size_t n, room;
};

static void read_mac(struct rtnl_link *link, struct mac *mac)
{
	struct nl_addr *addr = rtnl_link_get_addr(link);

	if (addr && nl_addr_get_len(addr) == sizeof(mac->b))
		memcpy(mac->b, nl_addr_get_binary_addr(addr), sizeof(mac->b));
}

static void collect(struct nl_object *object, void *arg)
{
	struct rtnl_link *link = (struct rtnl_link *)object;
	const char *name = rtnl_link_get_name(link);
	const char *type = rtnl_link_get_type(link);
	struct collection *c = arg;
	struct topology_fact *fact;

	if (!name || strlen(name) >= IF_NAMESIZE || c->n == LINKS_MAX)
		return;
	if (c->n == c->room) {
		c->room = c->room * 2 + 32;
		c->facts = must_have(
			realloc(c->facts, c->room * sizeof(*c->facts)));
	}
	fact = memset(&c->facts[c->n++], 0, sizeof(*fact));
	memcpy(fact->name, name, strlen(name));
	fact->index = rtnl_link_get_ifindex(link);
	fact->master = rtnl_link_get_master(link);
	read_mac(link, &fact->mac);
	fact->bridge = type && !strcmp(type, "bridge");
	fact->loopback = rtnl_link_get_flags(link) & IFF_LOOPBACK;
	fact->kind = (uint8_t)uplinks_kind(
		type, rtnl_link_get_flags(link) & IFF_POINTOPOINT);
}

static const struct topology_fact *find(const struct collection *c, int index)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->facts[i].index == index)
			return &c->facts[i];
	return NULL;
}

int links_read(
	struct links *links, struct topology_fact **ret_facts, size_t *ret_n)
{
	struct collection c = {0};
	struct nl_cache *cache;
	int r = rtnl_link_alloc_cache(links->ask, AF_UNSPEC, &cache);

	if (r < 0)
		return links_error(r);
	nl_cache_foreach(cache, collect, &c);
	nl_cache_free(cache);
	for (size_t i = 0; i < c.n; i++) {
		const struct topology_fact *master = find(
			&c, c.facts[i].master);

		c.facts[i].bridged = master && master->bridge;
	}
	*ret_facts = c.facts;
	*ret_n = c.n;
	return 0;
}

struct addresses {
	struct topology_address *rows;
	size_t n, room;
};

static void collect_address(struct nl_object *object, void *arg)
{
	struct rtnl_addr *addr = (struct rtnl_addr *)object;
	struct nl_addr *local = rtnl_addr_get_local(addr);
	struct addresses *a = arg;
	struct topology_address *row;
	size_t length = local ? nl_addr_get_len(local) : 0;

	if ((length != 4 && length != 16) || a->n == LINKS_ADDRESSES_MAX)
		return;
	if (a->n == a->room) {
		a->room = a->room * 2 + 32;
		a->rows = must_have(
			realloc(a->rows, a->room * sizeof(*a->rows)));
	}
	row = memset(&a->rows[a->n++], 0, sizeof(*row));
	row->index = rtnl_addr_get_ifindex(addr);
	row->length = (uint8_t)nl_addr_get_prefixlen(local);
	row->ip.family = length == 4 ? AF_INET : AF_INET6;
	memcpy(row->ip.b, nl_addr_get_binary_addr(local), length);
}

int links_read_addresses(struct links *links,
	struct topology_address **ret_addresses, size_t *ret_n)
{
	struct addresses a = {0};
	struct nl_cache *cache;
	int r = rtnl_addr_alloc_cache(links->ask, &cache);

	if (r < 0)
		return links_error(r);
	nl_cache_foreach(cache, collect_address, &a);
	nl_cache_free(cache);
	*ret_addresses = a.rows;
	*ret_n = a.n;
	return 0;
}
