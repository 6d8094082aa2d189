/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a configuration says about upgrades: the keys, what they default to,
 * who uses which, and what does not fit together. Pure but for a look at the
 * file of authorities.
 */
#ifndef GATEHOUSE_SETUP_H
#define GATEHOUSE_SETUP_H

#include <stdint.h>

#include "agent/lib/conf.h"
#include "modules/proxy/proxy_proto.h"

#define SETUP_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define SETUP_FIRST_PORT 18100

#define SETUP_SCHEMAS 3
extern const struct conf_schema setup_schemas[SETUP_SCHEMAS];

/* Complains about everything that cannot work. */
void setup_check(struct conf *conf);

/*
 * The [upgrade] sections in order, as they go to the worker. Returns how
 * many; at most PROXY_UPGRADES_MAX.
 */
size_t setup_upgrades(const struct conf *conf,
	struct proxy_upgrade ret_upgrades[static PROXY_UPGRADES_MAX]);
/* A bit for each upgrade that a [device] uses. */
uint64_t setup_device_upgrades(const struct conf_section *device,
	const struct proxy_upgrade *upgrades, size_t n_upgrades);
/* The file of authorities. */
const char *setup_authorities(const struct conf *conf);
/* The local port of an upgrade. */
uint16_t setup_port(const struct conf *conf, size_t upgrade);

#endif
