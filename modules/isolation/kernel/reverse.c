/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reverse path filter of IPv4 and the routing guard. May change one
 * setting, src_valid_mark, on interfaces where rp_filter is on; must never
 * change rp_filter itself.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "modules/isolation/kernel/guard_priv.h"
#include "modules/isolation/rules/batch.h"

#define INTERFACES_MAX 8192
#define LOOPBACK 1

struct filters {
	int32_t index[INTERFACES_MAX]; /* where it is on */
	size_t n;
	bool everywhere;
	bool all; /* wanted: those where it is off by themselves, too */
};

static int note(const struct nlmsghdr *m, void *arg)
{
	struct filters *f = arg;
	const struct nlattr *a;
	int32_t index = 0, mode = 0;

	if (m->nlmsg_type != RTM_NEWNETCONF ||
		mnl_nlmsg_get_payload_len(m) < sizeof(struct netconfmsg))
		return 0;
	mnl_attr_for_each(a, m, sizeof(struct netconfmsg))
	{
		if (mnl_attr_get_payload_len(a) != 4)
			continue;
		if (mnl_attr_get_type(a) == NETCONFA_IFINDEX)
			index = (int32_t)mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) == NETCONFA_RP_FILTER)
			mode = (int32_t)mnl_attr_get_u32(a);
	}
	if (index == NETCONFA_IFINDEX_ALL)
		f->everywhere = mode != 0;
	else if (index > LOOPBACK && (mode || f->all) && f->n < INTERFACES_MAX)
		f->index[f->n++] = index;
	return 0;
}

static int list(struct guard *guard, struct filters *f)
{
	char bytes[128] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct netconfmsg *head;

	m->nlmsg_type = RTM_GETNETCONF;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->ncm_family = AF_INET;
	return rtsock_ask(&guard->rtsock, m, note, f);
}

static int set(struct guard *guard, int32_t index, bool on)
{
	char bytes[256] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct nlattr *spec, *inet, *conf;
	struct ifinfomsg *head;

	m->nlmsg_type = RTM_SETLINK;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->ifi_index = index;
	spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(m, AF_INET);
	conf = mnl_attr_nest_start(m, IFLA_INET_CONF);
	mnl_attr_put_u32(m, IPV4_DEVCONF_SRC_VMARK, on);
	mnl_attr_nest_end(m, conf);
	mnl_attr_nest_end(m, inet);
	mnl_attr_nest_end(m, spec);
	return rtsock_ask(&guard->rtsock, m, NULL, NULL);
}

int reverse_set(struct guard *guard, bool on)
{
	struct filters *f = must_have(calloc(1, sizeof(*f)));
	int r = list(guard, f);

	/* "all" counts for every interface, and is told as the last one. */
	if (r == 0 && f->everywhere) {
		f->n = 0;
		f->all = true;
		r = list(guard, f);
	}
	for (size_t i = 0; r == 0 && i < f->n; i++) {
		r = set(guard, f->index[i], on);
		if (r == -ENODEV)
			r = 0; /* gone meanwhile */
	}
	free(f);
	/* A kernel that cannot list them has not got the filter. */
	return r == -EOPNOTSUPP ? 0 : r;
}
