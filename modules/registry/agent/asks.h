/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions of local users on their way: asked, kept, in force, answered. */
#ifndef GATEHOUSE_REGISTRY_AGENT_ASKS_H
#define GATEHOUSE_REGISTRY_AGENT_ASKS_H

#include "agent/lib/module.h"
#include "modules/registry/registry_proto.h"

/* Does an answer of the worker's come for anybody? */
bool asks_waiting(void);
/* The worker's answer. -EPROTO: nobody asked. */
_must_check_ int asks_decided(
	struct agent *agent, const struct registry_decided *decided);
/* The worker is gone: nobody knows whether it was kept. */
void asks_give_up(struct agent *agent);

#endif
