/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What those without a [device] section may: default and allow of a [zone]. */
#ifndef GATEHOUSE_ISOLATION_AGENT_STRANGERS_H
#define GATEHOUSE_ISOLATION_AGENT_STRANGERS_H

#include "agent/lib/module.h"

/* "quarantine", "allow", "block". */
int strangers_check_default(const char *text);
/* enum isolation_strangers of a zone of devices or guests. */
uint8_t strangers_of(const struct conf_section *zone);
/* Is it a zone of guests? */
bool strangers_guests(const struct conf_section *zone);
/* Complains of lines that say nothing, or nothing that makes sense. */
void strangers_check(struct conf *conf);
/* Between BEGIN and COMMIT. -errno. */
_must_check_ int strangers_send(struct agent *agent, const struct conf *conf);

#endif
