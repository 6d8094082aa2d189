/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes down what isolation changes on this host before it is changed
 * (ledger.h). In the agent; there is one.
 */
#ifndef GATEHOUSE_ISOLATION_HOST_H
#define GATEHOUSE_ISOLATION_HOST_H

#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"

/* ISOLATION_APART up. -EINVAL for one that no worker sends. */
_must_check_ int host_apart(
	struct agent *agent, const struct isolation_apart *apart);
/* ISOLATION_STANDIN up. -EINVAL for one that no worker sends. */
_must_check_ int host_standin(
	struct agent *agent, const struct isolation_standin *standin);
/* ISOLATION_APART_MAY down: all that is written down already. */
_must_check_ int host_send(struct agent *agent);

#endif
