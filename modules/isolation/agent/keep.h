/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps what isolation wants in a file for the next boot, from the moment
 * when it is in force. In the agent; there is one.
 */
#ifndef GATEHOUSE_ISOLATION_KEEP_H
#define GATEHOUSE_ISOLATION_KEEP_H

#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"

/* New bridge ports come in bursts; one file is enough for them. */
#define KEEP_SETTLE_MS 1000

/* What struct module has under these names. */
void keep_sent(
	struct agent *agent, uint16_t type, const void *message, size_t size);
void keep_applied(struct agent *agent);
void keep_stopped(void);
/* ISOLATION_PORT up. -EINVAL for one that no worker sends. */
_must_check_ int keep_port(
	struct agent *agent, const struct isolation_port *port);
/* ISOLATION_GATEWAY up, before the ports. -EINVAL: too many. */
_must_check_ int keep_gateway(const struct isolation_address *address);
/* ISOLATION_KNOWN_PORT down: those of the file and those seen since. */
_must_check_ int keep_send_ports(struct agent *agent);

#endif
