/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For whom the gateway has to answer, so that what is permitted between two
 * devices of one interface goes through it. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_STANDINS_PLAN_H
#define GATEHOUSE_ISOLATION_STANDINS_PLAN_H

#include "modules/isolation/topology.h"

/*
 * Of a sealed policy, each row once and at most ISOLATION_STANDINS_MAX; the
 * caller frees the array. Interfaces are those of zones that enforce where a
 * line permits something between two of their devices; a device without an
 * address of its own may be anywhere. IPv6 addresses are those of both ends,
 * as far as they are known by address =. ret_full: some were left out.
 */
size_t standins_plan(const struct policy *policy,
	const struct topology *topology,
	const struct topology_address *addresses, size_t n,
	struct isolation_standin **ret_rows, bool *ret_full);

#endif
