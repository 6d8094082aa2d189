/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Isolation's keys of the configuration. Pure. */
#ifndef GATEHOUSE_ISOLATION_KEYS_H
#define GATEHOUSE_ISOLATION_KEYS_H

#include <stdint.h>

#include "agent/lib/conf.h"

#define KEYS_SCHEMAS 4
extern const struct conf_schema keys_schemas[KEYS_SCHEMAS];

/* Complains of what one value alone does not show. */
void keys_check(struct conf *conf);
/* One of ISOLATION_ROLE_*, of a [zone]. */
uint8_t keys_zone_role(const struct conf_section *zone);

#endif
