/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the isolated flags of bridge ports as the topology wants them. */
#ifndef GATEHOUSE_ISOLATION_PORTS_SYNC_H
#define GATEHOUSE_ISOLATION_PORTS_SYNC_H

#include "agent/lib/worker.h"
#include "modules/isolation/topology.h"

/* Opens the socket. -errno. */
_must_check_ int ports_sync_open(void);
/* After each change of the interfaces or of what is wanted. -errno: again. */
_must_check_ int ports_sync(
	struct worker *worker, const struct topology *topology);
/*
 * A message ISOLATION_APART_MAY; topology NULL: nothing is in force yet.
 * -EINVAL for one that no agent sends.
 */
_must_check_ int ports_sync_may(struct worker *worker,
	const struct isolation_apart *may, const struct topology *topology);

#endif
