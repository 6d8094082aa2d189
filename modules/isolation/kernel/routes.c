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
#include "modules/isolation/kernel/nft_dump.h"

static int open_socket(int *ret_fd)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	_cleanup_(cleanup_close) int fd = socket(AF_NETLINK,
		SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int routes_open(struct routes *routes)
{
	const int groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
	int size = ROUTES_EVENT_BUFFER, r;

	routes->ask = routes->events = -1;
	r = open_socket(&routes->ask);
	if (r == 0)
		r = open_socket(&routes->events);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(groups); i++)
		if (setsockopt(routes->events, SOL_NETLINK,
			    NETLINK_ADD_MEMBERSHIP, &groups[i],
			    sizeof(groups[i])) < 0)
			r = -errno;
	if (r < 0) {
		routes_close(routes);
		return r;
	}
	(void)setsockopt(routes->events, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		sizeof(size));
	return 0;
}

void routes_close(struct routes *routes)
{
	cleanup_close(&routes->ask);
	cleanup_close(&routes->events);
	routes->ask = routes->events = -1;
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

/* The kernel never waits. */
static int read_family(
	struct routes *routes, uint8_t family, struct routes_found *found)
{
	static char bytes[65536] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct rtmsg *head;
	ssize_t n;
	int r = 0;

	m->nlmsg_type = RTM_GETROUTE;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m->nlmsg_seq = ++routes->seq;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->rtm_family = family;
	if (send(routes->ask, m, m->nlmsg_len, 0) < 0)
		return -errno;
	while (r == 0) {
		int left;

		n = recv(routes->ask, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? -EIO : -errno;
		m = (void *)bytes;
		for (left = (int)n; r == 0 && mnl_nlmsg_ok(m, left);
			m = (void *)mnl_nlmsg_next(m, &left))
			r = nft_take_answer(m, routes->seq, note, found);
	}
	return r > 0 ? 0 : r;
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
	return loop_add_watch(loop, &routes->watch, routes->events, EPOLLIN);
}
