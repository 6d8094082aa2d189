/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the line of the configuration that opened a way inside: an allow line
 * of the device, or the allow-from of where it leads. Touches memory only.
 */
#include <stdio.h>
#include <string.h>

#include "modules/isolation/agent/allow.h"
#include "modules/isolation/agent/because.h"
#include "modules/isolation/agent/members.h"

static uint16_t place_of(
	const struct conf *conf, const struct conf_section *zone)
{
	uint16_t place = 1;

	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z), place++)
		if (z == zone)
			return place;
	return 0;
}

bool because_has_address(
	const struct conf_section *device, const struct ip *wanted)
{
	for (const struct conf_value *v = conf_get(device, "address"); v;
		v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[IP_TEXT];
		struct ip ip;

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			if (ip_parse(word, &ip) == 0 && ip_equal(&ip, wanted))
				return true;
	}
	return false;
}

static bool leads_to_device(const struct conf *conf,
	const struct conf_section *device, const struct isolation_pass *pass)
{
	if (!device)
		return false;
	if (pass->to_device)
		return device == conf_find_id(conf, pass->to_device);
	return pass->to.family && because_has_address(device, &pass->to);
}

/* By where it is, or to one of its devices. */
static bool leads_into(const struct conf *conf, const struct conf_section *zone,
	const struct isolation_pass *pass)
{
	if (pass->to_zone)
		return pass->to_zone == place_of(conf, zone);
	for (const struct conf_section *d = members_next(conf, zone, NULL); d;
		d = members_next(conf, zone, d))
		if (leads_to_device(conf, d, pass))
			return true;
	return false;
}

/* Does a line lead where the pass does? */
static bool leads_there(const struct conf *conf, const struct allow_line *line,
	const struct isolation_pass *pass)
{
	const struct conf_section *s;

	if (line->allow.protocol != pass->protocol ||
		line->allow.first != pass->first ||
		line->allow.last != pass->last)
		return false;
	switch (line->target) {
	case ALLOW_TARGET_ADDRESS:
		return false;
	case ALLOW_TARGET_GATEWAY:
		return !pass->to_zone && !pass->to.family && !pass->to_device;
	case ALLOW_TARGET_ZONE:
		s = conf_find(conf, "zone", line->name);
		return s && leads_into(conf, s, pass);
	case ALLOW_TARGET_DEVICE:
		s = conf_find(conf, "device", line->name);
		return leads_to_device(conf, s, pass);
	}
	return false;
}

static const struct conf_value *find_allow(const struct conf *conf,
	const struct conf_section *device, const struct isolation_pass *pass)
{
	for (const struct conf_value *v = conf_get(device, "allow"); v;
		v = conf_get_next(v)) {
		char reason[ALLOW_REASON];
		struct allow_line line;

		if (allow_parse_line(v->text, &line, reason) == 0 &&
			leads_there(conf, &line, pass))
			return v;
	}
	return NULL;
}

static bool comes_from(const struct conf *conf, const char *word,
	const struct conf_section *device, const struct isolation_pass *pass)
{
	if (strncmp(word, "device:", 7) == 0)
		return pass->device &&
		       conf_find(conf, "device", word + 7) == device;
	if (pass->device && device)
		return members_zone(conf, device) &&
		       members_zone(conf, device) ==
			       conf_find(conf, "zone", word);
	return pass->from_zone &&
	       place_of(conf, conf_find(conf, "zone", word)) == pass->from_zone;
}

static const struct conf_value *find_from(const struct conf *conf,
	const struct conf_section *to, const struct conf_section *device,
	const struct isolation_pass *pass)
{
	for (const struct conf_value *v = conf_get(to, "allow-from"); v;
		v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[64];

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			if (comes_from(conf, word, device, pass))
				return v;
	}
	return NULL;
}

const struct conf_value *because_find_pass(const struct conf *conf,
	const struct conf_section *device, const struct isolation_pass *pass)
{
	const struct conf_value *v = find_allow(conf, device, pass);
	const struct conf_section *zone = members_zone(conf, device);

	if (!v && zone)
		v = find_allow(conf, zone, pass);
	for (const struct conf_section *d = conf_next(conf, "device", NULL);
		d && !v; d = conf_next(conf, "device", d))
		if (leads_to_device(conf, d, pass))
			v = find_from(conf, d, device, pass);
	for (const struct conf_section *z = conf_next(conf, "zone", NULL);
		z && !v; z = conf_next(conf, "zone", z))
		if (leads_into(conf, z, pass))
			v = find_from(conf, z, device, pass);
	return v;
}
