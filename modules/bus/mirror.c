/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices and warnings sorted by id, with a mask of changed properties each,
 * so that a burst of changes costs the bus one signal. Pure but for memory;
 * must never talk to the bus.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "modules/bus/mirror.h"
#include "modules/bus/names.h"

#define FIELD_OF(type, name, member)                       \
	{                                                  \
		(name), offsetof(struct type, member),     \
			sizeof(((struct type *)0)->member) \
	}
#define DEVICE(name, member) FIELD_OF(record_device, name, member)
#define GATEWAY(name, member) FIELD_OF(record_gateway, name, member)

const struct mirror_field mirror_device_fields[] = {
	DEVICE("Name", name),
	DEVICE("Mac", mac),
	DEVICE("Zone", zone),
	DEVICE("Interface", interface),
	DEVICE("Decision", decision),
	DEVICE("Mode", mode),
	DEVICE("Isolation", isolation),
	DEVICE("TlsBytesUp", tls_up),
	DEVICE("TlsBytesDown", tls_down),
	DEVICE("TlsFlows", tls_flows),
	DEVICE("TlsRefused", tls_refused),
	DEVICE("Denied", denied),
	DEVICE("Support", support),
	DEVICE("SupportEnds", support_ends),
	DEVICE("SupportDays", support_days),
	DEVICE("FirstSeen", first_seen),
	DEVICE("LastSeen", last_seen),
	DEVICE("LastDenied", last_denied),
	DEVICE("DecidedBy", decided_by),
	DEVICE("Profile", profile),
	DEVICE("DecisionUntil", decision_until),
	DEVICE("PausedUntil", paused_until),
};
const size_t mirror_n_device_fields = ARRAY_SIZE(mirror_device_fields);

const struct mirror_field mirror_gateway_fields[] = {
	GATEWAY("State", state),
	GATEWAY("Mode", mode),
	GATEWAY("Observed", observed),
	GATEWAY("Generation", generation),
	GATEWAY("RulesGeneration", rules_generation),
	GATEWAY("Denied", denied),
	GATEWAY("BridgedDenied", bridged_denied),
	GATEWAY("Quarantined", quarantined),
	GATEWAY("Strangers", strangers),
	GATEWAY("Started", started),
	GATEWAY("Returned", returned),
	GATEWAY("SafeMode", safe_mode),
	GATEWAY("ConfirmUntil", confirm_until),
	GATEWAY("PausedUntil", paused_until),
};
const size_t mirror_n_gateway_fields = ARRAY_SIZE(mirror_gateway_fields);

static uint32_t changes(const struct mirror_field *fields, size_t n,
	const void *before, const void *after)
{
	uint32_t mask = 0;

	assert(n <= MIRROR_PROPERTIES_MAX);
	for (size_t i = 0; i < n; i++)
		if (memcmp((const char *)before + fields[i].offset,
			    (const char *)after + fields[i].offset,
			    fields[i].size) != 0)
			mask |= 1u << i;
	return mask;
}

/* Makes room for one more element; the limit is on the count. */
static int grow(
	void **array, size_t *room, size_t count, size_t element, size_t limit)
{
	size_t wanted = *room ? *room * 2 : 16;
	void *larger;

	if (count >= limit)
		return -ENOSPC;
	if (count < *room)
		return 0;
	larger = reallocarray(*array, wanted, element);
	if (larger == NULL)
		return -ENOMEM;
	*array = larger;
	*room = wanted;
	return 0;
}

/* The place of an id, or where it belongs. */
static size_t device_slot(const struct mirror *mirror, uint32_t id)
{
	size_t low = 0, high = mirror->n_devices;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mirror->devices[middle]->record.id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t warning_slot(const struct mirror *mirror, uint32_t id)
{
	size_t i = mirror->n_warnings;

	/* New ones have the highest ids. */
	while (i > 0 && mirror->warnings[i - 1].id >= id)
		i--;
	return i;
}

struct mirror_device *mirror_device(const struct mirror *mirror, uint32_t id)
{
	size_t i = device_slot(mirror, id);

	if (i == mirror->n_devices || mirror->devices[i]->record.id != id)
		return NULL;
	return mirror->devices[i];
}

const struct record_warning *mirror_warning(
	const struct mirror *mirror, uint32_t id)
{
	size_t i = warning_slot(mirror, id);

	if (i == mirror->n_warnings || mirror->warnings[i].id != id)
		return NULL;
	return &mirror->warnings[i];
}

int mirror_put_gateway(
	struct mirror *mirror, const struct record_gateway *gateway)
{
	mirror->gateway_dirty |= changes(mirror_gateway_fields,
		mirror_n_gateway_fields, &mirror->gateway, gateway);
	mirror->gateway = *gateway;
	return 0;
}

static int clean_device(struct record_device *device)
{
	if (device->id == 0)
		return -EBADMSG;
	if (names_clean(device->name, sizeof(device->name)) < 0 ||
		names_clean(device->zone, sizeof(device->zone)) < 0 ||
		names_clean(device->decided_by, sizeof(device->decided_by)) <
			0 ||
		names_clean(device->profile, sizeof(device->profile)) < 0 ||
		names_clean(device->interface, sizeof(device->interface)) < 0)
		return -EBADMSG;
	return names_clean(device->support_ends, sizeof(device->support_ends));
}

static int insert_device(
	struct mirror *mirror, size_t i, const struct record_device *record)
{
	struct mirror_device *device;
	int r;

	r = grow((void **)&mirror->devices, &mirror->room_devices,
		mirror->n_devices, sizeof(*mirror->devices),
		MIRROR_DEVICES_MAX);
	if (r < 0)
		return r;
	device = calloc(1, sizeof(*device));
	if (device == NULL)
		return -ENOMEM;
	device->record = *record;
	memmove(mirror->devices + i + 1, mirror->devices + i,
		(mirror->n_devices - i) * sizeof(*mirror->devices));
	mirror->devices[i] = device;
	mirror->n_devices++;
	return 0;
}

/* A device that comes back before its end was told is a changed one. */
static bool forget_gone(struct mirror *mirror, uint32_t id)
{
	for (size_t i = 0; i < mirror->n_gone; i++)
		if (mirror->gone[i] == id) {
			mirror->gone[i] = mirror->gone[--mirror->n_gone];
			return true;
		}
	return false;
}

int mirror_put_device(struct mirror *mirror, const struct record_device *device)
{
	struct record_device clean = *device;
	struct mirror_device *known;
	size_t i = device_slot(mirror, device->id);
	int r;

	r = clean_device(&clean);
	if (r < 0)
		return r;
	if (i < mirror->n_devices &&
		mirror->devices[i]->record.id == clean.id) {
		known = mirror->devices[i];
		known->dirty |= changes(mirror_device_fields,
			mirror_n_device_fields, &known->record, &clean);
		known->record = clean;
		return 0;
	}
	r = insert_device(mirror, i, &clean);
	if (r < 0)
		return r;
	if (forget_gone(mirror, clean.id)) {
		mirror->devices[i]->announced = true;
		mirror->devices[i]->dirty = (1u << mirror_n_device_fields) - 1;
	}
	return 0;
}

int mirror_drop_device(struct mirror *mirror, uint32_t id)
{
	size_t i = device_slot(mirror, id);
	int r;

	if (i == mirror->n_devices || mirror->devices[i]->record.id != id)
		return 0;
	if (mirror->devices[i]->announced) {
		r = grow((void **)&mirror->gone, &mirror->room_gone,
			mirror->n_gone, sizeof(*mirror->gone), SIZE_MAX);
		if (r < 0)
			return r;
		mirror->gone[mirror->n_gone++] = id;
	}
	free(mirror->devices[i]);
	mirror->n_devices--;
	memmove(mirror->devices + i, mirror->devices + i + 1,
		(mirror->n_devices - i) * sizeof(*mirror->devices));
	return 0;
}

static int insert_warning(
	struct mirror *mirror, size_t i, const struct record_warning *warning)
{
	int r;

	r = grow((void **)&mirror->warnings, &mirror->room_warnings,
		mirror->n_warnings, sizeof(*mirror->warnings),
		MIRROR_WARNINGS_MAX);
	if (r < 0)
		return r;
	memmove(mirror->warnings + i + 1, mirror->warnings + i,
		(mirror->n_warnings - i) * sizeof(*mirror->warnings));
	mirror->warnings[i] = *warning;
	mirror->n_warnings++;
	return 1;
}

int mirror_put_warning(
	struct mirror *mirror, const struct record_warning *warning)
{
	struct record_warning clean = *warning;
	size_t i = warning_slot(mirror, warning->id);

	if (clean.id == 0 || names_clean(clean.code, sizeof(clean.code)) < 0 ||
		names_clean(clean.text, sizeof(clean.text)) < 0)
		return -EBADMSG;
	mirror->warnings_dirty = true;
	if (i == mirror->n_warnings || mirror->warnings[i].id != clean.id)
		return insert_warning(mirror, i, &clean);
	mirror->warnings[i] = clean;
	return 0;
}

bool mirror_drop_warning(struct mirror *mirror, uint32_t id)
{
	size_t i = warning_slot(mirror, id);

	if (i == mirror->n_warnings || mirror->warnings[i].id != id)
		return false;
	mirror->n_warnings--;
	memmove(mirror->warnings + i, mirror->warnings + i + 1,
		(mirror->n_warnings - i) * sizeof(*mirror->warnings));
	mirror->warnings_dirty = true;
	return true;
}

bool mirror_is_dirty(const struct mirror *mirror)
{
	if (mirror->gateway_dirty || mirror->warnings_dirty || mirror->n_gone)
		return true;
	for (size_t i = 0; i < mirror->n_devices; i++)
		if (mirror->devices[i]->dirty || !mirror->devices[i]->announced)
			return true;
	return false;
}

void mirror_forget_changes(struct mirror *mirror)
{
	mirror->gateway_dirty = 0;
	mirror->warnings_dirty = false;
	mirror->n_gone = 0;
	for (size_t i = 0; i < mirror->n_devices; i++) {
		mirror->devices[i]->dirty = 0;
		mirror->devices[i]->announced = true;
	}
}

size_t mirror_changed_names(const struct mirror_field *fields, size_t n,
	uint32_t mask, const char **ret_names)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (mask & 1u << i)
			ret_names[count++] = fields[i].name;
	ret_names[count] = NULL;
	return count;
}

void mirror_clear(struct mirror *mirror)
{
	for (size_t i = 0; i < mirror->n_devices; i++)
		free(mirror->devices[i]);
	free(mirror->devices);
	free(mirror->warnings);
	free(mirror->gone);
	memset(mirror, 0, sizeof(*mirror));
}
