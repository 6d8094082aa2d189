/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else uses our bits, as a warning. Touches the agent's state only. */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <string.h>

#include "modules/isolation/agent/observe.h"

#define CODE "isolation.marks"

static void warn_of_rule(
	struct state *state, const struct isolation_collision *c, bool packet)
{
	const char *family = c->family == NFPROTO_INET   ? "inet"
			     : c->family == NFPROTO_IPV6 ? "ip6"
							 : "ip";

	state_warn(state, 0, RECORD_SEVERITY_WARNING, CODE,
		"nftables table %s %.31s, chain %.31s, handle %llu writes bits "
		"of the %s mark that are gatehouse's. Give it a mask, or set "
		"%s in [gateway].",
		family, c->table, c->chain, (unsigned long long)c->number,
		packet ? "packet" : "connection",
		packet ? "mark" : "connection-mark");
}

void observe_collision(
	struct state *state, const struct isolation_collision *collision)
{
	state_unwarn(state, 0, CODE);
	switch ((enum isolation_collision_kind)collision->kind) {
	case ISOLATION_COLLISION_NONE:
		return;
	case ISOLATION_COLLISION_ROUTE:
		state_warn(state, 0, RECORD_SEVERITY_WARNING, CODE,
			"The routing rule %llu (ip %srule) compares a bit of "
			"the packet mark that is gatehouse's, so it does not "
			"match packets of devices. Give it a mask "
			"(fwmark 100/0xff), or set mark in [gateway].",
			(unsigned long long)collision->number,
			collision->family == AF_INET6 ? "-6 " : "");
		return;
	case ISOLATION_COLLISION_PACKET:
	case ISOLATION_COLLISION_CONNECTION:
		warn_of_rule(state, collision,
			collision->kind == ISOLATION_COLLISION_PACKET);
		return;
	}
}
