/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shipped recipes. Writes lines of configuration from checked names; must
 * never open more than the table says, nor to others than the two who are
 * named.
 */
#include "modules/discovery/agent/recipes.h"

#include <stdarg.h>
#include <string.h>

#define WORD "recipe:"
#define WAYS_MAX 10
#define TEXT_MAX 4096

/*
 * Ports that who has the line opens, those that come back, what is found; and
 * who says so, at each entry. Where makers say nothing, it is who measured.
 */
static const struct recipe {
	const char *name;
	const char *there[WAYS_MAX], *back[WAYS_MAX];
	const char *mdns, *ssdp;
} recipes[] = {
	/* kb.fortinet.com FD45560, blog.g3rt.nl (after Cisco's guide 7.6) */
	{"cast", {"tcp/8008-8009", "tcp/8443", "udp/32768-61000"},
		{"udp/32768-61000"}, "_googlecast._tcp",
		"urn:dial-multiscreen-org:service:dial"},
	/*
	 * 554, 3689: Apple HT6175; 7000, 7100: support.smarttech.com, "screen
	 * sharing"; 5000 and udp/6000-6010: shairport-sync's
	 * TROUBLESHOOTING.md and its defaults; 319-320: its AIRPLAY2.md; the
	 * dynamic ones: IANA's range, for nobody names a narrower one
	 */
	{"airplay",
		{"tcp/554", "tcp/3689", "tcp/5000", "tcp/7000", "tcp/7100",
			"tcp/49152-65535", "udp/319-320", "udp/6000-6010",
			"udp/49152-65535"},
		{"tcp/49152-65535", "udp/319-320", "udp/6000-6010",
			"udp/49152-65535"},
		"_airplay._tcp _raop._tcp", NULL},
	/*
	 * As IANA registers them: 515 LPD, 631 IPP, 9100 pdl-datastream, 161
	 * SNMP; scanning by eSCL uses the printer's own web server (80, 443)
	 */
	{"print",
		{"tcp/80", "tcp/443", "tcp/515", "tcp/631", "tcp/9100",
			"udp/161"},
		{NULL},
		"_ipp._tcp _ipps._tcp _printer._tcp _pdl-datastream._tcp "
		"_uscan._tcp _uscans._tcp",
		NULL},
	/*
	 * 1400, 1443: packetmischief.ca 2021/08/04; 3400-3401, 3500:
	 * support.sonos.com article 688; 4444 stands in owners' lists only
	 */
	{"sonos", {"tcp/1400", "tcp/1443", "tcp/4444"},
		{"tcp/3400-3401", "tcp/3500"}, "_sonos._tcp",
		"urn:schemas-upnp-org:device:ZonePlayer"},
	/* home-assistant.io/developers/api: "default port is port 8123" */
	{"home-assistant", {"tcp/8123"}, {NULL}, "_home-assistant._tcp", NULL},
	/*
	 * connectedhomeip: CHIP_PORT (operational) and, ten above it,
	 * CHIP_UDC_PORT (a device asks its commissioner)
	 */
	{"matter", {"udp/5540", "tcp/5540"}, {"udp/5540", "udp/5550"},
		"_matter._tcp _matterc._udp _matterd._udp", NULL},
};

/* One line that names a recipe. */
struct line {
	const struct conf_section *device;
	const struct conf_value *value;
	const struct recipe *recipe;
	char partner[64]; /* "device:tv", "zone:tvs" */
	bool to_owner; /* a zone of the owner's */
};

struct text {
	char bytes[TEXT_MAX];
	size_t used;
};

static _printf_(2, 3) void add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(
		text->bytes + text->used, TEXT_MAX - text->used, format, args);
	va_end(args);
	/* The table and the names are bounded; there is room for all. */
	if (n > 0 && (size_t)n < TEXT_MAX - text->used)
		text->used += (size_t)n;
}

static const struct recipe *find_recipe(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++)
		if (strcmp(recipes[i].name, name) == 0)
			return &recipes[i];
	return NULL;
}

static const char *behind(const char *word, const char *kind)
{
	size_t n = strlen(kind);

	return strncmp(word, kind, n) == 0 ? word + n : NULL;
}

static bool refuse(struct conf *conf, const struct line *line, const char *why)
{
	conf_complain(conf, line->value->file, line->value->line,
		"allow = %s: %s", line->value->text, why);
	return false;
}

static bool find_zone(struct conf *conf, struct line *line, const char *name)
{
	const struct conf_section *zone = conf_find(conf, "zone", name);
	const char *role = conf_text(zone, "role", "devices");

	if (!zone)
		return refuse(conf, line, "there is no such [zone]");
	line->to_owner = strcmp(role, "owner") == 0;
	if (strcmp(role, "uplink") == 0)
		return refuse(
			conf, line, "that zone leads to the world outside");
	if (strcmp(role, "guest") == 0)
		return refuse(
			conf, line, "guests find nothing and offer nothing");
	if (!line->to_owner && line->recipe->back[0])
		return refuse(conf, line,
			"this recipe needs ways back from its partner; "
			"expected device:NAME, a line for each");
	return true;
}

static bool read_line(struct conf *conf, struct line *line)
{
	const char *rest = line->value->text, *name;
	char recipe[64], more[8];

	if (conf_next_word(&rest, recipe, sizeof(recipe)) != 1 ||
		conf_next_word(&rest, line->partner, sizeof(line->partner)) !=
			1 ||
		conf_next_word(&rest, more, sizeof(more)) != 0)
		return refuse(conf, line,
			"expected a recipe and one partner, such as "
			"'recipe:cast device:tv'");
	line->recipe = find_recipe(recipe + strlen(WORD));
	if (!line->recipe)
		return refuse(conf, line,
			"no such recipe; there are cast, airplay, print, "
			"sonos, home-assistant and matter");
	name = behind(line->partner, "zone:");
	if (name)
		return find_zone(conf, line, name);
	name = behind(line->partner, "device:");
	if (!name || !conf_find(conf, "device", name))
		return refuse(conf, line,
			name ? "there is no such [device]"
			     : "expected device:NAME or zone:NAME behind it");
	return true;
}

static void add_ways(struct text *text, const char *from, const char *to,
	const char *const *ways)
{
	if (ways[0])
		add(text, "[device %s]\n", from);
	for (size_t i = 0; i < WAYS_MAX && ways[i]; i++)
		add(text, "allow = %s %s\n", ways[i], to);
}

/* What all lines of a recipe share is said by the first. */
static void add_services(struct text *text, const char *services, bool ssdp)
{
	char word[128];

	add(text, "protocol = %s\n", ssdp ? "ssdp" : "mdns");
	while (conf_next_word(&services, word, sizeof(word)) == 1)
		add(text, "services = %s\n", word);
}

/* The owner's computers look for the device; else the device looks. */
static void add_reflect(
	struct text *text, const struct line *line, bool ssdp, bool first)
{
	const char *services = ssdp ? line->recipe->ssdp : line->recipe->mdns;

	if (!services)
		return;
	add(text, "[reflect recipe-%s%s-%s]\n", line->recipe->name,
		line->to_owner ? "-home" : "", ssdp ? "ssdp" : "mdns");
	if (line->to_owner)
		add(text, "from = device:%s\nto = %s\n", line->device->name,
			line->partner);
	else
		add(text, "from = %s\nto = device:%s\n", line->partner,
			line->device->name);
	if (first)
		add_services(text, services, ssdp);
}

static void parse(
	struct conf *conf, const struct line *line, const struct text *text)
{
	char name[512];

	snprintf(name, sizeof(name), "%.400s:%u (recipe:%s)", line->value->file,
		line->value->line, line->recipe->name);
	/* Without memory there is no configuration, which others notice. */
	if (conf_parse(conf, name, text->bytes, text->used) < 0)
		conf_complain(conf, line->value->file, line->value->line,
			"out of memory");
}

static void expand(struct conf *conf, const struct line *line, bool first)
{
	const char *partner = behind(line->partner, "device:");
	struct text text = {.used = 0};
	char self[64];

	snprintf(self, sizeof(self), "device:%s", line->device->name);
	if (!line->to_owner)
		add_ways(&text, line->device->name, line->partner,
			line->recipe->there);
	if (partner)
		add_ways(&text, partner, self, line->recipe->back);
	for (int ssdp = 0; ssdp < 2; ssdp++)
		add_reflect(&text, line, ssdp, first);
	parse(conf, line, &text);
}

static size_t collect(struct conf *conf, struct line *lines)
{
	size_t n = 0;

	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d))
		for (const struct conf_value *v = conf_get(d, "allow"); v;) {
			const struct conf_value *next = conf_get_next(v);

			if (behind(v->text, WORD)) {
				if (n == RECIPES_LINES_MAX) {
					conf_complain(conf, v->file, v->line,
						"more than %d lines with "
						"recipes",
						RECIPES_LINES_MAX);
					return n;
				}
				lines[n++] = (struct line){
					.device = d, .value = v};
			}
			v = next;
		}
	return n;
}

static bool had(const struct line *lines, size_t n, const struct line *line)
{
	for (size_t i = 0; i < n; i++)
		if (lines[i].recipe == line->recipe &&
			lines[i].to_owner == line->to_owner)
			return true;
	return false;
}

void recipes_expand(struct conf *conf)
{
	struct line *lines = calloc(RECIPES_LINES_MAX, sizeof(*lines));
	size_t n, kept = 0;

	if (!lines) {
		conf_complain(conf, "", 0, "out of memory");
		return;
	}
	n = collect(conf, lines);
	for (size_t i = 0; i < n; i++) {
		struct line line = lines[i];

		conf_hide(conf, line.value);
		if (!read_line(conf, &line))
			continue;
		expand(conf, &line, !had(lines, kept, &line));
		lines[kept++] = line;
	}
	free(lines);
}
