/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse monitor's ears: each signal becomes events, and what is known of
 * the daemon is kept right. Believes signals of the owner of the bus name
 * only: anybody on the bus may send a signal to anybody.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/client.h"
#include "agent/ctl/events.h"
#include "agent/ctl/monitor.h"

#define NAME "org.gatehouse1"
#define ROOT "/org/gatehouse1"
#define MANAGER "org.gatehouse1.Manager"
#define DEVICE "org.gatehouse1.Device"
#define DEVICE_PATH ROOT "/device/"
#define DRIVER "org.freedesktop.DBus"
#define TARGETS_MAX 64 /* of one signal that are read */

static bool is_ours(const struct monitor *monitor, sd_bus_message *m)
{
	const char *sender = sd_bus_message_get_sender(m);

	return monitor->owner && sender && strcmp(sender, monitor->owner) == 0;
}

static struct view_device *device_by_path(
	struct monitor *monitor, const char *path)
{
	size_t start = sizeof(DEVICE_PATH) - 1;
	char *end;
	unsigned long id;

	if (path == NULL || strncmp(path, DEVICE_PATH, start) != 0)
		return NULL;
	id = strtoul(path + start, &end, 10);
	for (size_t i = 0; i < monitor->view.n_devices; i++)
		if (*end == '\0' && monitor->view.devices[i].id == id)
			return &monitor->view.devices[i];
	return NULL;
}

static void device_changed(
	struct monitor *monitor, sd_bus_message *m, struct view_device *device)
{
	struct view_device before;

	if (view_copy_device(device, &before) < 0)
		return;
	if (client_read_device(m, device) >= 0)
		events_compare(&before, device, monitor_tell, monitor);
	view_clear_device(&before);
}

static void manager_changed(struct monitor *monitor, sd_bus_message *m)
{
	struct view_manager *now = &monitor->view.manager;
	struct view_manager before = *now;
	char *state = strdup(now->state), *mode = strdup(now->mode);

	before.state = state;
	before.mode = mode;
	if (state && mode && client_read_manager(m, now) >= 0)
		events_compare_gateway(&before, now, monitor_tell, monitor);
	free(state);
	free(mode);
}

static int on_properties(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct monitor *monitor = arg;
	struct view_device *device;
	const char *interface;

	(void)error;
	if (!is_ours(monitor, m) || sd_bus_message_read(m, "s", &interface) < 0)
		return 0;
	device = device_by_path(monitor, sd_bus_message_get_path(m));
	if (device && strcmp(interface, DEVICE) == 0)
		device_changed(monitor, m, device);
	else if (strcmp(interface, MANAGER) == 0)
		manager_changed(monitor, m);
	return 0;
}

static int on_added(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct monitor *monitor = arg;
	struct view *view = &monitor->view;
	size_t known = view->n_devices;
	const char *path;

	(void)error;
	if (!is_ours(monitor, m) || sd_bus_message_read(m, "o", &path) < 0 ||
		device_by_path(monitor, path))
		return 0;
	if (client_read_added(m, view) >= 0 && view->n_devices > known)
		monitor_tell(monitor, events_new(&view->devices[known]));
	return 0;
}

static int on_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct monitor *monitor = arg;
	struct view *view = &monitor->view;
	struct view_device *device;
	const char *path;

	(void)error;
	if (!is_ours(monitor, m) || sd_bus_message_read(m, "o", &path) < 0)
		return 0;
	device = device_by_path(monitor, path);
	if (device == NULL)
		return 0;
	monitor_tell(monitor, events_gone(device));
	view_clear_device(device);
	*device = view->devices[--view->n_devices];
	return 0;
}

static int on_tried(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct events_target targets[TARGETS_MAX];
	struct monitor *monitor = arg;
	const char *mac, *reason;
	uint32_t id, records;
	size_t n = 0;
	int r;

	(void)error;
	if (!is_ours(monitor, m) ||
		sd_bus_message_read(m, "ussu", &id, &mac, &reason, &records) <
			0 ||
		sd_bus_message_enter_container(m, 'a', "(ssqu)") < 0)
		return 0;
	do {
		r = sd_bus_message_read(m, "(ssqu)", &targets[n].protocol,
			&targets[n].address, &targets[n].port,
			&targets[n].records);
	} while (r > 0 && ++n < TARGETS_MAX);
	if (r >= 0)
		monitor_tell(
			monitor, events_tried(view_device(&monitor->view, id),
					 mac, reason, records, targets, n));
	return 0;
}

static int on_raised(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct monitor *monitor = arg;
	struct view *view = &monitor->view;
	struct view_warning w = {.since = time(NULL)};
	const char *severity, *code, *text;
	int r;

	(void)error;
	if (!is_ours(monitor, m) ||
		sd_bus_message_read(m, "uusss", &w.id, &w.device, &severity,
			&code, &text) < 0)
		return 0;
	r = view_add_warning(view, &w, severity, code, text);
	if (r < 0)
		return r;
	monitor_tell(monitor,
		events_warning(view, &view->warnings[view->n_warnings - 1]));
	return 0;
}

static int on_cleared(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct monitor *monitor = arg;
	struct view *view = &monitor->view;
	uint32_t id;

	(void)error;
	if (!is_ours(monitor, m) || sd_bus_message_read(m, "u", &id) < 0)
		return 0;
	for (size_t i = 0; i < view->n_warnings; i++) {
		const struct view_warning *warning = &view->warnings[i];

		if (warning->id != id)
			continue;
		monitor_tell(monitor, events_warning_over(view, warning));
		view_drop_warning(view, i);
	}
	return 0;
}

int monitor_find_owner(struct monitor *monitor)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *owner;
	int r = sd_bus_call_method(monitor->bus, DRIVER,
		"/org/freedesktop/DBus", DRIVER, "GetNameOwner", &error, &reply,
		"s", NAME);

	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &owner);
	if (r >= 0) {
		free(monitor->owner);
		monitor->owner = strdup(owner);
	}
	sd_bus_message_unref(reply);
	return r < 0 || monitor->owner ? 0 : -ENOMEM;
}

static int on_owner(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *name, *before, *after;
	const char *sender = sd_bus_message_get_sender(m);
	struct monitor *monitor = arg;

	(void)error;
	if (sender == NULL || strcmp(sender, DRIVER) != 0 ||
		sd_bus_message_read(m, "sss", &name, &before, &after) < 0 ||
		strcmp(name, NAME) != 0)
		return 0;
	if (before[0])
		monitor_tell_plain(monitor, "daemon.gone",
			"gatehouse is gone from the bus; the rules stay in "
			"force. Waiting for it");
	free(monitor->owner);
	monitor->owner = after[0] ? strdup(after) : NULL;
	if (monitor->owner == NULL)
		return 0;
	monitor_tell_plain(monitor, "daemon.back", "gatehouse is back");
	monitor->stale = true;
	return 0;
}

static const struct {
	const char *sender, *path, *interface, *member;
	sd_bus_message_handler_t handler;
} matches[] = {
	{DRIVER, NULL, DRIVER, "NameOwnerChanged", on_owner},
	{NAME, NULL, "org.freedesktop.DBus.Properties", "PropertiesChanged",
		on_properties},
	{NAME, ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
		on_added},
	{NAME, ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved",
		on_removed},
	{NAME, ROOT, MANAGER, "Tried", on_tried},
	{NAME, ROOT, MANAGER, "WarningRaised", on_raised},
	{NAME, ROOT, MANAGER, "WarningCleared", on_cleared},
};

int monitor_listen(struct monitor *monitor)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(matches); i++)
		r = sd_bus_match_signal(monitor->bus, NULL, matches[i].sender,
			matches[i].path, matches[i].interface,
			matches[i].member, matches[i].handler, monitor);
	return r;
}
