/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and sets the isolated flag of bridge ports. May change that one flag
 * of the port it is given; must never change anything else of a port. libnl
 * 3.7 has no call for it, so its attributes are written here.
 */
#include "modules/isolation/kernel/ports.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#include "modules/isolation/kernel/links.h"
#include "modules/isolation/rules/batch.h"

struct collection {
	struct ports_fact *facts;
	size_t n, room;
};

static void add(struct collection *c, const struct ports_fact *fact)
{
	if (c->n == PORTS_MAX)
		return;
	if (c->n == c->room) {
		c->room = c->room * 2 + 32;
		c->facts = must_have(
			realloc(c->facts, c->room * sizeof(*c->facts)));
	}
	c->facts[c->n++] = *fact;
}

static int on_port(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *m = nlmsg_hdr(msg);
	struct nlattr *info, *isolated, *mode;
	const struct ifinfomsg *head;
	struct ports_fact fact = {0};

	if (m->nlmsg_type != RTM_NEWLINK || !nlmsg_valid_hdr(m, sizeof(*head)))
		return NL_OK;
	head = nlmsg_data(m);
	info = nlmsg_find_attr(m, sizeof(*head), IFLA_PROTINFO);
	if (head->ifi_family != AF_BRIDGE || !info)
		return NL_OK;
	isolated = nla_find(
		nla_data(info), nla_len(info), IFLA_BRPORT_ISOLATED);
	mode = nla_find(nla_data(info), nla_len(info), IFLA_BRPORT_MODE);
	fact.index = head->ifi_index;
	fact.isolated = isolated && nla_len(isolated) == 1 &&
			nla_get_u8(isolated);
	fact.hairpin = mode && nla_len(mode) == 1 && nla_get_u8(mode);
	add(arg, &fact);
	return NL_OK;
}

int ports_open(struct nl_sock **ret_sock)
{
	struct nl_sock *sock = must_have(nl_socket_alloc());
	int r = nl_connect(sock, NETLINK_ROUTE);

	if (r < 0) {
		nl_socket_free(sock);
		return links_error(r);
	}
	*ret_sock = sock;
	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct ports_fact *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

int ports_read(
	struct nl_sock *sock, struct ports_fact **ret_facts, size_t *ret_n)
{
	struct ifinfomsg head = {.ifi_family = AF_BRIDGE};
	struct nl_cb *cb = must_have(nl_cb_alloc(NL_CB_DEFAULT));
	struct collection c = {0};
	int r;

	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_port, &c);
	r = nl_send_simple(sock, RTM_GETLINK, NLM_F_DUMP, &head, sizeof(head));
	if (r >= 0)
		r = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (r < 0) {
		free(c.facts);
		return links_error(r);
	}
	if (c.n)
		qsort(c.facts, c.n, sizeof(*c.facts), by_index);
	*ret_facts = c.facts;
	*ret_n = c.n;
	return 0;
}

const struct ports_fact *ports_find(
	const struct ports_fact *facts, size_t n, int32_t index)
{
	struct ports_fact key = {.index = index};

	return n ? bsearch(&key, facts, n, sizeof(key), by_index) : NULL;
}

static struct nl_msg *wish(int32_t index, bool on)
{
	struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = index};
	struct nl_msg *msg = must_have(nlmsg_alloc_simple(RTM_SETLINK, 0));
	struct nlattr *info;

	if (nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0)
		must_have(NULL);
	info = must_have(nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED));
	if (nla_put_u8(msg, IFLA_BRPORT_ISOLATED, on) < 0)
		must_have(NULL);
	nla_nest_end(msg, info);
	return msg;
}

int ports_isolate(struct nl_sock *sock, int32_t index, bool on)
{
	int r = nl_send_sync(sock, wish(index, on));

	/* EINVAL: the interface is on no bridge. */
	if (r == -NLE_INVAL || r == -NLE_NODEV || r == -NLE_OBJ_NOTFOUND)
		return -ENOENT;
	if (r == -NLE_OPNOTSUPP)
		return -EOPNOTSUPP;
	return r < 0 ? links_error(r) : 0;
}
