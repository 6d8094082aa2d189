/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the configuration to the records of devices: numbers that a device
 * keeps over reloads, its mode, and what is known of it without having seen
 * it. No I/O.
 */
#include <errno.h>
#include <search.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/lib/log.h"
#include "agent/lib/safe_mode.h"

/* The numbers of all MACs since the daemon started; a tree by MAC. */
struct number {
	struct mac mac;
	uint32_t id;
	struct number *next;
};

struct numbers {
	void *tree;
	struct number *all;
	uint32_t last;
};

static int compare_numbers(const void *a, const void *b)
{
	const struct number *x = a, *y = b;

	return memcmp(x->mac.b, y->mac.b, sizeof(x->mac.b));
}

static int number_mac(
	struct numbers *numbers, const struct mac *mac, uint32_t *ret_id)
{
	struct number key = {.mac = *mac}, **found, *number;

	found = tfind(&key, &numbers->tree, compare_numbers);
	if (found) {
		*ret_id = (*found)->id;
		return 0;
	}
	number = calloc(1, sizeof(*number));
	if (number)
		number->mac = *mac; /* it is what the tree is sorted by */
	if (!number || !tsearch(number, &numbers->tree, compare_numbers)) {
		free(number);
		return -ENOMEM;
	}
	number->next = numbers->all;
	numbers->all = number;
	*ret_id = number->id = ++numbers->last;
	return 0;
}

struct numbers *devices_free_numbers(struct numbers *numbers)
{
	while (numbers && numbers->all) {
		struct number *number = numbers->all;

		numbers->all = number->next;
		tdelete(number, &numbers->tree, compare_numbers);
		free(number);
	}
	free(numbers);
	return NULL;
}

int devices_number(struct conf *conf, struct numbers **numbers)
{
	if (!*numbers)
		*numbers = calloc(1, sizeof(**numbers));
	if (!*numbers)
		return -ENOMEM;
	for (const struct conf_section *s = conf_next(conf, "device", NULL); s;
		s = conf_next(conf, "device", s)) {
		struct mac mac;
		uint32_t id;
		int r;

		if (mac_parse(conf_text(s, "mac", ""), &mac) < 0)
			continue; /* complained about already */
		r = number_mac(*numbers, &mac, &id);
		if (r < 0)
			return r;
		conf_set_id(conf, s, id);
	}
	return 0;
}

static bool safe_mode;

void devices_enter_safe_mode(struct agent *agent)
{
	char what[SAFE_MODE_TEXT];

	if (!safe_mode_wanted(agent->options.boot, what))
		return;
	agent->safe_mode = safe_mode = true;
	log_error("SAFE MODE by %s: nothing is isolated and nothing is "
		  "blocked; remove it and start gatehouse anew",
		what);
	state_warn(agent->state, 0, RECORD_SEVERITY_CRITICAL,
		"gateway.safe-mode",
		"SAFE MODE by %s: nothing is isolated and nothing is blocked, "
		"whatever is configured. When the trouble is over, remove it "
		"and start anew: systemctl restart gatehouse",
		what);
}

uint32_t agent_device_id(
	const struct conf *conf, const struct conf_section *device)
{
	(void)conf;
	return device->id;
}

enum record_mode agent_mode(const struct conf *conf,
	const struct conf_section *zone, const struct conf_section *device)
{
	const char *mode = conf_text(
		conf_next(conf, "gateway", NULL), "mode", "observe");

	if (safe_mode)
		return RECORD_MODE_OBSERVE;
	mode = conf_text(zone, "mode", mode);
	mode = conf_text(device, "mode", mode);
	return strcmp(mode, "enforce") == 0 ? RECORD_MODE_ENFORCE
					    : RECORD_MODE_OBSERVE;
}

static bool has_devices(const struct conf_section *zone)
{
	const char *role = conf_text(zone, "role", "devices");

	return strcmp(role, "devices") == 0 || strcmp(role, "guest") == 0;
}

/* The zone of devices if there is just one: the guess for who is not seen. */
static const struct conf_section *only_devices_zone(const struct conf *conf)
{
	const struct conf_section *only = NULL;

	for (const struct conf_section *s = conf_next(conf, "zone", NULL); s;
		s = conf_next(conf, "zone", s)) {
		if (!has_devices(s))
			continue;
		if (only)
			return NULL;
		only = s;
	}
	return only;
}

static void publish_device(
	struct agent *agent, const struct conf_section *section)
{
	const struct conf_section *zone = only_devices_zone(agent->conf);
	const struct record_device *known;
	struct record_device record = {.id = section->id};

	if (mac_parse(conf_text(section, "mac", ""), &record.mac) < 0)
		return;
	known = state_device_by_mac(agent->state, &record.mac);
	if (known) {
		record = *known;
		record.id = section->id;
		if (known->id != record.id) /* a stranger until now */
			state_drop_device(agent->state, known->id);
	}
	if (conf_get(section, "zone")) {
		zone = conf_find(
			agent->conf, "zone", conf_text(section, "zone", ""));
		record_set_text(record.zone, sizeof(record.zone),
			conf_text(section, "zone", ""));
	} else if (record.zone[0])
		zone = conf_find(agent->conf, "zone", record.zone);
	else if (zone)
		snprintf(record.zone, sizeof(record.zone), "%s", zone->name);
	record.decision = (uint8_t)record_parse_decision(
		conf_text(section, "decision", "approve"));
	record.mode = (uint8_t)agent_mode(agent->conf, zone, section);
	record_set_text(record.name, sizeof(record.name), section->name);
	state_put_device(agent->state, &record);
}

/* Something that gatehouse is there to isolate is only watched. */
static bool is_observed(const struct conf *conf)
{
	bool somewhere = false;

	for (const struct conf_section *s = conf_next(conf, "zone", NULL); s;
		s = conf_next(conf, "zone", s)) {
		if (!has_devices(s))
			continue;
		somewhere = true;
		if (agent_mode(conf, s, NULL) == RECORD_MODE_OBSERVE)
			return true;
	}
	for (const struct conf_section *s = conf_next(conf, "device", NULL); s;
		s = conf_next(conf, "device", s)) {
		if (strcmp(conf_text(s, "mode", ""), "observe") == 0)
			return true;
	}
	return !somewhere &&
	       agent_mode(conf, NULL, NULL) == RECORD_MODE_OBSERVE;
}

static void publish_gateway(struct agent *agent)
{
	struct record_gateway gateway = *state_gateway(agent->state);

	gateway.mode = (uint8_t)agent_mode(agent->conf, NULL, NULL);
	gateway.observed = is_observed(agent->conf);
	gateway.safe_mode = agent->safe_mode;
	state_set_gateway(agent->state, &gateway);
}

void devices_publish(struct agent *agent)
{
	const struct record_device *device;

	log_open("gatehoused", config_log_level(agent->conf));
	for (uint32_t id = 0;
		(device = state_device_after(agent->state, id)) != NULL;) {
		id = device->id;
		if (id < RECORD_STRANGER_BASE && !conf_find_id(agent->conf, id))
			state_drop_device(agent->state, id);
	}
	for (const struct conf_section *s =
			conf_next(agent->conf, "device", NULL);
		s; s = conf_next(agent->conf, "device", s))
		publish_device(agent, s);
	publish_gateway(agent);
}
