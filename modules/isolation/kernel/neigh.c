/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the kernel's neighbour tables. Reads only; must never add or change
 * an entry, and believes nothing but well-formed unicast MAC addresses.
 */
#include "modules/isolation/kernel/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>
#include <netlink/socket.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/rules/batch.h"
#include "modules/isolation/kernel/links.h"

#define EVENT_BUFFER (16 << 20) /* of a burst nothing is lost */
#define VALID (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

static bool read_mac(struct rtnl_neigh *n, struct mac *ret_mac)
{
	struct nl_addr *addr = rtnl_neigh_get_lladdr(n);

	if (!addr || nl_addr_get_len(addr) != sizeof(ret_mac->b))
		return false;
	memcpy(ret_mac->b, nl_addr_get_binary_addr(addr), 6);
	return !(ret_mac->b[0] & 1) && !mac_is_zero(ret_mac);
}

static bool read_ip(struct rtnl_neigh *n, struct ip *ret_ip)
{
	struct nl_addr *addr = rtnl_neigh_get_dst(n);
	unsigned wanted = rtnl_neigh_get_family(n) == AF_INET6 ? 16 : 4;

	if (!addr || nl_addr_get_len(addr) != wanted)
		return false;
	memset(ret_ip, 0, sizeof(*ret_ip));
	ret_ip->family = (uint16_t)rtnl_neigh_get_family(n);
	memcpy(ret_ip->b, nl_addr_get_binary_addr(addr), wanted);
	return true;
}

static bool read_fact(struct rtnl_neigh *n, struct neigh_fact *ret_fact)
{
	int state = rtnl_neigh_get_state(n);
	int family = rtnl_neigh_get_family(n);

	memset(ret_fact, 0, sizeof(*ret_fact));
	ret_fact->index = rtnl_neigh_get_ifindex(n);
	if (!read_mac(n, &ret_fact->mac))
		return false;
	if (family == AF_BRIDGE) /* permanent: the bridge's own */
		return !(state & NUD_PERMANENT) &&
		       !(rtnl_neigh_get_flags(n) & NTF_SELF);
	if (family != AF_INET && family != AF_INET6)
		return false;
	return (state & (VALID | NUD_PERMANENT)) && read_ip(n, &ret_fact->ip);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *m = nlmsg_hdr(msg);
	struct neigh *neigh = arg;
	struct rtnl_neigh *n;
	struct neigh_fact fact;

	if (m->nlmsg_type != RTM_NEWNEIGH || rtnl_neigh_parse(m, &n) < 0)
		return NL_OK;
	if (read_fact(n, &fact) && !neigh->on_seen(neigh, &fact))
		neigh->again = true;
	rtnl_neigh_put(n);
	return NL_OK;
}

void neigh_hear(struct neigh *neigh)
{
	int r;

	do {
		r = nl_recvmsgs_default(neigh->events);
	} while (r >= 0);
	if (links_error(r) == -ENOBUFS)
		loop_set_timer(neigh->loop, &neigh->sweep, 0);
	else if (neigh->again)
		loop_set_timer(neigh->loop, &neigh->sweep, NEIGH_SOON_MS);
}

static void on_event(struct watch *watch, uint32_t events)
{
	(void)events;
	neigh_hear(container_of(watch, struct neigh, watch));
}

static void on_sweep(struct timer *timer)
{
	neigh_sweep(container_of(timer, struct neigh, sweep));
}

static struct nl_sock *new_socket(struct neigh *neigh)
{
	struct nl_sock *sock = must_have(nl_socket_alloc());

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, neigh);
	return sock;
}

/* The system's limit for everybody is far too small; we may pass it. */
static void grow_buffer(struct nl_sock *sock)
{
	const int size = EVENT_BUFFER;

	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE,
		    &size, sizeof(size)) < 0)
		(void)nl_socket_set_buffer_size(sock, EVENT_BUFFER, 0);
}

int neigh_open(struct neigh *neigh)
{
	int r;

	neigh->ask = new_socket(neigh);
	neigh->events = new_socket(neigh);
	nl_socket_disable_seq_check(neigh->events);
	nl_socket_disable_auto_ack(neigh->ask);
	r = nl_connect(neigh->ask, NETLINK_ROUTE);
	if (r == 0)
		r = nl_connect(neigh->events, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_add_membership(neigh->events, RTNLGRP_NEIGH);
	if (r == 0)
		r = nl_socket_set_nonblocking(neigh->events);
	if (r < 0)
		return links_error(r);
	grow_buffer(neigh->events);
	return 0;
}

int neigh_start(struct neigh *neigh, struct loop *loop)
{
	neigh->loop = loop;
	neigh->watch.ready = on_event;
	neigh->sweep.fired = on_sweep;
	return loop_add_watch(
		loop, &neigh->watch, nl_socket_get_fd(neigh->events), EPOLLIN);
}

static void dump(struct neigh *neigh, int family)
{
	struct ndmsg head = {.ndm_family = (uint8_t)family};
	int r = nl_send_simple(
		neigh->ask, RTM_GETNEIGH, NLM_F_DUMP, &head, sizeof(head));

	if (r >= 0)
		r = nl_recvmsgs_default(neigh->ask);
	if (r < 0)
		log_debug("the neighbour table is unreadable: %s",
			nl_geterror(r));
}

void neigh_sweep(struct neigh *neigh)
{
	neigh->again = false;
	dump(neigh, AF_BRIDGE);
	dump(neigh, AF_INET);
	dump(neigh, AF_INET6);
	loop_set_timer(neigh->loop, &neigh->sweep,
		neigh->again ? NEIGH_SOON_MS : NEIGH_SWEEP_MS);
}

/* One answer; seen by nobody else. */
static int on_answer(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *m = nlmsg_hdr(msg);
	struct neigh_fact fact;
	struct rtnl_neigh *n;

	if (m->nlmsg_type != RTM_NEWNEIGH || rtnl_neigh_parse(m, &n) < 0)
		return NL_OK;
	if (read_fact(n, &fact))
		*(struct neigh_fact *)arg = fact;
	rtnl_neigh_put(n);
	return NL_OK;
}

static struct nl_msg *question(int32_t index, const struct ip *ip)
{
	struct ndmsg head = {
		.ndm_family = (uint8_t)ip->family, .ndm_ifindex = index};
	struct nl_msg *msg = must_have(
		nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_REQUEST));

	if (nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
		nla_put(msg, NDA_DST, ip_bits(ip) / 8, ip->b) < 0)
		must_have(NULL);
	return msg;
}

int neigh_find(struct neigh *neigh, int32_t index, const struct ip *ip,
	struct mac *ret_mac)
{
	struct neigh_fact fact = {0};
	struct nl_msg *msg = question(index, ip);
	struct nl_cb *cb = must_have(nl_cb_alloc(NL_CB_DEFAULT));
	int r;

	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_answer, &fact);
	r = nl_send_auto(neigh->ask, msg);
	nlmsg_free(msg);
	/* No acknowledgement was asked for: the entry or an error. */
	if (r >= 0)
		r = nl_recvmsgs(neigh->ask, cb);
	nl_cb_put(cb);
	if (r < 0)
		return links_error(r);
	if (!fact.index || !ip_equal(&fact.ip, ip))
		return -ENOENT;
	*ret_mac = fact.mac;
	return 0;
}

static int on_route(struct nl_msg *msg, void *arg)
{
	struct nlattr *oif = nlmsg_find_attr(
		nlmsg_hdr(msg), sizeof(struct rtmsg), RTA_OIF);

	if (nlmsg_hdr(msg)->nlmsg_type == RTM_NEWROUTE && oif &&
		nla_len(oif) == sizeof(uint32_t))
		*(int *)arg = (int)nla_get_u32(oif);
	return NL_OK;
}

int neigh_route(struct neigh *neigh, const struct ip *ip)
{
	struct rtmsg head = {.rtm_family = (uint8_t)ip->family,
		.rtm_dst_len = (uint8_t)ip_bits(ip)};
	struct nl_msg *msg = must_have(
		nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST));
	struct nl_cb *cb = must_have(nl_cb_alloc(NL_CB_DEFAULT));
	int index = -ENOENT, r;

	if (nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
		nla_put(msg, RTA_DST, ip_bits(ip) / 8, ip->b) < 0)
		must_have(NULL);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_route, &index);
	r = nl_send_auto(neigh->ask, msg);
	nlmsg_free(msg);
	if (r >= 0)
		r = nl_recvmsgs(neigh->ask, cb);
	nl_cb_put(cb);
	return r < 0 ? links_error(r) : index;
}
