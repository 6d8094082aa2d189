/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a [zone] about those whom nobody approved. Reads the
 * configuration only; must never let in anybody whom no line lets in.
 */
#include "modules/isolation/agent/strangers.h"

#include <errno.h>
#include <string.h>

#include "modules/isolation/agent/allow.h"

static const char *const words[] = {
	[ISOLATION_STRANGERS_QUARANTINE] = "quarantine",
	[ISOLATION_STRANGERS_ALLOW] = "allow",
	[ISOLATION_STRANGERS_BLOCK] = "block",
};

int strangers_check_default(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], text) == 0)
			return 0;
	return -EINVAL;
}

static bool has_role(const struct conf_section *zone, const char *role)
{
	return strcmp(conf_text(zone, "role", "devices"), role) == 0;
}

bool strangers_guests(const struct conf_section *zone)
{
	return has_role(zone, "guest");
}

uint8_t strangers_of(const struct conf_section *zone)
{
	const char *word = conf_text(zone, "default", words[0]);

	if (strangers_guests(zone))
		return ISOLATION_STRANGERS_ALLOW;
	if (!has_role(zone, "devices"))
		return ISOLATION_STRANGERS_QUARANTINE;
	for (uint8_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return ISOLATION_STRANGERS_QUARANTINE;
}

static void check_zone(struct conf *conf, const struct conf_section *zone)
{
	const struct conf_value *word = conf_get(zone, "default");
	const struct conf_value *line = conf_get(zone, "allow");

	if (word && !has_role(zone, "devices"))
		conf_complain(conf, word->file, word->line,
			"default = %s: [zone %s] is no zone of devices; guests "
			"reach the world outside, the others are not touched",
			word->text, zone->name);
	if (line && strangers_of(zone) != ISOLATION_STRANGERS_ALLOW)
		conf_complain(conf, line->file, line->line,
			"allow = %s: in [zone %s] nobody is let in whom it "
			"could be for; expected default = allow, or the line "
			"in a [device]",
			line->text, zone->name);
}

void strangers_check(struct conf *conf)
{
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z))
		check_zone(conf, z);
}

static int send_line(
	struct agent *agent, struct isolation_allow *allow, uint16_t place)
{
	allow->device = place;
	return agent_send(agent, "isolation", ISOLATION_ZONE_ALLOW, allow,
		sizeof(*allow), -1);
}

/* Without a line of its own, the world outside. */
static int send_zone(
	struct agent *agent, const struct conf_section *zone, uint16_t place)
{
	struct isolation_allow any = {.last = 65535};
	int r = 0;

	if (!conf_get(zone, "allow"))
		return send_line(agent, &any, place);
	for (const struct conf_value *v = conf_get(zone, "allow"); v && r == 0;
		v = conf_get_next(v)) {
		char reason[ALLOW_REASON];
		struct allow_line line;

		r = allow_parse_line(v->text, &line, reason);
		if (r == 0 && line.target == ALLOW_TARGET_ADDRESS)
			r = send_line(agent, &line.allow, place);
	}
	return r;
}

int strangers_send(struct agent *agent, const struct conf *conf)
{
	uint16_t place = 0;
	int r = 0;

	for (const struct conf_section *z = conf_next(conf, "zone", NULL);
		z && r == 0; z = conf_next(conf, "zone", z)) {
		place++;
		if (strangers_of(z) == ISOLATION_STRANGERS_ALLOW)
			r = send_zone(agent, z, place);
	}
	return r;
}
