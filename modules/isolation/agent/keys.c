/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Isolation's keys of the configuration, and what is wrong about them beyond
 * single values. Reads configuration only; the errors it adds are for the
 * owner.
 */
#include "modules/isolation/agent/keys.h"

#include <errno.h>
#include <string.h>

#include "modules/isolation/agent/binding.h"
#include "modules/isolation/agent/limits.h"
#include "modules/isolation/agent/marks_conf.h"
#include "modules/isolation/agent/members.h"
#include "modules/isolation/agent/passes.h"
#include "modules/isolation/agent/pins.h"
#include "modules/isolation/agent/publish.h"
#include "modules/isolation/agent/strangers.h"
#include "modules/isolation/agent/windows.h"
#include "modules/isolation/isolation_proto.h"

/* The sentence about what is wrong comes from the cross-check. */
static int check_later(const char *text)
{
	(void)text;
	return 0;
}

static int check_offload(const char *text)
{
	return strcmp(text, "auto") && strcmp(text, "no") ? -EINVAL : 0;
}

static const struct conf_key gateway_keys[] = {
	{"name-server", conf_check_ip_list,
		"addresses of name servers, such as 192.168.1.1", true,
		"The only addresses that devices reach on port 53."},
	{"admin", conf_check_ip_list,
		"addresses of the owner's computers, such as 192.168.1.10",
		true,
		"Addresses that always reach the gateway itself, also from "
		"among the devices."},
	{"rate", limits_check_rate, LIMITS_RATE_EXPECTED, false,
		"New connections that each device may open; 200/s if nobody "
		"says otherwise."},
	{"offload", check_offload, "auto or no", false,
		"auto: where the kernel has flowtables, answers from uplinks "
		"to devices take the short way; no: never."},
};

static const struct conf_key zone_keys[] = {
	{"rate", limits_check_rate, LIMITS_RATE_EXPECTED, false,
		"New connections that each device of this zone may open."},
	{"allow-from", passes_check_from,
		"names of zones, or device:NAME, such as 'phones device:hub'",
		true,
		"Who may open connections to the devices of this zone, besides "
		"the owner."},
	BINDING_ZONE_KEYS,
	{"default", strangers_check_default, "quarantine, allow or block",
		false,
		"What becomes of devices of this zone that nobody approved."},
	{"allow", check_later, "a protocol and an address, such as tcp/443 any",
		true,
		"What guests, or strangers that are let in, may reach; "
		"without a line any, the world outside."},
};

static int check_advertisements(const char *text)
{
	return strcmp(text, "none") && strcmp(text, "routes") ? -EINVAL : 0;
}

static const struct conf_key device_keys[] = {
	{"allow", check_later,
		"a protocol and an address, such as tcp/443 203.0.113.10", true,
		"What the device may reach: protocol[/port[-port]], then an "
		"address, a prefix, gateway, device:NAME, zone:NAME or any, "
		"which is the world outside: not the gateway, other devices "
		"or the owner's own network."},
	{"allow-from", passes_check_from,
		"names of zones, or device:NAME, such as 'phones device:hub'",
		true,
		"Who may open connections to the device, besides the owner."},
	{"publish", check_later, "ports, such as tcp/443", true,
		"What the world outside may reach of the device."},
	{"address", conf_check_ip_list,
		"addresses of the device, such as 192.168.50.11 fd00:50::11",
		true,
		"The device uses these addresses and, of their family, no "
		"others; nobody else may use them."},
	{"router-advertisements", check_advertisements, "none or routes", false,
		"routes: the device may tell the gateway of routes, as a "
		"Thread border router does; none is the default."},
	{"rate", limits_check_rate, LIMITS_RATE_EXPECTED, false,
		"New connections that this device may open."},
	{"bandwidth", limits_check_bandwidth, LIMITS_BANDWIDTH_EXPECTED, false,
		"How much this device may send and receive."},
	{"when", windows_check_text, WINDOWS_EXPECTED, true,
		"When this device may what allow says; always if it is not "
		"given."},
	BINDING_DEVICE_KEYS,
};

const struct conf_schema keys_schemas[KEYS_SCHEMAS] = {
	{"gateway", false, gateway_keys, ARRAY_SIZE(gateway_keys)},
	{"zone", true, zone_keys, ARRAY_SIZE(zone_keys)},
	{"gateway", false, marks_conf_keys, MARKS_CONF_KEYS},
	{"device", true, device_keys, ARRAY_SIZE(device_keys)},
};

uint8_t keys_zone_role(const struct conf_section *zone)
{
	const char *role = conf_text(zone, "role", "devices");

	if (!strcmp(role, "owner"))
		return ISOLATION_ROLE_OWNER;
	return strcmp(role, "uplink") ? ISOLATION_ROLE_DEVICES
				      : ISOLATION_ROLE_UPLINK;
}

static bool has_devices_zone(const struct conf *conf)
{
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z))
		if (keys_zone_role(z) == ISOLATION_ROLE_DEVICES &&
			conf_get(z, "interface"))
			return true;
	return false;
}

static size_t count_words(const char *text)
{
	char word[64];
	size_t n = 0;

	while (conf_next_word(&text, word, sizeof(word)) == 1)
		n++;
	return n;
}

static void check_list(struct conf *conf, const struct conf_section *section,
	const char *key, size_t most)
{
	const struct conf_value *value = section ? conf_get(section, key)
						 : NULL;
	size_t n = 0;

	for (; value; value = conf_get_next(value)) {
		n += count_words(value->text);
		if (n <= most)
			continue;
		conf_complain(conf, value->file, value->line,
			"%s: more than %zu addresses", key, most);
		return;
	}
}

static size_t count_allows(const struct conf_section *device)
{
	size_t n = 0;

	for (const struct conf_value *v = conf_get(device, "allow"); v;
		v = conf_get_next(v))
		n++;
	return n;
}

static void check_zones(struct conf *conf)
{
	const struct conf_section *last = NULL;
	size_t n = 0;

	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z)) {
		n += count_words(conf_text(z, "interface", ""));
		last = z;
	}
	if (n > ISOLATION_ZONES_MAX)
		conf_complain(conf, last->file, last->line,
			"more than %d interfaces in all zones together",
			ISOLATION_ZONES_MAX);
}

void keys_check(struct conf *conf)
{
	const struct conf_section *gateway = conf_next(conf, "gateway", NULL);
	const struct conf_section *device = conf_next(conf, "device", NULL);
	size_t n_devices = 0, n_allows = 0;

	check_zones(conf);
	check_list(conf, gateway, "name-server", ISOLATION_NAME_SERVERS_MAX);
	check_list(conf, gateway, "admin", ISOLATION_ADMINS_MAX / 2);
	if (device && !has_devices_zone(conf))
		conf_complain(conf, device->file, device->line,
			"[device %s] is nowhere: no [zone] has role = devices",
			device->name);
	for (; device; device = conf_next(conf, "device", device)) {
		n_allows += count_allows(device);
		if (++n_devices == ISOLATION_DEVICES_MAX + 1)
			conf_complain(conf, device->file, device->line,
				"more than %d devices", ISOLATION_DEVICES_MAX);
	}
	windows_check(conf);
	pins_check(conf, pins_own_address);
	members_check(conf);
	passes_check(conf);
	strangers_check(conf);
	publish_check(conf);
	if (n_allows > ISOLATION_ALLOWS_MAX)
		conf_complain(conf, gateway ? gateway->file : "", 0,
			"more than %d allow lines", ISOLATION_ALLOWS_MAX);
}
