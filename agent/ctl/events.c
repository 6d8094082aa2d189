/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts what happened into words, and into JSON with stable names. Asks no
 * bus and no clock; cleans nothing, whoever prints does.
 */
#include "agent/ctl/events.h"

#include <stdarg.h>
#include <string.h>

/* Takes text; event may be NULL. */
static json_t *with_text(json_t *event, char *text)
{
	if (event && text &&
		json_object_set_new(event, "text", json_string(text)) < 0) {
		json_decref(event);
		event = NULL;
	}
	free(text);
	return event;
}

static _printf_(1, 2) char *words(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

json_t *events_plain(const char *event, const char *text)
{
	return with_text(json_pack("{s:s}", "event", event), words("%s", text));
}

static json_t *about(const char *event, const struct view_device *device)
{
	return json_pack("{s:s, s:i, s:s, s:s}", "event", event, "device",
		(int)device->id, "name", device->name, "mac", device->mac);
}

/* " in zone things on br0", or nothing of a device that was never seen. */
static char *where_it_is(const struct view_device *device)
{
	if (device->interface[0] == '\0')
		return words("%s", ", not seen yet");
	return words(" in zone %s on %s", device->zone, device->interface);
}

/* What a decision means, behind "NAME ". */
static const char *decided(const char *decision)
{
	static const struct {
		const char *decision, *words;
	} known[] = {
		{"approved", "is approved"},
		{"quarantine", "is in quarantine"},
		{"guest", "is a guest"},
		{"blocked", "is blocked"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].decision, decision) == 0)
			return known[i].words;
	return NULL;
}

json_t *events_new(const struct view_device *device)
{
	const char *state = decided(device->decision);
	json_t *event = about("device.new", device);
	_cleanup_(cleanup_free) char *where = where_it_is(device);

	if (event == NULL || where == NULL ||
		json_object_set_new(event, "zone", json_string(device->zone)) <
			0) {
		json_decref(event);
		return NULL;
	}
	return with_text(event,
		words("new device: %s (%s)%s; it %s", device->name, device->mac,
			where, state ? state : device->decision));
}

json_t *events_gone(const struct view_device *device)
{
	return with_text(about("device.gone", device),
		words("%s (%s) is no longer listed", device->name,
			device->mac));
}

struct change {
	const char *property; /* as JSON calls it */
	size_t offset;
	const char *before, *after; /* around the new value, behind the name */
};

#define CHANGE(member, before, after)                                    \
	{                                                                \
#member, offsetof(struct view_device, member), (before), \
			(after)                                          \
	}

static const struct change changes[] = {
	CHANGE(name, " is called ", " now"),
	CHANGE(zone, " is in zone ", " now"),
	CHANGE(interface, " is on ", " now"),
	CHANGE(decision, ": decided is \"", "\" now"),
	CHANGE(mode, ": its mode is ", " now"),
	CHANGE(isolation, ": its isolation is ", " now"),
	CHANGE(support, ": its maker's support is ", " now"),
};

static const char *text_at(const void *thing, size_t offset)
{
	return *(char *const *)((const char *)thing + offset);
}

/* The words of one change; the general ones when there are none of its own. */
static char *change_words(const struct change *change,
	const struct view_device *before, const struct view_device *after)
{
	const char *to = text_at(after, change->offset);
	const char *known = NULL;
	const char *name = after->name;

	if (change->offset == offsetof(struct view_device, decision))
		known = decided(to);
	else if (change->offset == offsetof(struct view_device, mode))
		known = strcmp(to, "enforce") == 0
				? "is to be enforced: what it may not do is "
				  "blocked"
				: "is only to be observed: nothing it does is "
				  "blocked";
	if (known)
		return words("%s %s", name, known);
	if (change->offset == offsetof(struct view_device, name))
		name = before->name;
	if (to[0] == '\0')
		to = "none";
	return words("%s%s%s%s", name, change->before, to, change->after);
}

void events_compare(const struct view_device *before,
	const struct view_device *after, events_sink *sink, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const struct change *change = &changes[i];
		const char *from = text_at(before, change->offset);
		const char *to = text_at(after, change->offset);
		json_t *event;

		if (strcmp(from, to) == 0)
			continue;
		event = about("device.changed", after);
		if (event)
			json_object_update_new(
				event, json_pack("{s:s, s:s, s:s}", "property",
					       change->property, "from", from,
					       "to", to));
		sink(arg,
			with_text(event, change_words(change, before, after)));
	}
}

static void gateway_changed(const char *property, const char *from,
	const char *to, char *text, events_sink *sink, void *arg)
{
	sink(arg, with_text(json_pack("{s:s, s:s, s:s, s:s}", "event",
				    "gateway.changed", "property", property,
				    "from", from, "to", to),
			  text));
}

void events_compare_gateway(const struct view_manager *before,
	const struct view_manager *after, events_sink *sink, void *arg)
{
	if (strcmp(before->mode, after->mode) != 0)
		gateway_changed("mode", before->mode, after->mode,
			words("the mode of the gateway is %s now", after->mode),
			sink, arg);
	if (strcmp(before->state, after->state) != 0)
		gateway_changed("state", before->state, after->state,
			words("gatehouse is %s now", after->state), sink, arg);
	if ((before->confirm_until == 0) != (after->confirm_until == 0))
		gateway_changed("on_trial",
			before->confirm_until ? "yes" : "no",
			after->confirm_until ? "yes" : "no",
			words(after->confirm_until
					? "a configuration is on trial; keep "
					  "it: gatehouse config confirm"
					: "no configuration is on trial any "
					  "more"),
			sink, arg);
	if (before->generation != after->generation)
		sink(arg, with_text(json_pack("{s:s, s:I}", "event",
					    "config.applied", "generation",
					    (json_int_t)after->generation),
				  words("a configuration was put in force")));
}

static void say_target(FILE *out, const struct events_target *target)
{
	if (strcmp(target->protocol, "ethernet") == 0)
		fprintf(out, "ethertype 0x%04x", target->port);
	else if (target->port)
		fprintf(out, "%s/%u %s", target->protocol, target->port,
			target->address);
	else
		fprintf(out, "%s %s", target->protocol, target->address);
	if (target->records > 1)
		fprintf(out, " (%u times)", target->records);
}

static const char *outcome(const struct view_device *device, const char *reason)
{
	if (device && !view_enforces(device))
		return "only observed, it passed";
	if (strcmp(reason, "quarantined") == 0)
		return "denied, it is in quarantine";
	if (strcmp(reason, "bridged") == 0)
		return "denied, that is another device";
	return "denied";
}

static char *tried_words(const char *name, const char *what,
	const struct events_target *targets, size_t n)
{
	size_t size, said = n < EVENTS_TARGETS_MAX ? n : EVENTS_TARGETS_MAX;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "%s tried ", name);
	for (size_t i = 0; i < said; i++) {
		fputs(i ? ", " : "", out);
		say_target(out, &targets[i]);
	}
	if (n > said)
		fprintf(out, " and %zu others", n - said);
	fprintf(out, ": %s", what);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

json_t *events_tried(const struct view_device *device, const char *mac,
	const char *reason, uint32_t records,
	const struct events_target *targets, size_t n)
{
	const char *name = device ? device->name : mac;
	json_t *event, *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:i, s:i}", "protocol",
				targets[i].protocol, "address",
				targets[i].address, "port", targets[i].port,
				"records", (int)targets[i].records));
	event = json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:b, s:o}", "event",
		"device.denied", "device", device ? (int)device->id : 0, "name",
		name, "mac", mac, "reason", reason, "records", (int)records,
		"observed", device && !view_enforces(device), "what", list);
	return with_text(
		event, tried_words(name, outcome(device, reason), targets, n));
}

static json_t *of_warning(const char *name, const struct view *view,
	const struct view_warning *warning)
{
	const struct view_device *device = view_device(view, warning->device);

	return json_pack("{s:s, s:i, s:s, s:s?, s:i, s:s, s:s}", "event", name,
		"device", (int)warning->device, "name",
		view_name(view, warning->device), "mac",
		device ? device->mac : NULL, "id", (int)warning->id, "severity",
		warning->severity, "code", warning->code);
}

json_t *events_warning(
	const struct view *view, const struct view_warning *warning)
{
	return with_text(of_warning("warning.raised", view, warning),
		words("%s, %s: %s", warning->severity,
			view_name(view, warning->device), warning->text));
}

json_t *events_warning_over(
	const struct view *view, const struct view_warning *warning)
{
	return with_text(of_warning("warning.cleared", view, warning),
		words("over, %s: %s", view_name(view, warning->device),
			warning->text));
}
