/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Why": who else drops it. Asks the kernel for other people's rules; changes
 * nothing.
 */
#include "modules/isolation/answer.h"

#include <netinet/in.h>
#include <string.h>

#include "modules/isolation/kernel/element.h"
#include "modules/isolation/kernel/foreign_read.h"

/* Where the packet would come in: of a bridge port, the bridge. */
static void name_way_in(const struct topology *topology, const char *seen,
	char ret_name[static 16])
{
	for (size_t i = 0; i < topology->n_ports; i++)
		if (!strcmp(topology->ports[i].name, seen)) {
			memcpy(ret_name, topology->ports[i].bridge, 16);
			return;
		}
	memcpy(ret_name, seen, strnlen(seen, 15));
}

static bool find_way_out(const struct answer_sources *sources,
	const struct ip *to, struct foreign_flow *flow)
{
	struct element_route route;

	if (element_route(sources->links, to, &route) < 0 || route.none)
		return false;
	if (!route.local)
		memcpy(flow->oif, route.interface, sizeof(flow->oif));
	return true;
}

void answer_foreign(const struct answer_sources *sources,
	const struct isolation_why *why, struct isolation_because *because)
{
	struct foreign_flow flow = {.to = because->to,
		.protocol = why->protocol,
		.port = why->port};
	struct isolation_foreign *out = &because->foreign;
	struct foreign_cause cause;

	if (!because->to.family || !why->interface[0] ||
		!find_way_out(sources, &because->to, &flow))
		return;
	if (flow.protocol == IPPROTO_ICMP || flow.protocol == IPPROTO_ICMPV6) {
		bool six = because->to.family == AF_INET6;

		flow.protocol = six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		flow.port = six ? 128 : 8;
	}
	name_way_in(&sources->engine->topology, why->interface, flow.iif);
	if (foreign_ask(&sources->engine->nft, &flow, &cause) <= 0)
		return;
	out->handle = cause.handle;
	out->family = cause.family;
	out->what = cause.what;
	out->certain = cause.certain;
	memcpy(out->table, cause.table, sizeof(out->table));
	memcpy(out->chain, cause.chain, sizeof(out->chain));
}
