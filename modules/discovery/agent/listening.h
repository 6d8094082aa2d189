/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets by which the worker hears what devices say of themselves, also
 * when an interface comes later, and what it made of it.
 */
#ifndef GATEHOUSE_DISCOVERY_LISTENING_H
#define GATEHOUSE_DISCOVERY_LISTENING_H

#include "agent/lib/module.h"
#include "modules/discovery/discovery_proto.h"

#define LISTENING_LOOK_MS 5000 /* for interfaces that came or went */

/* It is in force: sends sockets for the zones of devices. */
void listening_applied(struct agent *agent, const struct conf *conf);
void listening_stopped(struct agent *agent);
/* From the worker; a route. */
int listening_on_evidence(void *owner, const void *message, int fd);

#endif
