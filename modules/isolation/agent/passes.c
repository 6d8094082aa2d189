/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns "allow = ... device:NAME" and "allow-from = ..." into ways between
 * addresses and zones. Reads the configuration only; must never let a line
 * through of which it is not clear who is meant.
 */
#include "modules/isolation/agent/passes.h"

#include <errno.h>
#include <string.h>

#include "modules/isolation/agent/allow.h"
#include "modules/isolation/agent/binding.h"
#include "modules/isolation/agent/members.h"
#include "modules/isolation/agent/windows.h"

#define DEVICE "device:"
#define WORD_MAX 64

/* One way in words of the configuration; the other two are NULL. */
struct way {
	const struct conf_section *from_device, *from_zone;
	const struct conf_section *to_device, *to_zone; /* none: the gateway */
	struct isolation_allow what; /* protocol and ports */
	bool by_zone; /* from_device has it by the zone it is in */
};

/* Gets one way after the other; negative ends it. */
typedef int (*way_found)(
	const struct conf *conf, const struct way *way, void *arg);

static const char *role_of(const struct conf_section *zone)
{
	return conf_text(zone, "role", "devices");
}

static bool has_role(const struct conf_section *zone, const char *role)
{
	return strcmp(role_of(zone), role) == 0;
}

static bool is_zone(const struct conf_section *section)
{
	return strcmp(section->schema->type, "zone") == 0;
}

static uint16_t place_of(
	const struct conf *conf, const struct conf_section *zone)
{
	uint16_t place = 1;

	for (const struct conf_section *z = conf_next(conf, "zone", NULL);
		z && z != zone; z = conf_next(conf, "zone", z))
		place++;
	return place;
}

/* "device:hub" or the name of a zone. NULL: there is none. */
static const struct conf_section *find_from(
	const struct conf *conf, const char *word)
{
	size_t n = strlen(DEVICE);

	if (strncmp(word, DEVICE, n) == 0)
		return conf_find(conf, "device", word + n);
	return conf_find(conf, "zone", word);
}

int passes_check_from(const char *text)
{
	char word[WORD_MAX];
	bool any = false;
	int r;

	while ((r = conf_next_word(&text, word, sizeof(word))) > 0) {
		bool device = strncmp(word, DEVICE, strlen(DEVICE)) == 0;

		if (conf_check_name(word + (device ? strlen(DEVICE) : 0)) < 0)
			return -EINVAL;
		any = true;
	}
	return r < 0 || !any ? -EINVAL : 0;
}

/* Nobody knows which of the addresses behind its MAC are its own. */
static bool needs_address(struct conf *conf, const struct conf_value *value,
	const struct conf_section *device)
{
	if (conf_given(device, "address") || !binding_is_shared(device))
		return false;
	conf_complain(conf, value->file, value->line,
		"%s = %s: where is it, among those behind its MAC address? "
		"Expected an address line in [device %s], such as "
		"'address = 192.168.50.11'",
		value->key->name, value->text, device->name);
	return true;
}

static void check_to_device(struct conf *conf, const struct conf_value *value,
	const struct conf_section *device, const char *name)
{
	const struct conf_section *to = conf_find(conf, "device", name);

	if (!to)
		conf_complain(conf, value->file, value->line,
			"allow = %s: there is no [device %s]", value->text,
			name);
	else if (to == device)
		conf_complain(conf, value->file, value->line,
			"allow = %s: that is the device itself", value->text);
	else
		(void)needs_address(conf, value, to);
}

static void check_to_zone(
	struct conf *conf, const struct conf_value *value, const char *name)
{
	const struct conf_section *to = conf_find(conf, "zone", name);

	if (!to)
		conf_complain(conf, value->file, value->line,
			"allow = %s: there is no [zone %s]", value->text, name);
	else if (has_role(to, "owner"))
		conf_complain(conf, value->file, value->line,
			"allow = %s: [zone %s] is the owner's own; expected "
			"the address of what is to be reached there",
			value->text, name);
	else if (has_role(to, "uplink"))
		conf_complain(conf, value->file, value->line,
			"allow = %s: [zone %s] leads to the world outside, "
			"which is called any",
			value->text, name);
}

static void check_allows(struct conf *conf, const struct conf_section *device)
{
	for (const struct conf_value *v = conf_get(device, "allow"); v;
		v = conf_get_next(v)) {
		char reason[ALLOW_REASON];
		struct allow_line line;

		if (allow_parse_line(v->text, &line, reason) < 0)
			conf_complain(conf, v->file, v->line, "allow = %s: %s",
				v->text, reason);
		else if (line.target == ALLOW_TARGET_DEVICE)
			check_to_device(conf, v, device, line.name);
		else if (line.target == ALLOW_TARGET_ZONE)
			check_to_zone(conf, v, line.name);
	}
}

static void check_from_word(struct conf *conf, const struct conf_value *value,
	const struct conf_section *to, const char *word)
{
	const struct conf_section *from = find_from(conf, word);
	bool device = strncmp(word, DEVICE, strlen(DEVICE)) == 0;

	if (!from)
		conf_complain(conf, value->file, value->line,
			"allow-from = %s: there is no [%s %s]", word,
			device ? "device" : "zone",
			word + (device ? strlen(DEVICE) : 0));
	else if (from == to && device)
		conf_complain(conf, value->file, value->line,
			"allow-from = %s: that is the device itself", word);
	else if (!device && has_role(from, "uplink"))
		conf_complain(conf, value->file, value->line,
			"allow-from = %s: that is the world outside, to which "
			"nothing is opened as a whole",
			word);
}

static void check_from(struct conf *conf, const struct conf_section *to)
{
	const struct conf_value *first = conf_get(to, "allow-from");

	for (const struct conf_value *v = first; v; v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[WORD_MAX];

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			check_from_word(conf, v, to, word);
	}
	if (!first)
		return;
	if (!is_zone(to))
		(void)needs_address(conf, first, to);
	else if (!has_role(to, "devices") && !has_role(to, "guest"))
		conf_complain(conf, first->file, first->line,
			"allow-from: [zone %s] is no zone of devices, so "
			"nothing is cut that could be allowed",
			to->name);
}

struct expanding {
	way_found found;
	void *arg;
};

/* To a zone: to those behind its interfaces, and to each of its devices. */
static int expand_to(
	const struct conf *conf, const struct way *way, struct expanding *e)
{
	struct way one = *way;
	int r = e->found(conf, way, e->arg);

	one.to_zone = NULL;
	for (const struct conf_section *d =
			way->to_zone ? members_next(conf, way->to_zone, NULL)
				     : NULL;
		d && r == 0; d = members_next(conf, way->to_zone, d)) {
		one.to_device = d;
		if (d != way->from_device)
			r = e->found(conf, &one, e->arg);
	}
	return r;
}

/* The same for where it comes from. */
static int expand(const struct conf *conf, const struct way *way, void *arg)
{
	struct way one = *way;
	int r = expand_to(conf, way, arg);

	one.from_zone = NULL;
	one.by_zone = true;
	for (const struct conf_section *d =
			way->from_zone
				? members_next(conf, way->from_zone, NULL)
				: NULL;
		d && r == 0; d = members_next(conf, way->from_zone, d)) {
		one.from_device = d;
		if (d != way->to_device)
			r = expand_to(conf, &one, arg);
	}
	return r;
}

static int each_allow(const struct conf *conf, const struct conf_section *from,
	way_found found, void *arg)
{
	int r = 0;

	for (const struct conf_value *v = conf_get(from, "allow"); v && r == 0;
		v = conf_get_next(v)) {
		struct way way = {0};
		char reason[ALLOW_REASON];
		struct allow_line line;

		if (allow_is_outside(v->text) ||
			allow_parse_line(v->text, &line, reason) < 0 ||
			line.target == ALLOW_TARGET_ADDRESS)
			continue;
		way.what = line.allow;
		if (is_zone(from))
			way.from_zone = from;
		else
			way.from_device = from;
		if (line.target == ALLOW_TARGET_DEVICE)
			way.to_device = conf_find(conf, "device", line.name);
		else if (line.target == ALLOW_TARGET_ZONE)
			way.to_zone = conf_find(conf, "zone", line.name);
		r = found(conf, &way, arg);
	}
	return r;
}

static int from_word(const struct conf *conf, const struct conf_section *to,
	const char *word, way_found found, void *arg)
{
	const struct conf_section *from = find_from(conf, word);
	struct way way = {.what = {.last = 65535}};

	if (!from)
		return 0;
	if (!is_zone(to))
		way.to_device = to;
	else
		way.to_zone = to;
	if (!is_zone(from))
		way.from_device = from;
	else if (has_role(from, "owner"))
		return 0; /* may anyway */
	else
		way.from_zone = from;
	return found(conf, &way, arg);
}

static int each_from(const struct conf *conf, const struct conf_section *to,
	way_found found, void *arg)
{
	int r = 0;

	for (const struct conf_value *v = conf_get(to, "allow-from"); v;
		v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[WORD_MAX];

		while (r == 0 && conf_next_word(&rest, word, sizeof(word)) == 1)
			r = from_word(conf, to, word, found, arg);
	}
	return r;
}

static int each_way(const struct conf *conf, way_found wanted, void *arg_wanted)
{
	struct expanding expanding = {wanted, arg_wanted}, *arg = &expanding;
	const way_found found = expand;
	int r = 0;

	for (const struct conf_section *d = conf_next(conf, "device", NULL);
		d && r == 0; d = conf_next(conf, "device", d)) {
		r = each_allow(conf, d, found, arg);
		if (r == 0)
			r = each_from(conf, d, found, arg);
	}
	for (const struct conf_section *z = conf_next(conf, "zone", NULL);
		z && r == 0; z = conf_next(conf, "zone", z)) {
		r = each_allow(conf, z, found, arg);
		if (r == 0)
			r = each_from(conf, z, found, arg);
	}
	return r;
}

/* One for each address, and one for where it is else, as they are sent. */
static int count_way(const struct conf *conf, const struct way *way, void *arg)
{
	size_t *n = arg;

	(void)conf;
	++*n;
	for (const struct conf_value *v =
			way->to_device ? conf_get(way->to_device, "address")
				       : NULL;
		v; v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[IP_TEXT];

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			++*n;
	}
	return 0;
}

void passes_check(struct conf *conf)
{
	const struct conf_section *last = NULL;
	size_t n = 0;

	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d)) {
		check_allows(conf, d);
		check_from(conf, d);
		last = d;
	}
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z)) {
		check_allows(conf, z);
		check_from(conf, z);
	}
	/* Lines for whoever gets the profile later. */
	for (const struct conf_section *p = conf_next(conf, "profile", NULL); p;
		p = conf_next(conf, "profile", p))
		check_allows(conf, p);
	(void)each_way(conf, count_way, &n);
	if (last && n > ISOLATION_PASSES_MAX)
		conf_complain(conf, last->file, last->line,
			"more than %d ways between devices, zones and the "
			"gateway in all allow and allow-from lines together",
			ISOLATION_PASSES_MAX);
}

int passes_send_to(struct agent *agent, uint16_t type,
	struct isolation_pass pass, const struct conf_section *to)
{
	int r = 0;

	for (const struct conf_value *v = conf_get(to, "address"); v;
		v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[IP_TEXT];

		while (r == 0 &&
			conf_next_word(&rest, word, sizeof(word)) == 1) {
			r = ip_parse(word, &pass.to);
			if (r == 0)
				r = agent_send(agent, "isolation", type, &pass,
					sizeof(pass), -1);
		}
	}
	return r;
}

static int send_way(const struct conf *conf, const struct way *way, void *arg)
{
	struct isolation_pass pass = {.protocol = way->what.protocol,
		.first = way->what.first,
		.last = way->what.last};

	if (way->from_device && !way->by_zone &&
		!windows_open(way->from_device))
		return 0; /* not in its hours */
	if (way->from_device)
		pass.device = agent_device_id(conf, way->from_device);
	else
		pass.from_zone = place_of(conf, way->from_zone);
	if (way->to_device) {
		int r = passes_send_to(
			arg, ISOLATION_PASS, pass, way->to_device);

		if (r < 0 || binding_is_shared(way->to_device))
			return r;
		pass.to_device = agent_device_id(conf, way->to_device);
	}
	if (way->to_zone)
		pass.to_zone = place_of(conf, way->to_zone);
	return agent_send(
		arg, "isolation", ISOLATION_PASS, &pass, sizeof(pass), -1);
}

int passes_send(struct agent *agent, const struct conf *conf)
{
	return each_way(conf, send_way, agent);
}
