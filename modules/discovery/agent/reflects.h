/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a configuration says about reflections: the [reflect] sections as
 * links, channels and ends for the worker. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_REFLECTS_H
#define GATEHOUSE_DISCOVERY_REFLECTS_H

#include "agent/lib/conf.h"
#include "modules/discovery/discovery_proto.h"

#define REFLECTS_FIRST_PORT 18200 /* when none is configured */
#define REFLECTS_END 40 /* bytes of "device:NAME" */

struct reflects {
	struct discovery_channel channels[DISCOVERY_CHANNELS_MAX];
	struct discovery_link links[DISCOVERY_LINKS_MAX];
	struct discovery_reflect reflects[DISCOVERY_REFLECTS_MAX];
	size_t n_channels, n_links, n_reflects;
};

/* Values of keys; for the tables in module.c. */
int reflects_check_protocol(const char *text); /* mdns | ssdp | udp/PORT */
int reflects_check_ends(const char *text); /* zone:NAME, device:NAME ... */
int reflects_check_services(const char *text);

/* Complains about everything that cannot work. */
void reflects_check(struct conf *conf);
/* Of a checked configuration. */
void reflects_read(const struct conf *conf, struct reflects *ret_reflects);
/* A bit for each reflection of which the device is such an end by name. */
uint32_t reflects_of(const struct conf *conf, const char *key,
	const struct conf_section *device);
/*
 * The next service of a reflection; *value and *rest begin with NULL. True:
 * there was one.
 */
bool reflects_next_service(const struct conf_section *section,
	const struct conf_value **value, const char **rest,
	char ret_text[static DISCOVERY_SERVICE]);
/* The target of an allow line, if it may be a neighbour. */
bool reflects_may(const struct conf *conf, const struct reflects *reflects,
	const char *allow, struct discovery_may *ret_may);

#endif
