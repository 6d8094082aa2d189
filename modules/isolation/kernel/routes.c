/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listens to routes. Reads only; must never change one. An event says that
 * something happened, the truth is read again as a whole. Nothing is kept of
 * a table, which may be the internet's.
 */
#include "modules/isolation/kernel/routes.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "agent/lib/cleanup.h"

int routes_open(struct routes *routes)
{
	const int groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};

	return rtsock_open(&routes->rtsock, groups, ARRAY_SIZE(groups));
}

void routes_close(struct routes *routes)
{
	rtsock_close(&routes->rtsock);
}

static void add(struct routes_found *found, int32_t index)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->index[i] == index)
			return;
	if (index > 0 && found->n < ROUTES_MAX)
		found->index[found->n++] = index;
}

/* Several ways at once: each is one. */
static void add_ways(const struct nlattr *a, struct routes_found *found)
{
	const struct rtnexthop *way = mnl_attr_get_payload(a);
	int left = mnl_attr_get_payload_len(a);

	while (RTNH_OK(way, left)) {
		add(found, way->rtnh_ifindex);
		left -= RTNH_ALIGN(way->rtnh_len);
		way = RTNH_NEXT(way);
	}
}

bool routes_take(const struct nlmsghdr *message, struct routes_found *found)
{
	const struct rtmsg *head = mnl_nlmsg_get_payload(message);
	const struct nlattr *a;

	if ((message->nlmsg_type != RTM_NEWROUTE &&
		    message->nlmsg_type != RTM_DELROUTE) ||
		message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*head) ||
		(head->rtm_family != AF_INET && head->rtm_family != AF_INET6))
		return false;
	if (head->rtm_dst_len || head->rtm_src_len ||
		head->rtm_type != RTN_UNICAST ||
		head->rtm_table != RT_TABLE_MAIN)
		return false;
	mnl_attr_for_each(a, message, sizeof(*head))
	{
		uint16_t type = mnl_attr_get_type(a);

		if (type == RTA_OIF && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
			add(found, (int32_t)mnl_attr_get_u32(a));
		else if (type == RTA_MULTIPATH)
			add_ways(a, found);
	}
	return true;
}

static int note(const struct nlmsghdr *m, void *arg)
{
	(void)routes_take(m, arg);
	return 0;
}

static int read_family(
	struct routes *routes, uint8_t family, struct routes_found *found)
{
	char bytes[128] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct rtmsg *head;

	m->nlmsg_type = RTM_GETROUTE;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->rtm_family = family;
	return rtsock_ask(&routes->rtsock, m, note, found);
}

int routes_read(struct routes *routes, struct routes_found *ret_found)
{
	struct routes_found found = {.n = 0};
	int r = read_family(routes, AF_INET, &found);

	if (r == 0)
		r = read_family(routes, AF_INET6, &found);
	/* A kernel without IPv6 has none of its routes. */
	if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
		return r;
	*ret_found = found;
	return 0;
}

static void on_event(struct watch *watch, uint32_t events)
{
	static char bytes[65536] __attribute__((aligned(8)));
	struct routes *routes = container_of(watch, struct routes, watch);
	struct routes_found found = {.n = 0};
	bool changed = false;
	ssize_t n;

	(void)events;
	for (;;) {
		const struct nlmsghdr *m = (void *)bytes;
		int left;

		n = recv(watch->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS)
			changed = true; /* who knows */
		else if (n <= 0)
			break;
		for (left = (int)n; left > 0 && mnl_nlmsg_ok(m, left);
			m = mnl_nlmsg_next(m, &left))
			changed |= routes_take(m, &found);
	}
	if (changed)
		routes->on_change(routes);
}

int routes_start(struct routes *routes, struct loop *loop)
{
	routes->watch.ready = on_event;
	return loop_add_watch(
		loop, &routes->watch, routes->rtsock.events, EPOLLIN);
}
