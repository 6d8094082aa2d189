/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From reasons to sentences. Touches memory only; must never name a line that
 * does not say what it is named for.
 */
#include "modules/isolation/agent/because.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/agent/allow.h"
#include "modules/isolation/agent/members.h"
#include "modules/isolation/agent/limits.h"
#include "modules/isolation/agent/windows.h"

struct explaining {
	const struct conf *conf;
	const struct conf_section *device;
	const struct isolation_because *because;
	struct bus_because *words;
};

#define SAY(field, ...) snprintf((field), sizeof(field), __VA_ARGS__)

static const char *service(const struct isolation_because *b, char text[32])
{
	switch (b->protocol) {
	case IPPROTO_TCP:
		snprintf(text, 32, "tcp/%u", b->port);
		return text;
	case IPPROTO_UDP:
		snprintf(text, 32, "udp/%u", b->port);
		return text;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	}
	return "any";
}

static void say_rule(struct explaining *e, const struct conf_value *value)
{
	SAY(e->words->rule, "%.200s:%u: %s = %.150s", value->file, value->line,
		value->key->name, value->text);
}

/* The line of a section that was sent as this one. */
static const struct conf_value *find_line_in(const struct conf_section *section,
	const struct isolation_allow *wanted)
{
	for (const struct conf_value *v = conf_get(section, "allow"); v;
		v = conf_get_next(v)) {
		char reason[ALLOW_REASON];
		struct isolation_allow a;

		if (allow_parse(v->text, &a, reason) < 0)
			continue;
		a.device = wanted->device;
		if (!memcmp(&a, wanted, sizeof(a)))
			return v;
	}
	return NULL;
}

static const struct conf_value *find_line(const struct explaining *e)
{
	return e->device && e->because->has_line
		       ? find_line_in(e->device, &e->because->line)
		       : NULL;
}

static void say_section(struct explaining *e, const char *line)
{
	if (e->device)
		SAY(e->words->advice, "%s    (in [device %s], %.150s:%u)", line,
			e->device->name, e->device->file, e->device->line);
	else
		SAY(e->words->advice, "%s    (in its [device] section)", line);
}

/* The line that would do, for one address. */
static void advise_line(struct explaining *e)
{
	char ip[IP_TEXT] = "ADDRESS", line[96], what[32];

	if (e->because->reason == ISOLATION_REASON_GATEWAY)
		snprintf(ip, sizeof(ip), "gateway");
	else if (e->because->to.family)
		ip_format(&e->because->to, ip);
	snprintf(line, sizeof(line), "allow = %s %s", service(e->because, what),
		ip);
	say_section(e, line);
}

static const struct conf_value *find_address(
	const struct explaining *e, const char *key)
{
	const struct conf_section *gateway = conf_next(
		e->conf, "gateway", NULL);

	for (const struct conf_value *v = gateway ? conf_get(gateway, key)
						  : NULL;
		v; v = conf_get_next(v)) {
		const char *rest = v->text;
		char word[IP_TEXT];
		struct ip ip;

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			if (ip_parse(word, &ip) == 0 &&
				ip_equal(&ip, &e->because->to))
				return v;
	}
	return NULL;
}

static void explain_name_server(struct explaining *e)
{
	const struct conf_value *value = find_address(e, "name-server");
	char ip[IP_TEXT];

	if (e->because->allowed) {
		SAY(e->words->reason, "it is one of the name servers");
		if (value)
			say_rule(e, value);
		return;
	}
	SAY(e->words->reason,
		"port 53 leads to the name servers only, whatever the allow "
		"lines say");
	if (e->because->to.family)
		SAY(e->words->advice, "name-server = %s    (in [gateway])",
			ip_format(&e->because->to, ip));
}

static void explain_line(struct explaining *e)
{
	const struct conf_value *value = find_line(e);

	const char *what = e->because->reason == ISOLATION_REASON_OWNER
				   ? "your own network"
				   : "the gateway itself";

	const struct conf_section *zone = e->device ? members_zone(e->conf,
							      e->device)
						    : NULL;

	if (value)
		say_rule(e, value);
	if (e->because->allowed && !value && zone) {
		SAY(e->words->reason,
			"its zone, %s, lets all who are in it do that",
			zone->name);
		value = find_line_in(zone, &e->because->line);
		value = value ? value : conf_get(zone, "role");
		if (value)
			say_rule(e, value);
		return;
	}
	if (e->because->allowed) {
		SAY(e->words->reason, "a line of its own allows it");
		return;
	}
	SAY(e->words->reason,
		"\"any\" is the world outside, not %s; that must be named",
		what);
	advise_line(e);
}

/* A line that would do is not in force at this time of the day. */
static bool is_out_of_hours(struct explaining *e)
{
	if (!e->device || windows_open(e->device))
		return false;
	SAY(e->words->reason,
		"its allow lines hold in its hours only, and these are not "
		"now");
	say_rule(e, conf_get(e->device, "when"));
	return true;
}

static void explain_no_line(struct explaining *e)
{
	if (is_out_of_hours(e))
		return;
	SAY(e->words->reason, "none of its allow lines says so");
	advise_line(e);
}

/* The line leads to a name; the address was found out. */
static void explain_followed(struct explaining *e)
{
	const struct conf_section *to =
		e->because->pass.to_device
			? conf_find_id(e->conf, e->because->pass.to_device)
			: NULL;
	char ip[IP_TEXT];

	if (!to || !e->because->pass.to.family)
		return;
	SAY(e->words->reason,
		"a line opens this way between those inside; %s is found at "
		"%s, which is bound to it",
		to->name, ip_format(&e->because->pass.to, ip));
}

static void say_pass(struct explaining *e)
{
	const struct conf_value *value = e->device ? because_find_pass(e->conf,
							     e->device,
							     &e->because->pass)
						   : NULL;

	if (value)
		say_rule(e, value);
}

static void explain_pass(struct explaining *e)
{
	say_pass(e);
	SAY(e->words->reason, "a line opens this way between those inside");
	explain_followed(e);
}

/* A line would do, but it leads to a name only. */
static void explain_not_found(struct explaining *e)
{
	const struct conf_section *to = e->because->to_device
						? conf_find_id(e->conf,
							  e->because->to_device)
						: NULL;

	say_pass(e);
	SAY(e->words->reason,
		"a line opens this way, but nobody knows where %s is: it has "
		"no address by DHCP and has used none since",
		to ? to->name : "the device");
	if (to)
		SAY(e->words->advice,
			"address = ADDRESS    (in [device %s], %.150s:%u), if "
			"it has a fixed one",
			to->name, to->file, to->line);
}

/* Its line in the zone, or none at all, which is any. */
static void explain_zone(struct explaining *e)
{
	const struct conf_section *zone = conf_next(e->conf, "zone", NULL);
	const struct conf_value *value;

	for (uint32_t place = e->because->line.device; zone && place > 1;
		place--)
		zone = conf_next(e->conf, "zone", zone);
	SAY(e->words->reason, "its zone lets all who are there do that");
	if (!zone)
		return;
	SAY(e->words->reason, "its zone, %s, lets all who are there do that",
		zone->name);
	value = find_line_in(zone, &e->because->line);
	if (!value)
		value = conf_get(zone, "default");
	if (!value)
		value = conf_get(zone, "role");
	if (value)
		say_rule(e, value);
}

/* By its name, which needs an address of its own. */
static void explain_neighbour(struct explaining *e)
{
	const struct conf_section *to = e->because->to_device
						? conf_find_id(e->conf,
							  e->because->to_device)
						: NULL;
	char line[96], what[32];

	if (is_out_of_hours(e))
		return;
	SAY(e->words->reason,
		"it is another device, and no line opens this way between "
		"devices");
	snprintf(line, sizeof(line), "allow = %s device:%s",
		service(e->because, what), to ? to->name : "NAME");
	say_section(e, line);
}

/* What a line cannot do for two devices on one wire. */
static void explain_link(struct explaining *e)
{
	if (e->because->same_link && e->because->allowed)
		SAY(e->words->upgrade,
			"both are on one bridge or network: where that is "
			"enforced, the gateway answers for both, for IPv6 if "
			"both have an address = (see gatehouse.conf(5))");
}

/* What passes, passes as far as this. */
static void explain_limits(struct explaining *e)
{
	if (e->device && e->words->passes)
		limits_explain(e->conf, e->device, e->because->device,
			e->because->mode == RECORD_MODE_OBSERVE,
			e->words->limits, sizeof(e->words->limits));
}

static void explain_stranger(struct explaining *e)
{
	SAY(e->words->reason,
		"nobody has configured it, so it is in quarantine");
	SAY(e->words->advice,
		"[device NAME] with its mac, and an allow line there");
}

static void explain_reason(struct explaining *e)
{
	switch ((enum isolation_reason)e->because->reason) {
	case ISOLATION_REASON_NO_RULES:
		SAY(e->words->reason,
			"no isolation rules are in force; see: gatehouse "
			"warnings");
		return;
	case ISOLATION_REASON_STRANGER:
		explain_stranger(e);
		return;
	case ISOLATION_REASON_LINE:
	case ISOLATION_REASON_OWNER:
	case ISOLATION_REASON_GATEWAY:
		explain_line(e);
		return;
	case ISOLATION_REASON_NO_LINE:
		explain_no_line(e);
		return;
	case ISOLATION_REASON_NAME_SERVER:
	case ISOLATION_REASON_NOT_NAME_SERVER:
		explain_name_server(e);
		return;
	case ISOLATION_REASON_NEIGHBOUR:
		explain_neighbour(e);
		return;
	case ISOLATION_REASON_PASS:
		explain_pass(e);
		return;
	case ISOLATION_REASON_NOT_FOUND:
		explain_not_found(e);
		return;
	case ISOLATION_REASON_LEARNED:
		SAY(e->words->reason,
			"a name that it may use led to this address");
		return;
	case ISOLATION_REASON_ZONE_LINE:
		explain_zone(e);
		return;
	case ISOLATION_REASON_ADMIN:
		SAY(e->words->reason,
			"its address is that of an admin: it is never cut off "
			"from the gateway");
		return;
	case ISOLATION_REASON_SERVICE:
		SAY(e->words->reason,
			"every device may ask that of its gateway");
		return;
	case ISOLATION_REASON_UPGRADED:
		SAY(e->words->reason,
			"this port leads into TLS towards the world outside, "
			"never to the gateway itself");
		return;
	case ISOLATION_REASON_NO_ROUTE:
		SAY(e->words->reason,
			"the gateway knows no way there, whatever the rules "
			"say; see: ip route");
		return;
	}
	SAY(e->words->reason, "unknown");
}

static void explain_upgrade(struct explaining *e)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", e->because->port);
	if (!e->because->upgraded)
		return;
	for (const struct conf_section *u = conf_next(e->conf, "upgrade", NULL);
		u; u = conf_next(e->conf, "upgrade", u)) {
		if (strcmp(conf_text(u, "port", ""), port) != 0)
			continue;
		SAY(e->words->upgrade,
			"goes through the proxy as TLS to port %.8s; "
			"[upgrade %s], %.120s:%u",
			conf_text(u, "upstream-port", "?"), u->name, u->file,
			u->line);
		return;
	}
	SAY(e->words->upgrade, "goes through the proxy as TLS");
}

void because_explain(const struct conf *conf,
	const struct isolation_because *because, struct bus_because *ret_words)
{
	struct explaining e = {.conf = conf,
		.device = because->device ? conf_find_id(conf, because->device)
					  : NULL,
		.because = because,
		.words = ret_words};

	memset(ret_words, 0, sizeof(*ret_words));
	ret_words->cookie = because->cookie;
	ret_words->allowed = because->allowed;
	ret_words->mode = because->mode;
	ret_words->kernel = because->kernel;
	ret_words->passes = because->allowed ||
			    because->reason == ISOLATION_REASON_NO_RULES ||
			    (because->mode == RECORD_MODE_OBSERVE &&
				    !because->there_enforced &&
				    because->reason !=
					    ISOLATION_REASON_NO_ROUTE);
	because_foreign(&because->foreign, ret_words->foreign,
		sizeof(ret_words->foreign));
	explain_reason(&e);
	explain_upgrade(&e);
	explain_link(&e);
	explain_limits(&e);
}
