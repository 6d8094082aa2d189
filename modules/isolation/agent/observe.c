/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns observations into state. Touches the agent's state only; must never
 * let a device make it grow: strangers are bounded, warnings are one per
 * stranger and kind.
 */
#include "modules/isolation/agent/observe.h"
#include "modules/isolation/agent/members.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/agent/honest.h"

#define TEXT_MAX 160

static struct {
	uint32_t strangers; /* numbers given so far */
	uint32_t restored, guard_restored; /* as told last */
	struct isolation_link links[ISOLATION_ZONES_MAX];
	size_t n_links;
} seen_so_far;

const struct conf_section *observe_zone(const struct conf *conf, uint16_t place)
{
	const struct conf_section *zone = conf_next(conf, "zone", NULL);

	while (zone && --place)
		zone = conf_next(conf, "zone", zone);
	return zone;
}

/* A zone of guests, or one that lets strangers in. */
static bool lets_in(const struct conf_section *zone)
{
	return strcmp(conf_text(zone, "role", "devices"), "guest") == 0 ||
	       strcmp(conf_text(zone, "default", "quarantine"), "allow") == 0;
}

static void decide(
	struct record_device *record, const struct conf_section *zone)
{
	if (record->id >= RECORD_STRANGER_BASE)
		record->decision = lets_in(zone) ? RECORD_DECISION_GUEST
						 : RECORD_DECISION_QUARANTINE;
}

static void update(struct state *state, const struct conf *conf,
	struct record_device *record, const struct isolation_seen *seen)
{
	const struct conf_section *device = record->id < RECORD_STRANGER_BASE
						    ? conf_find_id(
							      conf, record->id)
						    : NULL;
	const struct conf_section *zone = device ? members_zone(conf, device)
						 : NULL;
	int64_t now = clock_wall();

	if (!zone)
		zone = observe_zone(conf, seen->zone);
	if (zone)
		record_set_text(record->zone, sizeof(record->zone), zone->name);
	record_set_text(
		record->interface, sizeof(record->interface), seen->interface);
	record->mode = (uint8_t)agent_mode(conf, zone,
		record->id < RECORD_STRANGER_BASE
			? conf_find_id(conf, record->id)
			: NULL);
	record->isolation = honest_isolation(
		state, record->mode, record->isolation);
	decide(record, zone);
	if (!record->first_seen)
		record->first_seen = now;
	record->last_seen = now;
}

static void warn_of_stranger(
	struct state *state, const struct record_device *record)
{
	const char *now =
		honest_enforces(record->isolation)
			? "It is in quarantine: it reaches nothing."
			: "It is only observed: it reaches everything.";

	if (record->decision == RECORD_DECISION_GUEST) {
		state_unwarn(state, record->id, "device.new");
		return;
	}
	state_warn(state, record->id, RECORD_SEVERITY_WARNING, "device.new",
		"An unknown device, %s, is on %s (zone %s). %s If it is "
		"yours: gatehouse device approve",
		record->name, record->interface, record->zone, now);
}

static void warn_of_flood(struct state *state)
{
	state_warn(state, 0, RECORD_SEVERITY_WARNING, "device.flood",
		"More than %d unknown devices were seen. They are isolated "
		"like all others, %d of them are listed, but they are no "
		"longer warned of one by one. One device that invents "
		"addresses looks like this.",
		OBSERVE_STRANGERS_TOLD, RECORD_STRANGERS_MAX);
}

static void count_stranger(struct state *state)
{
	struct record_gateway gateway = *state_gateway(state);

	gateway.strangers++;
	state_set_gateway(state, &gateway);
}

static void add_stranger(struct state *state, const struct conf *conf,
	const struct isolation_seen *seen)
{
	struct record_device record = {
		.id = RECORD_STRANGER_BASE + seen_so_far.strangers,
		.mac = seen->mac,
		.decision = RECORD_DECISION_QUARANTINE};
	int r;

	mac_format(&seen->mac, record.name);
	update(state, conf, &record, seen);
	count_stranger(state);
	r = state_put_device(state, &record);
	if (r == 0)
		seen_so_far.strangers++;
	if (r == -ENOSPC || state_strangers(state) > OBSERVE_STRANGERS_TOLD)
		warn_of_flood(state);
	else if (r == 0)
		warn_of_stranger(state, &record);
}

void observe_seen(struct state *state, const struct conf *conf,
	const struct isolation_seen *seen)
{
	const struct record_device *known = state_device_by_mac(
		state, &seen->mac);
	struct record_device record;

	if (!known) {
		if (!seen->device)
			add_stranger(state, conf, seen);
		return;
	}
	record = *known;
	update(state, conf, &record, seen);
	(void)state_put_device(state, &record);
}

void observe_forget_stranger(struct state *state, const struct mac *mac)
{
	const struct record_device *known = state_device_by_mac(state, mac);

	if (known && known->id >= RECORD_STRANGER_BASE)
		state_drop_device(state, known->id);
}

/*
 * A connection that a new load of the rules overtakes is stopped, too; one
 * that is broken into does not stop at a few.
 */
static void warn_of_fence(struct state *state, uint64_t fenced)
{
	static uint64_t before;
	uint64_t fresh = fenced > before ? fenced - before : 0;

	before = fenced;
	if (fresh >= OBSERVE_FENCED_MANY)
		state_warn(state, 0, RECORD_SEVERITY_CRITICAL,
			"isolation.fenced",
			"A part of gatehouse itself tried to reach addresses "
			"that no device had asked for, and was stopped. It may "
			"be broken into: restart gatehouse and look for an "
			"update.");
}

void observe_counters(
	struct state *state, const struct isolation_counters *counters)
{
	struct record_gateway gateway = *state_gateway(state);

	gateway.denied = counters->denied;
	gateway.bridged_denied = counters->bridged;
	gateway.quarantined = counters->quarantined;
	state_set_gateway(state, &gateway);
	warn_of_fence(state, counters->fenced);
}

void observe_tally(struct state *state, const struct isolation_tally *tally)
{
	const struct record_device *known = state_device_by_mac(
		state, &tally->mac);
	struct record_device record;

	if (!known)
		return;
	record = *known;
	record.denied = tally->denied;
	(void)state_put_device(state, &record);
}

/* Modes may have changed, and whether there are rules at all. */
static void refresh_devices(struct state *state, const struct conf *conf)
{
	const struct record_device *known;
	size_t strangers = 0;

	for (uint32_t id = 0;
		(known = state_device_after(state, id)) != NULL;) {
		struct record_device record = *known;
		const struct conf_section *zone = conf_find(
			conf, "zone", record.zone);

		id = record.id;
		record.mode = (uint8_t)agent_mode(conf, zone,
			id < RECORD_STRANGER_BASE ? conf_find_id(conf, id)
						  : NULL);
		record.isolation = honest_isolation(
			state, record.mode, record.isolation);
		decide(&record, zone);
		if (memcmp(&record, known, sizeof(record)) != 0)
			(void)state_put_device(state, &record);
		if (id >= RECORD_STRANGER_BASE &&
			strangers++ < OBSERVE_STRANGERS_TOLD)
			warn_of_stranger(state, &record);
	}
}

static void warn_of_guard(
	struct state *state, const struct isolation_rules *rules)
{
	if (rules->guard_restored > seen_so_far.guard_restored)
		state_warn(state, 0, RECORD_SEVERITY_WARNING,
			"isolation.guard-restored",
			"Another program removed gatehouse's routing rules "
			"(ip rule); they were put back (%u times so far). For "
			"systemd-networkd set "
			"ManageForeignRoutingPolicyRules=no.",
			rules->guard_restored);
	seen_so_far.guard_restored = rules->guard_restored;
	if (rules->guard == ISOLATION_GUARD_FAILED)
		state_warn(state, 0, RECORD_SEVERITY_WARNING,
			"isolation.no-guard",
			"The kernel takes no routing rules (ip rule) of "
			"gatehouse: if a program flushes nftables, devices "
			"are free until the rules are back.");
	else
		state_unwarn(state, 0, "isolation.no-guard");
}

void observe_rules(struct state *state, const struct isolation_rules *rules)
{
	struct record_gateway gateway = *state_gateway(state);

	gateway.rules_generation = rules->generation;
	state_set_gateway(state, &gateway);
	if (rules->restored > seen_so_far.restored)
		state_warn(state, 0, RECORD_SEVERITY_WARNING,
			"isolation.restored",
			"%s removed or changed gatehouse's isolation rules; "
			"they were put back at once (%u times so far). A "
			"firewall script that flushes nftables does this.",
			rules->by[0] ? rules->by : "Another program",
			rules->restored);
	seen_so_far.restored = rules->restored;
	warn_of_guard(state, rules);
}

static void list_links(
	char *text, bool (*chosen)(const struct isolation_link *link))
{
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < seen_so_far.n_links; i++) {
		const struct isolation_link *link = &seen_so_far.links[i];
		int n;

		if (!chosen(link))
			continue;
		n = snprintf(text + used, TEXT_MAX - used, "%s%s",
			used ? ", " : "", link->interface);
		if (n < 0 || (size_t)n >= TEXT_MAX - used)
			return;
		used += (size_t)n;
	}
}

static bool is_missing(const struct isolation_link *link)
{
	return !link->present;
}

static bool is_port(const struct isolation_link *link)
{
	return link->is_port;
}

static void warn_of_links(struct state *state)
{
	char text[TEXT_MAX];

	list_links(text, is_missing);
	if (text[0])
		state_warn(state, 0, RECORD_SEVERITY_WARNING,
			"zone.interface-missing",
			"There is no interface %s; what is behind it is "
			"isolated as soon as it appears. If the name is "
			"wrong, correct it in its [zone].",
			text);
	else
		state_unwarn(state, 0, "zone.interface-missing");
	list_links(text, is_port);
	if (text[0])
		state_warn(state, 0, RECORD_SEVERITY_CRITICAL,
			"zone.interface-is-port",
			"%s belongs to a bridge, so its traffic comes in by "
			"the bridge and is NOT isolated. Name the bridge in "
			"the [zone] instead.",
			text);
	else
		state_unwarn(state, 0, "zone.interface-is-port");
}

void observe_link(struct state *state, const struct isolation_link *link)
{
	struct isolation_link *place = NULL;

	for (size_t i = 0; i < seen_so_far.n_links; i++)
		if (!strcmp(seen_so_far.links[i].interface, link->interface))
			place = &seen_so_far.links[i];
	if (!place && seen_so_far.n_links < ISOLATION_ZONES_MAX)
		place = &seen_so_far.links[seen_so_far.n_links++];
	if (place)
		*place = *link;
	warn_of_links(state);
}

static bool names(const struct conf *conf, const char *interface)
{
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z)) {
		const char *rest = conf_text(z, "interface", "");
		char word[16];

		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			if (!strcmp(word, interface))
				return true;
	}
	return false;
}

void observe_applied(struct state *state, const struct conf *conf)
{
	size_t kept = 0;

	for (size_t i = 0; i < seen_so_far.n_links; i++)
		if (names(conf, seen_so_far.links[i].interface))
			seen_so_far.links[kept++] = seen_so_far.links[i];
	seen_so_far.n_links = kept;
	warn_of_links(state);
	refresh_devices(state, conf);
}
