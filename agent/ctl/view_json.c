/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The view as JSON. Keys never change their meaning; new ones may come.
 * Moments are UTC as in RFC 3339, null for never. Pure but for memory.
 */
#include <string.h>

#include "agent/ctl/view.h"
#include "agent/ctl/when.h"

static json_t *moment(int64_t seconds)
{
	char text[WHEN_TEXT];

	return seconds == 0 ? json_null()
			    : json_string(when_utc(seconds, text));
}

static json_t *value_of(const void *place, char type)
{
	switch (type) {
	case 's':
		return json_string(*(char *const *)place);
	case 'b':
		return json_boolean(*(const int *)place);
	case 'u':
		return json_integer(*(const uint32_t *)place);
	case 'i':
		return json_integer(*(const int32_t *)place);
	case 't':
		return json_integer((json_int_t) * (const uint64_t *)place);
	case 'T':
		return moment(*(const int64_t *)place);
	}
	return json_null();
}

static json_t *object_of(
	const void *thing, const struct view_field *fields, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(object, fields[i].key,
			value_of((const char *)thing + fields[i].offset,
				fields[i].type));
	return object;
}

static json_t *warning_of(
	const struct view *view, const struct view_warning *warning)
{
	const struct view_device *device = view_device(view, warning->device);

	return json_pack("{s:I, s:o, s:s, s:s, s:o, s:s}", "id",
		(json_int_t)warning->id, "device",
		device ? json_string(device->name) : json_null(), "severity",
		warning->severity, "code", warning->code, "since",
		moment(warning->since), "text", warning->text);
}

json_t *view_json_warnings(const struct view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->n_warnings; i++)
		json_array_append_new(
			array, warning_of(view, &view->warnings[i]));
	return array;
}

json_t *view_json_attempts(const struct view *view, const char *mac)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->n_attempts; i++) {
		const struct view_attempt *a = &view->attempts[i];

		if (strcmp(a->mac, mac) != 0)
			continue;
		json_array_append_new(array,
			json_pack("{s:s, s:s, s:i, s:I, s:b}", "address",
				a->address, "protocol", a->protocol, "port",
				(int)a->port, "packets", (json_int_t)a->packets,
				"observed", a->observed));
	}
	return array;
}

json_t *view_json_device(
	const struct view *view, const struct view_device *device)
{
	json_t *object = object_of(
		device, view_device_fields, view_n_device_fields);
	json_t *warnings = json_array();

	for (size_t i = 0; i < view->n_warnings; i++)
		if (view->warnings[i].device == device->id)
			json_array_append_new(
				warnings, warning_of(view, &view->warnings[i]));
	/* A number of days means nothing without a date. */
	if (strcmp(device->support, "unknown") == 0 ||
		strcmp(device->support, "no-clock") == 0)
		json_object_set_new(object, "support_days", json_null());
	json_object_set_new(object, "warnings", warnings);
	return object;
}

json_t *view_json_devices(const struct view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->n_devices; i++)
		json_array_append_new(
			array, view_json_device(view, &view->devices[i]));
	return array;
}

json_t *view_json_status(const struct view *view)
{
	json_t *object = object_of(
		&view->manager, view_manager_fields, view_n_manager_fields);
	uint64_t up = 0, down = 0, refused = 0;

	for (size_t i = 0; i < view->n_devices; i++) {
		up += view->devices[i].tls_bytes_up;
		down += view->devices[i].tls_bytes_down;
		refused += view->devices[i].tls_refused;
	}
	json_object_set_new(object, "devices",
		json_pack("{s:I, s:I, s:I, s:I, s:I}", "total",
			(json_int_t)view->n_devices, "approved",
			(json_int_t)view_count_decision(view, "approved"),
			"quarantine",
			(json_int_t)view_count_decision(view, "quarantine"),
			"enforced", (json_int_t)view_count_enforcing(view),
			"observed",
			(json_int_t)view_count_isolation(view, "observed")));
	json_object_set_new(object, "tls",
		json_pack("{s:I, s:I, s:I}", "bytes_up", (json_int_t)up,
			"bytes_down", (json_int_t)down, "refused",
			(json_int_t)refused));
	json_object_set_new(object, "warnings", view_json_warnings(view));
	return object;
}
