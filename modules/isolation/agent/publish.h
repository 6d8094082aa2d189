/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of devices that the world outside may reach: publish = tcp/443. */
#ifndef GATEHOUSE_ISOLATION_PUBLISH_H
#define GATEHOUSE_ISOLATION_PUBLISH_H

#include "agent/lib/module.h"

/* Complains of lines that say nothing that makes sense. */
void publish_check(struct conf *conf);
/* Between BEGIN and COMMIT. -errno. */
_must_check_ int publish_send(struct agent *agent, const struct conf *conf);

#endif
