/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people see of decisions: in the records of devices. */
#ifndef GATEHOUSE_REGISTRY_AGENT_SHOWN_H
#define GATEHOUSE_REGISTRY_AGENT_SHOWN_H

#include "agent/lib/module.h"

/* Says of each device who decided, what, and until when. */
void shown_review(struct agent *agent, const struct conf *conf, int64_t now_ms);

#endif
