/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may open what towards others inside: allow lines and allow-from. */
#ifndef GATEHOUSE_ISOLATION_PASSES_H
#define GATEHOUSE_ISOLATION_PASSES_H

#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"

/* What an allow-from may look like: names of zones, and device:NAME. */
int passes_check_from(const char *text);
/* Complains of each line that names nobody, or somebody it must not. */
void passes_check(struct conf *conf);
/*
 * Sends the pass, as a message of that type, once for each address of the
 * device it leads to. -errno.
 */
_must_check_ int passes_send_to(struct agent *agent, uint16_t type,
	struct isolation_pass pass, const struct conf_section *to);
/* Between BEGIN and COMMIT. -errno. */
_must_check_ int passes_send(struct agent *agent, const struct conf *conf);

#endif
