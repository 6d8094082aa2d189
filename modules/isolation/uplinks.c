/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells uplinks from tunnels. Touches memory only; must never take a tunnel
 * for an uplink: what comes out of it was sent by somebody else than the
 * provider, and its inside addresses may be right.
 */
#include "modules/isolation/uplinks.h"

#include <stdlib.h>
#include <string.h>

enum uplinks_kind uplinks_kind(const char *kind, bool point_to_point)
{
	static const char *const tunnels[] = {"tun", "wireguard", "ovpn",
		"ipip", "sit", "gre", "gretap", "erspan", "ip6gre", "ip6gretap",
		"ip6erspan", "ip6tnl", "vti", "vti6", "xfrm", "vxlan", "geneve",
		"bareudp", "gtp", "amt"};

	/* Cards, also radios that lead to one other end. */
	if (!kind || !strcmp(kind, "wwan") || !strcmp(kind, "rmnet"))
		return UPLINKS_REAL;
	if (!strcmp(kind, "ppp"))
		return UPLINKS_DIALLED;
	for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++)
		if (!strcmp(kind, tunnels[i]))
			return UPLINKS_TUNNEL;
	return point_to_point ? UPLINKS_TUNNEL : UPLINKS_REAL;
}

static const struct topology_fact *find_fact(
	const struct topology_fact *facts, size_t n, int32_t index)
{
	for (size_t i = 0; i < n; i++)
		if (facts[i].index == index)
			return &facts[i];
	return NULL;
}

static void add(struct topology *t, const struct topology_fact *fact)
{
	if (t->n_uplinks == TOPOLOGY_UPLINKS_MAX)
		return;
	memcpy(t->uplinks[t->n_uplinks++], fact->name, sizeof(fact->name));
	topology_add_hook(t, fact);
}

static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct topology *)0)->uplinks[0]));
}

static void find_kind(struct topology *t, const struct policy *policy,
	const struct topology_fact *facts, size_t n_facts,
	const int32_t *indexes, size_t n, enum uplinks_kind kind)
{
	for (size_t i = 0; i < n; i++) {
		const struct topology_fact *fact = find_fact(
			facts, n_facts, indexes[i]);

		if (fact && fact->kind == kind && !fact->loopback &&
			!fact->bridged && !policy_zone(policy, fact->name))
			add(t, fact);
	}
}

void uplinks_find(struct topology *topology, const struct policy *policy,
	const struct topology_fact *facts, size_t n_facts,
	const int32_t *indexes, size_t n)
{
	topology->n_uplinks = 0;
	memset(topology->uplinks, 0, sizeof(topology->uplinks));
	find_kind(topology, policy, facts, n_facts, indexes, n, UPLINKS_REAL);
	if (!topology->n_uplinks)
		find_kind(topology, policy, facts, n_facts, indexes, n,
			UPLINKS_DIALLED);
	qsort(topology->uplinks, topology->n_uplinks,
		sizeof(topology->uplinks[0]), by_name);
}
