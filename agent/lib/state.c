/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent knows at this moment. Lists in order of ids, and devices in
 * two hash tables, as every packet seen may ask for one. No I/O.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/list.h"
#include "agent/lib/loop.h"
#include "agent/lib/state.h"

#define BUCKETS 4096

struct device {
	struct list link;
	struct device *same_id, *same_mac; /* the next in the bucket */
	struct record_device record;
};

struct warning {
	struct list link;
	struct record_warning record;
};

struct state {
	struct record_gateway gateway;
	struct list devices, warnings;
	struct device *by_id[BUCKETS], *by_mac[BUCKETS];
	size_t n_strangers, n_warnings;
	uint32_t last_warning;
	struct state_observer observer;
};

int state_new(struct state **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	list_init(&state->devices);
	list_init(&state->warnings);
	*ret_state = state;
	return 0;
}

struct state *state_free(struct state *state)
{
	if (!state)
		return NULL;
	list_for_each_safe(it, &state->devices)
		free(container_of(it, struct device, link));
	list_for_each_safe(it, &state->warnings)
		free(container_of(it, struct warning, link));
	free(state);
	return NULL;
}

static void tell_device(struct state *state, const struct record_device *device)
{
	if (state->observer.device)
		state->observer.device(state->observer.arg, device);
}

static void tell_warning(
	struct state *state, const struct record_warning *warning)
{
	if (state->observer.warning)
		state->observer.warning(state->observer.arg, warning);
}

static void tell_gateway(struct state *state)
{
	if (state->observer.gateway)
		state->observer.gateway(state->observer.arg, &state->gateway);
}

void state_observe(struct state *state, const struct state_observer *observer)
{
	static const struct state_observer nobody;

	state->observer = observer ? *observer : nobody;
	tell_gateway(state);
	list_for_each(it, &state->devices)
		tell_device(
			state, &container_of(it, struct device, link)->record);
	list_for_each(it, &state->warnings)
		tell_warning(
			state, &container_of(it, struct warning, link)->record);
}

const struct record_gateway *state_gateway(const struct state *state)
{
	return &state->gateway;
}

void state_set_gateway(
	struct state *state, const struct record_gateway *gateway)
{
	if (memcmp(&state->gateway, gateway, sizeof(*gateway)) == 0)
		return;
	state->gateway = *gateway;
	tell_gateway(state);
}

/* Ids count up: spread as they come. */
static size_t id_bucket(uint32_t id)
{
	return id % BUCKETS;
}

/* Devices choose their MAC: a full bucket costs time, nothing else. */
static size_t mac_bucket(const struct mac *mac)
{
	return mac_hash(mac) % BUCKETS;
}

static struct device *find_device(const struct state *state, uint32_t id)
{
	struct device *device = state->by_id[id_bucket(id)];

	while (device && device->record.id != id)
		device = device->same_id;
	return device;
}

/* Where a new id belongs in the list: before the first that is larger. */
static struct list *find_place(const struct state *state, uint32_t id)
{
	struct list *at = (struct list *)&state->devices;

	/* From behind, because most come in order. */
	while (at->prev != &state->devices &&
		container_of(at->prev, struct device, link)->record.id > id)
		at = at->prev;
	return at;
}

static void index_mac(struct state *state, struct device *device)
{
	struct device **bucket =
		&state->by_mac[mac_bucket(&device->record.mac)];

	device->same_mac = *bucket;
	*bucket = device;
}

static void unindex_mac(struct state *state, const struct device *device)
{
	struct device **at = &state->by_mac[mac_bucket(&device->record.mac)];

	while (*at != device)
		at = &(*at)->same_mac;
	*at = device->same_mac;
}

static void insert_device(struct state *state, struct device *device)
{
	struct device **bucket = &state->by_id[id_bucket(device->record.id)];

	device->same_id = *bucket;
	*bucket = device;
	index_mac(state, device);
	list_append(find_place(state, device->record.id), &device->link);
}

static void remove_device(struct state *state, struct device *device)
{
	struct device **at = &state->by_id[id_bucket(device->record.id)];

	while (*at != device)
		at = &(*at)->same_id;
	*at = device->same_id;
	unindex_mac(state, device);
	list_remove(&device->link);
}

int state_put_device(struct state *state, const struct record_device *record)
{
	bool stranger = record->id >= RECORD_STRANGER_BASE;
	struct device *device = find_device(state, record->id);

	if (device) {
		if (memcmp(&device->record, record, sizeof(*record)) == 0)
			return 0;
		unindex_mac(state, device);
		device->record = *record;
		index_mac(state, device);
		tell_device(state, record);
		return 0;
	}
	if (stranger && state->n_strangers >= RECORD_STRANGERS_MAX)
		return -ENOSPC;
	device = calloc(1, sizeof(*device));
	if (!device)
		return -ENOMEM;
	device->record = *record;
	insert_device(state, device);
	state->n_strangers += stranger;
	tell_device(state, record);
	return 0;
}

const struct record_device *state_device(const struct state *state, uint32_t id)
{
	struct device *device = find_device(state, id);

	return device ? &device->record : NULL;
}

const struct record_device *state_device_by_mac(
	const struct state *state, const struct mac *mac)
{
	struct device *device = state->by_mac[mac_bucket(mac)];

	while (device && !mac_equal(&device->record.mac, mac))
		device = device->same_mac;
	return device ? &device->record : NULL;
}

const struct record_device *state_device_after(
	const struct state *state, uint32_t id)
{
	struct device *device = find_device(state, id);
	struct list *at = device ? device->link.next : state->devices.next;

	/* Without that id: usually 0, the first. */
	while (at != &state->devices &&
		container_of(at, struct device, link)->record.id <= id)
		at = at->next;
	return at == &state->devices
		       ? NULL
		       : &container_of(at, struct device, link)->record;
}

size_t state_strangers(const struct state *state)
{
	return state->n_strangers;
}

void state_drop_device(struct state *state, uint32_t id)
{
	struct device *device = find_device(state, id);

	if (!device)
		return;
	list_for_each_safe(it, &state->warnings) {
		struct warning *w = container_of(it, struct warning, link);

		if (w->record.device == id)
			state_unwarn(state, id, w->record.code);
	}
	remove_device(state, device);
	state->n_strangers -= id >= RECORD_STRANGER_BASE;
	if (state->observer.device_gone)
		state->observer.device_gone(state->observer.arg, id);
	free(device);
}

static struct warning *find_warning(
	const struct state *state, uint32_t device, const char *code)
{
	list_for_each(it, &state->warnings) {
		struct warning *w = container_of(it, struct warning, link);

		if (w->record.device == device &&
			strcmp(w->record.code, code) == 0)
			return w;
	}
	return NULL;
}

static struct warning *add_warning(
	struct state *state, uint32_t device, const char *code)
{
	struct warning *w;

	if (state->n_warnings >= STATE_WARNINGS_MAX)
		return NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->record.id = ++state->last_warning;
	w->record.device = device;
	w->record.since = clock_wall();
	snprintf(w->record.code, sizeof(w->record.code), "%s", code);
	list_append(&state->warnings, &w->link);
	state->n_warnings++;
	return w;
}

bool state_warn(struct state *state, uint32_t device,
	enum record_severity severity, const char *code, const char *format,
	...)
{
	struct warning *w = find_warning(state, device, code);
	char text[sizeof(w->record.text)] = "";
	bool fresh = !w;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!w)
		w = add_warning(state, device, code);
	if (!w)
		return false;
	if (!fresh && w->record.severity == severity &&
		strcmp(w->record.text, text) == 0)
		return false;
	w->record.severity = (uint8_t)severity;
	memset(w->record.text, 0, sizeof(w->record.text));
	snprintf(w->record.text, sizeof(w->record.text), "%s", text);
	tell_warning(state, &w->record);
	return fresh;
}

void state_unwarn(struct state *state, uint32_t device, const char *code)
{
	struct warning *w = find_warning(state, device, code);
	uint32_t id;

	if (!w)
		return;
	id = w->record.id;
	list_remove(&w->link);
	state->n_warnings--;
	free(w);
	if (state->observer.warning_gone)
		state->observer.warning_gone(state->observer.arg, id);
}

const struct record_warning *state_warning_after(
	const struct state *state, uint32_t id)
{
	list_for_each(it, &state->warnings) {
		struct warning *w = container_of(it, struct warning, link);

		if (w->record.id > id)
			return &w->record;
	}
	return NULL;
}
