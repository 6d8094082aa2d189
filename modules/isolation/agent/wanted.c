/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the worker of isolation the whole wanted state. Reads checked
 * configuration and utmp; says the same again when asked again.
 */
#include "modules/isolation/agent/wanted.h"

#include <string.h>

#include "agent/lib/module.h"
#include "modules/isolation/agent/allow.h"
#include "modules/isolation/agent/binding.h"
#include "modules/isolation/agent/host.h"
#include "modules/isolation/agent/keep.h"
#include "modules/isolation/agent/keep_bound.h"
#include "modules/isolation/agent/keys.h"
#include "modules/isolation/agent/limits.h"
#include "modules/isolation/agent/logins.h"
#include "modules/isolation/agent/marks_conf.h"
#include "modules/isolation/agent/members.h"
#include "modules/isolation/agent/passes.h"
#include "modules/isolation/agent/publish.h"
#include "modules/isolation/agent/strangers.h"
#include "modules/isolation/agent/windows.h"
#include "modules/isolation/isolation_proto.h"

#define NAME "isolation"

static int send_down(
	struct agent *agent, uint16_t type, const void *message, size_t size)
{
	return agent_send(agent, NAME, type, message, size, -1);
}

static int send_zone(struct agent *agent, const struct conf *conf,
	const struct conf_section *section, uint16_t place)
{
	const char *rest = conf_text(section, "interface", "");
	struct isolation_zone zone = {.role = keys_zone_role(section),
		.strangers = strangers_of(section),
		.guest = strangers_guests(section),
		.mode = (uint8_t)agent_mode(conf, section, NULL),
		.zone = place};
	int r = 0;

	binding_of_zone(section, &zone);
	do {
		memset(zone.interface, 0, sizeof(zone.interface));
		if (conf_next_word(
			    &rest, zone.interface, sizeof(zone.interface)) != 1)
			return 0;
		r = send_down(agent, ISOLATION_ZONE, &zone, sizeof(zone));
	} while (r == 0);
	return r;
}

static int send_zones(struct agent *agent, const struct conf *conf)
{
	uint16_t place = 1;
	int r = 0;

	for (const struct conf_section *z = conf_next(conf, "zone", NULL);
		z && r == 0; z = conf_next(conf, "zone", z))
		r = send_zone(agent, conf, z, place++);
	return r;
}

/* If the owner named no uplink, they are found. */
static int send_outside(struct agent *agent, const struct conf *conf)
{
	struct isolation_outside outside = {
		.mode = (uint8_t)agent_mode(conf, NULL, NULL)};

	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z))
		if (keys_zone_role(z) == ISOLATION_ROLE_UPLINK)
			return 0;
	return send_down(agent, ISOLATION_OUTSIDE, &outside, sizeof(outside));
}

static int send_allows(
	struct agent *agent, const struct conf_section *section, uint32_t id)
{
	int r = 0;

	for (const struct conf_value *v = conf_get(section, "allow");
		v && r == 0; v = conf_get_next(v)) {
		struct allow_line line;
		char reason[ALLOW_REASON];

		r = allow_parse_line(v->text, &line, reason);
		line.allow.device = id;
		if (r == 0 && line.target == ALLOW_TARGET_ADDRESS)
			r = send_down(agent, ISOLATION_ALLOW, &line.allow,
				sizeof(line.allow));
	}
	return r;
}

static int send_pin(struct agent *agent, uint32_t id, const char *text)
{
	struct isolation_pin pin = {.device = id};
	int r = ip_parse(text, &pin.ip);

	return r < 0 ? r : send_down(agent, ISOLATION_PIN, &pin, sizeof(pin));
}

static int send_pins(
	struct agent *agent, const struct conf_section *section, uint32_t id)
{
	int r = 0;

	for (const struct conf_value *v = conf_get(section, "address"); v;
		v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[IP_TEXT];

		while (r == 0 && conf_next_word(&rest, word, sizeof(word)) == 1)
			r = send_pin(agent, id, word);
	}
	return r;
}

static int send_router(struct agent *agent, const struct conf_section *section,
	const struct mac *mac)
{
	struct isolation_router router = {.mac = *mac};

	if (strcmp(conf_text(section, "router-advertisements", "none"),
		    "none") == 0)
		return 0;
	return send_down(agent, ISOLATION_ROUTER, &router, sizeof(router));
}

/* What the zone gives to all in it: without a line, the world outside. */
static int send_guest(
	struct agent *agent, const struct conf_section *zone, uint32_t id)
{
	const struct isolation_allow any = {.device = id, .last = 65535};

	return conf_get(zone, "allow")
		       ? send_allows(agent, zone, id)
		       : send_down(agent, ISOLATION_ALLOW, &any, sizeof(any));
}

/* Without a mode of its own it follows the zone it is seen in. */
static int send_device(struct agent *agent, const struct conf *conf,
	const struct conf_section *section)
{
	struct isolation_device device = {.id = agent_device_id(conf, section)};
	int r = mac_parse(conf_text(section, "mac", ""), &device.mac);
	const struct conf_section *zone = members_zone(conf, section);
	bool open = windows_open(section);

	if (r < 0)
		return r;
	device.shared = binding_is_shared(section);
	/* Whom nobody approved gets nothing by where it is, either. */
	device.moved = zone != NULL || !members_may(section);
	if (zone || conf_get(section, "mode"))
		device.mode = (uint8_t)agent_mode(conf, zone, section);
	r = send_down(agent, ISOLATION_DEVICE, &device, sizeof(device));
	if (r == 0)
		r = send_router(agent, section, &device.mac);
	if (r == 0)
		r = limits_send(agent, conf, section, device.id);
	if (r == 0)
		r = send_pins(agent, section, device.id);
	if (r == 0 && zone && strangers_guests(zone) && members_may(section))
		r = send_guest(agent, zone, device.id);
	if (windows_has(section))
		windows_sent(device.id, open);
	return r < 0 || !open ? r : send_allows(agent, section, device.id);
}

static int send_words(struct agent *agent, const char *rest, uint16_t type)
{
	char word[IP_TEXT];
	int r = 0;

	while (r == 0 && conf_next_word(&rest, word, sizeof(word)) == 1) {
		struct isolation_address address = {0};

		r = ip_parse(word, &address.ip);
		if (r == 0)
			r = send_down(agent, type, &address, sizeof(address));
	}
	return r;
}

static int send_addresses(struct agent *agent, const struct conf *conf,
	const char *key, uint16_t type)
{
	const struct conf_section *gateway = conf_next(conf, "gateway", NULL);
	const struct conf_value *value = gateway ? conf_get(gateway, key)
						 : NULL;
	int r = 0;

	for (; value && r == 0; value = conf_get_next(value))
		r = send_words(agent, value->text, type);
	return r;
}

/* Half of the places are the configuration's. */
static int send_logins(struct agent *agent)
{
	struct ip list[ISOLATION_ADMINS_MAX / 2];
	size_t n = logins_read(list, ARRAY_SIZE(list));
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct isolation_address address = {list[i]};

		r = send_down(
			agent, ISOLATION_ADMIN, &address, sizeof(address));
	}
	return r;
}

static int send_marks(struct agent *agent, const struct conf *conf)
{
	struct isolation_marks marks;

	marks_conf_read(conf, &marks);
	return send_down(agent, ISOLATION_MARKS, &marks, sizeof(marks));
}

static int send_offload(struct agent *agent, const struct conf *conf)
{
	const struct conf_section *gateway = conf_next(conf, "gateway", NULL);
	const struct isolation_offload offload = {.uplinks = 1};

	if (!strcmp(conf_text(gateway, "offload", "auto"), "no"))
		return 0;
	return send_down(agent, ISOLATION_OFFLOAD, &offload, sizeof(offload));
}

int wanted_send(struct agent *agent, const struct conf *conf)
{
	int r = send_zones(agent, conf);

	if (r == 0)
		r = send_outside(agent, conf);
	for (const struct conf_section *d = conf_next(conf, "device", NULL);
		d && r == 0; d = conf_next(conf, "device", d))
		r = send_device(agent, conf, d);
	if (r == 0)
		r = passes_send(agent, conf);
	if (r == 0)
		r = strangers_send(agent, conf);
	if (r == 0)
		r = publish_send(agent, conf);
	if (r == 0)
		r = send_addresses(
			agent, conf, "name-server", ISOLATION_NAME_SERVER);
	if (r == 0)
		r = send_addresses(agent, conf, "admin", ISOLATION_ADMIN);
	if (r == 0)
		r = send_marks(agent, conf);
	if (r == 0)
		r = send_offload(agent, conf);
	if (r == 0)
		r = send_logins(agent);
	if (r == 0)
		r = host_send(agent);
	if (r == 0)
		r = keep_bound_send(agent);
	return r < 0 ? r : keep_send_ports(agent);
}
