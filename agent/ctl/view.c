/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of the daemon's objects, in one table for reading and for
 * JSON, and questions about them. Pure but for memory.
 */
#include <errno.h>
#include <string.h>

#include "agent/ctl/view.h"

#define MANAGER(property, key, type, member)                  \
	{                                                     \
		(property), (key), (type),                    \
			offsetof(struct view_manager, member) \
	}
#define DEVICE(property, key, type, member)                  \
	{                                                    \
		(property), (key), (type),                   \
			offsetof(struct view_device, member) \
	}

const struct view_field view_manager_fields[] = {
	MANAGER("Version", "version", 's', version),
	MANAGER("State", "state", 's', state),
	MANAGER("Mode", "mode", 's', mode),
	MANAGER("Observed", "observed", 'b', observed),
	MANAGER("SupportEnds", "support_ends", 's', support_ends),
	MANAGER("SecurityContact", "security_contact", 's', security_contact),
	MANAGER("Generation", "generation", 't', generation),
	MANAGER("RulesGeneration", "rules_generation", 't', rules_generation),
	MANAGER("Denied", "denied", 't', denied),
	MANAGER("BridgedDenied", "bridged_denied", 't', bridged_denied),
	MANAGER("Quarantined", "quarantined", 't', quarantined),
	MANAGER("Strangers", "strangers", 't', strangers),
	MANAGER("Started", "started", 'T', started),
	MANAGER("ConfirmUntil", "confirm_until", 'T', confirm_until),
	MANAGER("PausedUntil", "paused_until", 'T', paused_until),
	MANAGER("Returned", "returned", 'b', returned),
	MANAGER("SafeMode", "safe_mode", 'b', safe_mode),
};
const size_t view_n_manager_fields = ARRAY_SIZE(view_manager_fields);

const struct view_field view_device_fields[] = {
	DEVICE("Id", "id", 'u', id),
	DEVICE("Name", "name", 's', name),
	DEVICE("Mac", "mac", 's', mac),
	DEVICE("Zone", "zone", 's', zone),
	DEVICE("Interface", "interface", 's', interface),
	DEVICE("Decision", "decision", 's', decision),
	DEVICE("Mode", "mode", 's', mode),
	DEVICE("Isolation", "isolation", 's', isolation),
	DEVICE("IsolationReason", "isolation_reason", 's', isolation_reason),
	DEVICE("TlsBytesUp", "tls_bytes_up", 't', tls_bytes_up),
	DEVICE("TlsBytesDown", "tls_bytes_down", 't', tls_bytes_down),
	DEVICE("TlsFlows", "tls_flows", 't', tls_flows),
	DEVICE("TlsRefused", "tls_refused", 't', tls_refused),
	DEVICE("Denied", "denied", 't', denied),
	DEVICE("Support", "support", 's', support),
	DEVICE("SupportEnds", "support_ends", 's', support_ends),
	DEVICE("SupportDays", "support_days", 'i', support_days),
	DEVICE("FirstSeen", "first_seen", 'T', first_seen),
	DEVICE("LastSeen", "last_seen", 'T', last_seen),
	DEVICE("LastDenied", "last_denied", 'T', last_denied),
	DEVICE("DecidedBy", "decided_by", 's', decided_by),
	DEVICE("Profile", "profile", 's', profile),
	DEVICE("DecisionUntil", "decision_until", 'T', decision_until),
	DEVICE("PausedUntil", "paused_until", 'T', paused_until),
};
const size_t view_n_device_fields = ARRAY_SIZE(view_device_fields);

static void complete(void *thing, const struct view_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char **text = (void *)((char *)thing + fields[i].offset);

		if (fields[i].type == 's' && *text == NULL) {
			*text = strdup("");
			if (*text == NULL)
				abort();
		}
	}
}

static void release(void *thing, const struct view_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].type == 's')
			cleanup_free((char *)thing + fields[i].offset);
}

void view_complete(struct view *view)
{
	complete(&view->manager, view_manager_fields, view_n_manager_fields);
	for (size_t i = 0; i < view->n_devices; i++)
		complete(&view->devices[i], view_device_fields,
			view_n_device_fields);
}

void view_clear_device(struct view_device *device)
{
	release(device, view_device_fields, view_n_device_fields);
	memset(device, 0, sizeof(*device));
}

int view_copy_device(
	const struct view_device *device, struct view_device *ret_copy)
{
	struct view_device copy = *device;
	bool whole = true;

	for (size_t i = 0; i < view_n_device_fields; i++) {
		size_t offset = view_device_fields[i].offset;
		char **text = (void *)((char *)&copy + offset);

		if (view_device_fields[i].type != 's')
			continue;
		*text = strdup(*text);
		whole = whole && *text;
	}
	if (!whole) {
		view_clear_device(&copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

static void clear_warning(struct view_warning *warning)
{
	free(warning->severity);
	free(warning->code);
	free(warning->text);
}

int view_add_warning(struct view *view, const struct view_warning *numbers,
	const char *severity, const char *code, const char *text)
{
	struct view_warning *more = reallocarray(
		view->warnings, view->n_warnings + 1, sizeof(*more));
	struct view_warning w = *numbers;

	if (!more)
		return -ENOMEM;
	view->warnings = more;
	w.severity = strdup(severity);
	w.code = strdup(code);
	w.text = strdup(text);
	if (!w.severity || !w.code || !w.text) {
		clear_warning(&w);
		return -ENOMEM;
	}
	more[view->n_warnings++] = w;
	return 0;
}

void view_drop_warning(struct view *view, size_t i)
{
	clear_warning(&view->warnings[i]);
	view->warnings[i] = view->warnings[--view->n_warnings];
}

void view_clear(struct view *view)
{
	release(&view->manager, view_manager_fields, view_n_manager_fields);
	for (size_t i = 0; i < view->n_devices; i++)
		release(&view->devices[i], view_device_fields,
			view_n_device_fields);
	for (size_t i = 0; i < view->n_warnings; i++)
		clear_warning(&view->warnings[i]);
	for (size_t i = 0; i < view->n_attempts; i++) {
		free(view->attempts[i].mac);
		free(view->attempts[i].address);
		free(view->attempts[i].protocol);
	}
	free(view->devices);
	free(view->warnings);
	free(view->attempts);
	memset(view, 0, sizeof(*view));
}

const struct view_device *view_device(const struct view *view, uint32_t id)
{
	for (size_t i = 0; i < view->n_devices; i++)
		if (view->devices[i].id == id)
			return &view->devices[i];
	return NULL;
}

const char *view_name(const struct view *view, uint32_t id)
{
	const struct view_device *device = view_device(view, id);

	if (device)
		return device->name;
	return id == 0 ? "gateway" : "unknown device";
}

int view_find(const struct view *view, const char *word,
	const struct view_device **ret_device)
{
	const struct view_device *found = NULL;
	size_t length = strlen(word), count = 0;

	for (size_t i = 0; i < view->n_devices; i++) {
		const struct view_device *device = &view->devices[i];

		if (strcmp(device->name, word) == 0 ||
			strcasecmp(device->mac, word) == 0) {
			*ret_device = device;
			return 0;
		}
		if (strncmp(device->name, word, length) == 0 ||
			strncasecmp(device->mac, word, length) == 0) {
			found = device;
			count++;
		}
	}
	if (length == 0 || count == 0)
		return -ENOENT;
	if (count > 1)
		return -ENOTUNIQ;
	*ret_device = found;
	return 0;
}

bool view_enforces(const struct view_device *device)
{
	return strcmp(device->isolation, "none") != 0 &&
	       strcmp(device->isolation, "observed") != 0;
}

size_t view_count_enforcing(const struct view *view)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_devices; i++)
		n += view_enforces(&view->devices[i]);
	return n;
}

size_t view_count_isolation(const struct view *view, const char *isolation)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_devices; i++)
		n += strcmp(view->devices[i].isolation, isolation) == 0;
	return n;
}

size_t view_count_decision(const struct view *view, const char *decision)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_devices; i++)
		n += strcmp(view->devices[i].decision, decision) == 0;
	return n;
}
