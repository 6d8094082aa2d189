/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [gateway] mark, connection-mark and rule-priority. Pure. */
#ifndef GATEHOUSE_ISOLATION_MARKS_CONF_H
#define GATEHOUSE_ISOLATION_MARKS_CONF_H

#include "agent/lib/conf.h"
#include "modules/isolation/isolation_proto.h"

#define MARKS_CONF_KEYS 3
extern const struct conf_key marks_conf_keys[MARKS_CONF_KEYS];

/* The marks of a checked configuration. */
void marks_conf_read(
	const struct conf *conf, struct isolation_marks *ret_marks);

#endif
