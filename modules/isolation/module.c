/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Isolation's part in the agent: its keys of the configuration, the wanted
 * state for the worker, and what comes up from it. Runs as root, so it reads
 * nothing but checked configuration, utmp and fixed-size messages.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/isolation/agent/admins.h"
#include "modules/isolation/agent/allow.h"
#include "modules/isolation/agent/because.h"
#include "modules/isolation/agent/binding.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/isolation/agent/honest.h"
#include "modules/isolation/agent/host.h"
#include "modules/isolation/agent/keep.h"
#include "modules/isolation/agent/limits.h"
#include "modules/isolation/agent/logins.h"
#include "modules/isolation/agent/marks_conf.h"
#include "modules/isolation/agent/observe.h"
#include "modules/isolation/agent/passes.h"
#include "modules/isolation/agent/pins.h"
#include "modules/isolation/agent/testers.h"
#include "modules/isolation/agent/windows.h"
#include "modules/isolation/agent/publish.h"
#include "modules/isolation/agent/strangers.h"
#include "modules/proxy/proxy_proto.h"

#define NAME "isolation"

/* The sentence about what is wrong comes from the cross-check. */
static int check_later(const char *text)
{
	(void)text;
	return 0;
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

static const struct conf_schema schemas[] = {
	{"gateway", false, gateway_keys, ARRAY_SIZE(gateway_keys)},
	{"zone", true, zone_keys, ARRAY_SIZE(zone_keys)},
	{"gateway", false, marks_conf_keys, MARKS_CONF_KEYS},
	{"device", true, device_keys, ARRAY_SIZE(device_keys)},
};

static uint8_t zone_role(const struct conf_section *zone)
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
		if (zone_role(z) == ISOLATION_ROLE_DEVICES)
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

static void check(struct conf *conf)
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
	passes_check(conf);
	strangers_check(conf);
	publish_check(conf);
	if (n_allows > ISOLATION_ALLOWS_MAX)
		conf_complain(conf, gateway ? gateway->file : "", 0,
			"more than %d allow lines", ISOLATION_ALLOWS_MAX);
}

static int send_down(
	struct agent *agent, uint16_t type, const void *message, size_t size)
{
	return agent_send(agent, NAME, type, message, size, -1);
}

static int send_zone(struct agent *agent, const struct conf *conf,
	const struct conf_section *section, uint16_t place)
{
	const char *rest = conf_text(section, "interface", "");
	struct isolation_zone zone = {.role = zone_role(section),
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

/* Without a mode of its own it follows the zone it is seen in. */
static int send_device(struct agent *agent, const struct conf *conf,
	const struct conf_section *section)
{
	struct isolation_device device = {.id = agent_device_id(conf, section)};
	int r = mac_parse(conf_text(section, "mac", ""), &device.mac);
	bool open = windows_open(section);

	if (r < 0)
		return r;
	device.shared = binding_is_shared(section);
	if (conf_get(section, "mode"))
		device.mode = (uint8_t)agent_mode(conf, NULL, section);
	r = send_down(agent, ISOLATION_DEVICE, &device, sizeof(device));
	if (r == 0)
		r = send_router(agent, section, &device.mac);
	if (r == 0)
		r = limits_send(agent, conf, section, device.id);
	if (r == 0)
		r = send_pins(agent, section, device.id);
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

static int configure(struct agent *agent, const struct conf *conf)
{
	int r = send_zones(agent, conf);

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
		r = send_logins(agent);
	if (r == 0)
		r = host_send(agent);
	return r < 0 ? r : keep_send_ports(agent);
}

static void applied(struct agent *agent, const struct conf *conf)
{
	observe_applied(agent_state(agent), conf);
	admins_review(agent_state(agent), conf, admins_on_link);
	keep_applied(agent);
	honest_start(agent);
	windows_applied(agent);
}

static void sent(
	struct agent *agent, uint16_t type, const void *message, size_t size)
{
	windows_heard(type);
	keep_sent(agent, type, message, size);
}

static void stopped(struct agent *agent)
{
	(void)agent;
	keep_stopped();
}

static int on_seen(void *owner, const void *message, int fd)
{
	const struct isolation_seen *seen = message;

	(void)fd;
	if (!seen->zone || seen->interface[sizeof(seen->interface) - 1])
		return -EINVAL;
	if (testers_seen(seen))
		observe_forget_stranger(agent_state(owner), &seen->mac);
	else
		observe_seen(agent_state(owner), agent_conf(owner), seen);
	return 0;
}

static int on_is(void *owner, const void *message, int fd)
{
	const struct isolation_who *is = message;
	struct proxy_who answer = {
		.cookie = is->cookie, .ip = is->ip, .device = is->device};

	(void)fd;
	agent_send(owner, "proxy", PROXY_IS, &answer, sizeof(answer), -1);
	return 0;
}

static int on_attempt(void *owner, const void *message, int fd)
{
	const struct isolation_attempt *a = message;
	const struct record_device *known = state_device_by_mac(
		agent_state(owner), &a->mac);
	struct bus_attempt out = {.cookie = a->cookie,
		.packets = a->packets,
		.to = a->to,
		.mac = a->mac,
		.device = known ? known->id : 0,
		.port = a->port,
		.protocol = a->protocol,
		.observed = a->observed};

	(void)fd;
	agent_send(owner, "bus", BUS_ATTEMPT, &out, sizeof(out), -1);
	return 0;
}

static int on_attempts_end(void *owner, const void *message, int fd)
{
	const struct isolation_cookie *end = message;
	struct bus_attempts_end out = {.cookie = end->cookie};

	(void)fd;
	agent_send(owner, "bus", BUS_ATTEMPTS_END, &out, sizeof(out), -1);
	return 0;
}

static int on_because(void *owner, const void *message, int fd)
{
	struct bus_because words;

	(void)fd;
	because_explain(agent_conf(owner), message, &words);
	agent_send(owner, "bus", BUS_BECAUSE, &words, sizeof(words), -1);
	return 0;
}

static int on_counters(void *owner, const void *message, int fd)
{
	(void)fd;
	observe_counters(agent_state(owner), message);
	return 0;
}

static int on_tally(void *owner, const void *message, int fd)
{
	(void)fd;
	observe_tally(agent_state(owner), message);
	return 0;
}

static int on_rules(void *owner, const void *message, int fd)
{
	(void)fd;
	observe_rules(agent_state(owner), message);
	return 0;
}

static int on_link(void *owner, const void *message, int fd)
{
	const struct isolation_link *link = message;

	(void)fd;
	if (link->interface[sizeof(link->interface) - 1])
		return -EINVAL;
	observe_link(agent_state(owner), link);
	return 0;
}

static int on_port(void *owner, const void *message, int fd)
{
	(void)fd;
	return keep_port(owner, message);
}

static int on_spoof(void *owner, const void *message, int fd)
{
	(void)fd;
	if (!testers_has(&((const struct isolation_spoof *)message)->mac))
		observe_spoof(agent_state(owner), message);
	return 0;
}

static int on_over(void *owner, const void *message, int fd)
{
	(void)fd;
	limits_over(owner, message);
	return 0;
}

static int on_apart(void *owner, const void *message, int fd)
{
	(void)fd;
	return host_apart(owner, message);
}

static int on_standin(void *owner, const void *message, int fd)
{
	(void)fd;
	return host_standin(owner, message);
}

static int on_bound(void *owner, const void *message, int fd)
{
	(void)fd;
	observe_bound(agent_state(owner), message);
	return 0;
}

static int on_collision(void *owner, const void *message, int fd)
{
	const struct isolation_collision *c = message;

	(void)fd;
	if (c->table[sizeof(c->table) - 1] || c->chain[sizeof(c->chain) - 1])
		return -EINVAL;
	observe_collision(agent_state(owner), c);
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(
		ISOLATION_COLLISION, struct isolation_collision, on_collision),
	IPC_ROUTE(ISOLATION_SEEN, struct isolation_seen, on_seen),
	IPC_ROUTE(ISOLATION_IS, struct isolation_who, on_is),
	IPC_ROUTE(ISOLATION_ATTEMPT, struct isolation_attempt, on_attempt),
	IPC_ROUTE(ISOLATION_ATTEMPTS_END, struct isolation_cookie,
		on_attempts_end),
	IPC_ROUTE(ISOLATION_BECAUSE, struct isolation_because, on_because),
	IPC_ROUTE(ISOLATION_COUNTERS, struct isolation_counters, on_counters),
	IPC_ROUTE(ISOLATION_TALLY, struct isolation_tally, on_tally),
	IPC_ROUTE(ISOLATION_RULES, struct isolation_rules, on_rules),
	IPC_ROUTE(ISOLATION_LINK, struct isolation_link, on_link),
	IPC_ROUTE(ISOLATION_PORT, struct isolation_port, on_port),
	IPC_ROUTE(ISOLATION_SPOOF, struct isolation_spoof, on_spoof),
	IPC_ROUTE(ISOLATION_OVER, struct isolation_over, on_over),
	IPC_ROUTE(ISOLATION_APART, struct isolation_apart, on_apart),
	IPC_ROUTE(ISOLATION_BOUND, struct isolation_bound, on_bound),
	IPC_ROUTE(ISOLATION_STANDIN, struct isolation_standin, on_standin),
};

extern const struct module isolation_module;
const struct module isolation_module = {
	.name = NAME,
	.capabilities = 1ull << CAP_NET_ADMIN,
	.files = 32,
	.first = true,
	.schemas = schemas,
	.n_schemas = ARRAY_SIZE(schemas),
	.check = check,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.configure = configure,
	.sent = sent,
	.applied = applied,
	.stopped = stopped,
};
