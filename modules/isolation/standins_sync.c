/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads this host's addresses, has planned for whom it is to answer, and says
 * so to the agent, each time the whole of it. Changes nothing by itself.
 */
#include "modules/isolation/standins_sync.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/standins_plan.h"

int standins_sync(struct worker *worker, struct links *links,
	const struct policy *policy, const struct topology *topology)
{
	struct isolation_standin end = {.verb = ISOLATION_STANDIN_END};
	struct topology_address *addresses = NULL;
	struct isolation_standin *rows;
	size_t n = 0, n_rows;
	bool full;
	int r = links_read_addresses(links, &addresses, &n);

	if (r < 0) {
		log_warning("the list of addresses is unreadable: %s",
			strerror(-r));
		return r;
	}
	n_rows = standins_plan(policy, topology, addresses, n, &rows, &full);
	free(addresses);
	if (full)
		log_error("more than %d interfaces and IPv6 addresses for "
			  "which the gateway would have to answer; what is "
			  "allowed to the others on their own link does not "
			  "get through",
			ISOLATION_STANDINS_MAX);
	for (size_t i = 0; i < n_rows; i++)
		worker_send(
			worker, ISOLATION_STANDIN, &rows[i], sizeof(rows[i]));
	worker_send(worker, ISOLATION_STANDIN, &end, sizeof(end));
	free(rows);
	return 0;
}
