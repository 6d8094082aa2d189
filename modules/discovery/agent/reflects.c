/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads [reflect NAME]. Runs in the agent on checked values; must never make
 * an end of anything that is not named.
 */
#include "modules/discovery/agent/reflects.h"

#include <errno.h>
#include <string.h>

#include "modules/discovery/mdns.h"
#include "modules/discovery/ssdp.h"

#define BIT(place) (UINT32_C(1) << (place))

static int read_protocol(
	const char *text, uint8_t *ret_protocol, uint16_t *ret_port)
{
	uint64_t port;

	if (strcmp(text, "mdns") == 0) {
		*ret_protocol = DISCOVERY_PROTOCOL_MDNS;
		*ret_port = MDNS_PORT;
		return 0;
	}
	if (strcmp(text, "ssdp") == 0) {
		*ret_protocol = DISCOVERY_PROTOCOL_SSDP;
		*ret_port = SSDP_PORT;
		return 0;
	}
	if (strncmp(text, "udp/", 4) != 0 ||
		conf_read_number(text + 4, 1024, UINT16_MAX, &port) < 0 ||
		port == MDNS_PORT || port == SSDP_PORT)
		return -EINVAL;
	*ret_protocol = DISCOVERY_PROTOCOL_UDP;
	*ret_port = (uint16_t)port;
	return 0;
}

int reflects_check_protocol(const char *text)
{
	uint8_t protocol;
	uint16_t port;

	return read_protocol(text, &protocol, &port);
}

/* The name behind "zone:" or "device:"; NULL: another end. */
static const char *end_name(const char *word, const char *kind)
{
	size_t n = strlen(kind);

	return strncmp(word, kind, n) == 0 && word[n] == ':' ? word + n + 1
							     : NULL;
}

int reflects_check_ends(const char *text)
{
	char word[REFLECTS_END];
	int r, n = 0;

	while ((r = conf_next_word(&text, word, sizeof(word))) == 1) {
		const char *name = end_name(word, "zone");

		if (!name)
			name = end_name(word, "device");
		if (!name || conf_check_name(name) < 0)
			return -EINVAL;
		n++;
	}
	return r < 0 || !n ? -EINVAL : 0;
}

int reflects_check_services(const char *text)
{
	char word[DISCOVERY_SERVICE];
	int r, n = 0;

	while ((r = conf_next_word(&text, word, sizeof(word))) == 1) {
		for (const char *c = word; *c; c++)
			if (*c <= ' ' || *c > '~')
				return -EINVAL;
		n++;
	}
	return r < 0 || !n ? -EINVAL : 0;
}

bool reflects_next_service(const struct conf_section *section,
	const struct conf_value **value, const char **rest,
	char ret_text[static DISCOVERY_SERVICE])
{
	memset(ret_text, 0, DISCOVERY_SERVICE);
	if (!*value) {
		*value = conf_get(section, "services");
		*rest = *value ? (*value)->text : NULL;
	}
	while (*value) {
		if (conf_next_word(rest, ret_text, DISCOVERY_SERVICE) == 1)
			return true;
		*value = conf_get_next(*value);
		*rest = *value ? (*value)->text : NULL;
	}
	return false;
}

static const char *role_of(const struct conf_section *zone)
{
	return conf_text(zone, "role", "devices");
}

static void check_end(
	struct conf *conf, const struct conf_value *value, const char *word)
{
	const char *zone = end_name(word, "zone");
	const char *device = end_name(word, "device");
	const struct conf_section *found;

	if (device) {
		if (!conf_find(conf, "device", device))
			conf_complain(conf, value->file, value->line,
				"%s: there is no [device %s]", word, device);
		return;
	}
	found = conf_find(conf, "zone", zone);
	if (!found)
		conf_complain(conf, value->file, value->line,
			"%s: there is no [zone %s]", word, zone);
	else if (strcmp(role_of(found), "guest") == 0)
		conf_complain(conf, value->file, value->line,
			"%s: guests find nothing and offer nothing", word);
	else if (strcmp(role_of(found), "uplink") == 0)
		conf_complain(conf, value->file, value->line,
			"%s: nothing is reflected to or from an uplink", word);
	else if (!conf_given(found, "interface"))
		conf_complain(conf, value->file, value->line,
			"%s: that zone has no interface; expected its devices "
			"one by one, such as device:NAME",
			word);
}

static void check_ends(
	struct conf *conf, const struct conf_section *section, const char *key)
{
	if (!conf_given(section, key))
		conf_complain(conf, section->file, section->line,
			"[reflect %s] needs %s =", section->name, key);
	for (const struct conf_value *v = conf_get(section, key); v;
		v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[REFLECTS_END];

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			check_end(conf, v, word);
	}
}

static void check_services(
	struct conf *conf, const struct conf_section *section, uint8_t protocol)
{
	const struct conf_value *value = NULL;
	struct mdns_filter filter = {0};
	const char *rest = NULL;
	char text[DISCOVERY_SERVICE];
	size_t n = 0;

	while (reflects_next_service(section, &value, &rest, text)) {
		if (++n == MDNS_SERVICES_MAX + 1)
			conf_complain(conf, value->file, value->line,
				"[reflect %s]: more than %d services",
				section->name, MDNS_SERVICES_MAX);
		if (protocol == DISCOVERY_PROTOCOL_MDNS &&
			n <= MDNS_SERVICES_MAX &&
			(text[0] != '_' || mdns_add_service(&filter, text) < 0))
			conf_complain(conf, value->file, value->line,
				"%s is no service of mDNS; one looks like "
				"_ipp._tcp",
				text);
	}
	if (protocol == DISCOVERY_PROTOCOL_UDP && n)
		conf_complain(conf, section->file, section->line,
			"[reflect %s]: what udp carries cannot be filtered by "
			"services =",
			section->name);
	if (protocol != DISCOVERY_PROTOCOL_UDP &&
		!conf_given(section, "services"))
		conf_complain(conf, section->file, section->line,
			"[reflect %s] needs services =, such as _ipp._tcp",
			section->name);
}

/* Adds what was left out for want of places up, so that it can be said. */
static bool add_channel(struct reflects *all, uint16_t first_port,
	uint8_t protocol, uint16_t port, uint8_t *ret_place)
{
	struct discovery_channel *c = all->channels;
	size_t i = 0;

	while (i < all->n_channels &&
		(c[i].protocol != protocol || c[i].port != port))
		i++;
	if (i == DISCOVERY_CHANNELS_MAX)
		return false;
	*ret_place = (uint8_t)i;
	if (i < all->n_channels)
		return true;
	c[i] = (struct discovery_channel){.place = (uint8_t)i,
		.protocol = protocol,
		.port = port,
		.own_port = protocol == DISCOVERY_PROTOCOL_MDNS
				    ? MDNS_PORT
				    : (uint16_t)(first_port + i)};
	all->n_channels++;
	return true;
}

static bool add_link(struct reflects *all, const char *interface, bool devices,
	uint32_t *mask)
{
	size_t i = 0;

	while (i < all->n_links &&
		strcmp(all->links[i].interface, interface) != 0)
		i++;
	if (i == DISCOVERY_LINKS_MAX)
		return false;
	*mask |= BIT(i);
	if (i < all->n_links)
		return true;
	memset(&all->links[i], 0, sizeof(all->links[i]));
	all->links[i].place = (uint8_t)i;
	all->links[i].devices = devices;
	memcpy(all->links[i].interface, interface, strlen(interface));
	all->n_links++;
	return true;
}

static bool add_zone(
	struct reflects *all, const struct conf_section *zone, uint32_t *mask)
{
	const char *rest = conf_text(zone, "interface", "");
	bool devices = strcmp(role_of(zone), "devices") == 0, fits = true;
	char word[16];

	while (conf_next_word(&rest, word, sizeof(word)) == 1)
		fits = add_link(all, word, devices, mask) && fits;
	return fits;
}

/* Where a single device may be. */
static bool add_device_zones(
	struct reflects *all, const struct conf *conf, uint32_t *mask)
{
	bool fits = true;

	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z))
		if (strcmp(role_of(z), "devices") == 0)
			fits = add_zone(all, z, mask) && fits;
	return fits;
}

static bool add_end(struct reflects *all, const struct conf *conf,
	struct discovery_reflect *r, bool from, const char *word)
{
	const char *name = end_name(word, "zone");
	const struct conf_section *zone;
	uint32_t mask = 0;
	bool fits;

	if (!name) {
		fits = add_device_zones(all, conf, &mask);
		if (from)
			r->ask_links |= mask;
		return fits;
	}
	zone = conf_find(conf, "zone", name);
	if (!zone)
		return true;
	fits = add_zone(all, zone, &mask);
	if (from) {
		r->from_links |= mask;
		r->ask_links |= mask;
		return fits;
	}
	r->to_links |= mask;
	if (strcmp(role_of(zone), "owner") == 0)
		r->tell_links |= mask;
	return fits;
}

static bool add_ends(struct reflects *all, const struct conf *conf,
	const struct conf_section *section, struct discovery_reflect *r,
	const char *key)
{
	bool fits = true;

	for (const struct conf_value *v = conf_get(section, key); v;
		v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[REFLECTS_END];

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			fits = add_end(all, conf, r, key[0] == 'f', word) &&
			       fits;
	}
	return fits;
}

static uint16_t first_port(const struct conf *conf)
{
	uint64_t port = REFLECTS_FIRST_PORT;
	const char *text = conf_text(
		conf_next(conf, "discovery", NULL), "first-port", NULL);

	if (text && conf_read_number(text, 1,
			    UINT16_MAX - DISCOVERY_CHANNELS_MAX, &port) < 0)
		return REFLECTS_FIRST_PORT;
	return (uint16_t)port;
}

/* False: there is no place for all of it. */
static bool add_reflect(struct reflects *all, const struct conf *conf,
	const struct conf_section *section)
{
	struct discovery_reflect r = {.place = (uint8_t)all->n_reflects};
	uint8_t protocol;
	uint16_t port;
	bool fits;

	if (all->n_reflects == DISCOVERY_REFLECTS_MAX ||
		read_protocol(conf_text(section, "protocol", "mdns"), &protocol,
			&port) < 0 ||
		!add_channel(all, first_port(conf), protocol, port, &r.channel))
		return false;
	fits = add_ends(all, conf, section, &r, "from");
	fits = add_ends(all, conf, section, &r, "to") && fits;
	snprintf(r.name, sizeof(r.name), "%s", section->name);
	all->reflects[all->n_reflects++] = r;
	return fits;
}

void reflects_read(const struct conf *conf, struct reflects *ret_reflects)
{
	memset(ret_reflects, 0, sizeof(*ret_reflects));
	for (const struct conf_section *s = conf_next(conf, "reflect", NULL); s;
		s = conf_next(conf, "reflect", s))
		(void)add_reflect(ret_reflects, conf, s);
}

void reflects_check(struct conf *conf)
{
	struct reflects all = {0};

	for (const struct conf_section *s = conf_next(conf, "reflect", NULL); s;
		s = conf_next(conf, "reflect", s)) {
		uint8_t protocol = DISCOVERY_PROTOCOL_MDNS;
		uint16_t port;

		check_ends(conf, s, "from");
		check_ends(conf, s, "to");
		if (read_protocol(conf_text(s, "protocol", "mdns"), &protocol,
			    &port) < 0)
			continue; /* was said already */
		check_services(conf, s, protocol);
		if (!add_reflect(&all, conf, s))
			conf_complain(conf, s->file, s->line,
				"[reflect %s] is too much: at most %d "
				"reflections, %d protocols and ports, %d "
				"interfaces",
				s->name, DISCOVERY_REFLECTS_MAX,
				DISCOVERY_CHANNELS_MAX, DISCOVERY_LINKS_MAX);
	}
}

uint32_t reflects_of(const struct conf *conf, const char *key,
	const struct conf_section *device)
{
	uint32_t mask = 0;
	unsigned place = 0;

	for (const struct conf_section *s = conf_next(conf, "reflect", NULL);
		s && place < DISCOVERY_REFLECTS_MAX;
		s = conf_next(conf, "reflect", s), place++)
		for (const struct conf_value *v = conf_get(s, key); v;
			v = conf_get_next(v)) {
			const char *rest = v->text, *name;
			char word[REFLECTS_END];

			while (conf_next_word(&rest, word, sizeof(word)) == 1) {
				name = end_name(word, "device");
				if (name && strcmp(name, device->name) == 0)
					mask |= BIT(place);
			}
		}
	return mask;
}

static uint32_t links_of(const struct conf *conf,
	const struct reflects *reflects, const char *zone)
{
	const char *rest = conf_text(
		conf_find(conf, "zone", zone), "interface", "");
	uint32_t mask = 0;
	char word[16];

	while (conf_next_word(&rest, word, sizeof(word)) == 1)
		for (size_t i = 0; i < reflects->n_links; i++)
			if (!strcmp(reflects->links[i].interface, word))
				mask |= BIT(i);
	return mask;
}

/* What is out in the world announces itself nowhere here. */
static bool is_near(const struct ip *ip)
{
	const uint8_t *b = ip->b;

	if (ip->family == AF_INET6)
		return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && b[1] >= 0x80);
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	       (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254);
}

bool reflects_may(const struct conf *conf, const struct reflects *reflects,
	const char *allow, struct discovery_may *ret_may)
{
	const struct conf_section *device;
	struct discovery_may may = {0};
	char word[CONF_LINE_MAX + 1];
	const char *name;

	/* The protocol, then whom it leads to. */
	if (conf_next_word(&allow, word, sizeof(word)) != 1 ||
		conf_next_word(&allow, word, sizeof(word)) != 1)
		return false;
	name = end_name(word, "device");
	device = name ? conf_find(conf, "device", name) : NULL;
	if (device)
		may.to_device = device->id;
	name = end_name(word, "zone");
	if (name)
		may.to_links = links_of(conf, reflects, name);
	if (ip_parse_prefix(word, &may.to, &may.length) < 0 ||
		!is_near(&may.to))
		memset(&may.to, 0, sizeof(may.to));
	*ret_may = may;
	return may.to_device || may.to_links || may.to.family;
}
