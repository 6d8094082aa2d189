/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks between the sections of the core: what must be there, and what may
 * be there once only. Pure: looks at the tree and complains into it.
 */
#include <search.h>
#include <string.h>

#include "agent/agent.h"

/* Something that one section only may claim, in a tree by its text. */
struct claim {
	char text[32]; /* a MAC address or the name of an interface */
	const struct conf_section *section;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* Whose it is: the section itself, or who was earlier; NULL: no memory. */
static const struct conf_section *claim(
	void **claims, const char *text, const struct conf_section *section)
{
	struct claim *own = calloc(1, sizeof(*own)), **found;

	if (!own)
		return NULL;
	snprintf(own->text, sizeof(own->text), "%s", text);
	own->section = section;
	found = tsearch(own, claims, compare_claims);
	if (!found || *found != own)
		free(own);
	return found ? (*found)->section : NULL;
}

static void require_key(
	struct conf *conf, const char *type, const char *key, const char *hint)
{
	const struct conf_section *section = NULL;

	while ((section = conf_next(conf, type, section))) {
		if (!conf_given(section, key))
			conf_complain(conf, section->file, section->line,
				"[%s %s] needs %s", type, section->name, hint);
	}
}

/* Two devices with one address could not be told apart. */
static void check_addresses(struct conf *conf)
{
	const struct conf_section *device = NULL, *owner;
	void *claims = NULL;

	while ((device = conf_next(conf, "device", device))) {
		const struct conf_value *value = conf_get(device, "mac");
		char text[MAC_TEXT];
		struct mac mac;

		if (!value || mac_parse(value->text, &mac) < 0)
			continue;
		owner = claim(&claims, mac_format(&mac, text), device);
		if (owner && owner != device)
			conf_complain(conf, value->file, value->line,
				"%s is the address of [device %s] already; "
				"expected each device with a MAC address of "
				"its own",
				text, owner->name);
	}
	tdestroy(claims, free);
}

static void check_interface(struct conf *conf, void **claims,
	const struct conf_section *zone, const struct conf_value *value,
	const char *name)
{
	const struct conf_section *owner = claim(claims, name, zone);

	if (owner && owner != zone)
		conf_complain(conf, value->file, value->line,
			"%s is an interface of [zone %s] already; expected "
			"each interface in one zone",
			name, owner->name);
}

static void check_interfaces(struct conf *conf)
{
	const struct conf_section *zone = NULL;
	void *claims = NULL;

	while ((zone = conf_next(conf, "zone", zone))) {
		const struct conf_value *value = conf_get(zone, "interface");
		const char *rest = value ? value->text : "";
		char name[16];

		while (conf_next_word(&rest, name, sizeof(name)) > 0)
			check_interface(conf, &claims, zone, value, name);
	}
	tdestroy(claims, free);
}

/* Lines that open something for whom nothing is to be open. */
static void check_decisions(struct conf *conf)
{
	static const char *const keys[] = {"allow", "allow-from", "publish"};
	const struct conf_section *device = NULL;

	while ((device = conf_next(conf, "device", device))) {
		const char *word = conf_text(device, "decision", "approve");

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			const struct conf_value *value = conf_get(
				device, keys[i]);

			if (value && record_parse_decision(word) !=
					     RECORD_DECISION_APPROVED)
				conf_complain(conf, value->file, value->line,
					"%s = %s: [device %s] has decision = "
					"%s, so it may nothing; expected one "
					"of the two",
					keys[i], value->text, device->name,
					word);
		}
	}
}

/* Of interfaces, or of single devices that name it. */
static void check_zones(struct conf *conf)
{
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z)) {
		const struct conf_section *d = conf_next(conf, "device", NULL);

		if (conf_given(z, "interface"))
			continue;
		while (d && strcmp(conf_text(d, "zone", ""), z->name) != 0)
			d = conf_next(conf, "device", d);
		if (!d)
			conf_complain(conf, z->file, z->line,
				"[zone %s] has no interface; expected a line "
				"such as 'interface = br0' or, for devices and "
				"guests, 'zone = %s' in a [device]",
				z->name, z->name);
	}
}

void config_check(struct conf *conf)
{
	check_zones(conf);
	require_key(conf, "device", "mac",
		"a line such as 'mac = 02:00:00:00:00:01'");
	check_addresses(conf);
	check_interfaces(conf);
	check_decisions(conf);
}
