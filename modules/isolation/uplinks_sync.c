/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has uplinks found and says which they are. Reads routes, changes nothing;
 * must never look at routes where the owner named the uplinks.
 */
#include "modules/isolation/uplinks_sync.h"

#include <stdio.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/uplinks.h"

int uplinks_sync_read(struct routes *routes, const struct policy *policy,
	const struct topology_fact *facts, size_t n_facts,
	struct topology *topology)
{
	struct routes_found found;
	int r;

	if (!policy->outsides.n)
		return 0;
	r = routes_read(routes, &found);
	if (r == 0)
		uplinks_find(
			topology, policy, facts, n_facts, found.index, found.n);
	return r;
}

void uplinks_sync_tell(const struct topology *topology)
{
	static char told[sizeof(topology->uplinks)];
	static size_t n_told;
	char text[TOPOLOGY_UPLINKS_MAX * 17 + 1] = "";
	size_t length = 0;

	if (topology->n_uplinks == n_told &&
		!memcmp(told, topology->uplinks, sizeof(told)))
		return;
	n_told = topology->n_uplinks;
	memcpy(told, topology->uplinks, sizeof(told));
	for (size_t i = 0; i < n_told; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
			" %s", topology->uplinks[i]);
	if (n_told)
		log_info("the world outside is behind%s, by the default route",
			text);
	else
		log_warning("no default route leads to an uplink: where the "
			    "world outside is, nobody knows");
}
