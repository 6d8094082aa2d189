/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that are in a zone by their own sections, wherever they are. */
#ifndef GATEHOUSE_ISOLATION_MEMBERS_H
#define GATEHOUSE_ISOLATION_MEMBERS_H

#include "agent/lib/conf.h"

/* The zone that the device's section names; NULL: it is where it is seen. */
const struct conf_section *members_zone(
	const struct conf *conf, const struct conf_section *device);
/* May the device what its zone gives: was nothing else decided about it? */
bool members_may(const struct conf_section *device);
/*
 * The next device whose section names the zone and that may what that gives;
 * NULL: the first, the end.
 */
const struct conf_section *members_next(const struct conf *conf,
	const struct conf_section *zone, const struct conf_section *after);
/* Complains of zones that no single device can be in. */
void members_check(struct conf *conf);

#endif
