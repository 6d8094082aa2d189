/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which devices are in a zone by their sections. Reads the configuration
 * only; must never let a MAC address alone make anybody one of the owner's
 * zone, because it can be copied while its owner is away.
 */
#include "modules/isolation/agent/members.h"

#include <string.h>

#include "agent/lib/record.h"
#include "modules/isolation/agent/binding.h"

const struct conf_section *members_zone(
	const struct conf *conf, const struct conf_section *device)
{
	const char *name = conf_text(device, "zone", "");

	return *name ? conf_find(conf, "zone", name) : NULL;
}

bool members_may(const struct conf_section *device)
{
	return record_parse_decision(conf_text(device, "decision",
		       "approve")) == RECORD_DECISION_APPROVED;
}

const struct conf_section *members_next(const struct conf *conf,
	const struct conf_section *zone, const struct conf_section *after)
{
	const struct conf_section *d = after;

	do {
		d = conf_next(conf, "device", d);
	} while (d && (members_zone(conf, d) != zone || !members_may(d)));
	return d;
}

static void check_device(struct conf *conf, const struct conf_section *device)
{
	const struct conf_value *value = conf_get(device, "zone");
	const struct conf_section *zone = members_zone(conf, device);
	const char *role = conf_text(zone, "role", "devices");

	if (!value)
		return;
	if (!zone)
		conf_complain(conf, value->file, value->line,
			"zone = %s: there is no [zone %s]", value->text,
			value->text);
	else if (strcmp(role, "devices") != 0 && strcmp(role, "guest") != 0)
		conf_complain(conf, value->file, value->line,
			"zone = %s: its role is %s, which goes by interfaces "
			"only, because a MAC address can be copied; expected "
			"a zone of devices, with allow-from where it may go",
			value->text, role);
	if (binding_is_shared(device))
		conf_complain(conf, value->file, value->line,
			"zone = %s: others are behind the MAC address of "
			"[device %s] (shared-mac), so it can be no zone's",
			value->text, device->name);
}

void members_check(struct conf *conf)
{
	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d))
		check_device(conf, d);
}
