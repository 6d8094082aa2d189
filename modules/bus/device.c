/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /org/gatehouse1/device/ID: each device as org.gatehouse1.Device, said in
 * etc/dbus/org.gatehouse1.Device.xml. Reads the mirror; methods go to calls.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modules/bus/names.h"
#include "modules/bus/port.h"

/* What property of a device is which text; NULL for numbers. */
static const char *text_of(const struct record_device *device,
	const char *property, char mac[static MAC_TEXT])
{
	if (strcmp(property, "Name") == 0)
		return device->name;
	if (strcmp(property, "Mac") == 0)
		return mac_format(&device->mac, mac);
	if (strcmp(property, "Zone") == 0)
		return device->zone;
	if (strcmp(property, "Interface") == 0)
		return device->interface;
	if (strcmp(property, "Decision") == 0)
		return names_decision(device->decision);
	if (strcmp(property, "Mode") == 0)
		return names_mode(device->mode);
	if (strcmp(property, "Isolation") == 0)
		return names_isolation(device->isolation);
	if (strcmp(property, "IsolationReason") == 0)
		return device->isolation_reason;
	if (strcmp(property, "DecidedBy") == 0)
		return device->decided_by;
	if (strcmp(property, "Profile") == 0)
		return device->profile;
	if (strcmp(property, "Support") == 0)
		return names_support(device->support);
	if (strcmp(property, "SupportEnds") == 0)
		return device->support_ends;
	return NULL;
}

static int get_text(sd_bus *bus, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *userdata,
	sd_bus_error *error)
{
	const struct mirror_device *device = userdata;
	const char *text;
	char mac[MAC_TEXT];

	(void)bus, (void)path, (void)interface, (void)error;
	text = text_of(&device->record, property, mac);
	return text ? sd_bus_message_append(reply, "s", text) : -ENOENT;
}

/* A method's object is a device; its port is the only one. */
static struct port *the_port;

static int on_decide(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)userdata, (void)error;
	return calls_begin(the_port, m, BUS_VERB_DECIDE);
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define TEXT(name) SD_BUS_PROPERTY(name, "s", get_text, 0, CHANGES)
/* sd-bus reads plain numbers by itself. */
#define NUMBER(name, type, member)        \
	SD_BUS_PROPERTY(name, type, NULL, \
		offsetof(struct mirror_device, record.member), CHANGES)

/* Who may is judged in calls.c; sd-bus's own check would read /proc. */
#define DECIDES(name, ...)                                      \
	SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS(__VA_ARGS__), \
		SD_BUS_RESULT("s", report), on_decide,          \
		SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	DECIDES("Approve", "s", profile, "u", seconds),
	DECIDES("Quarantine", "u", seconds),
	DECIDES("Block", "u", seconds),
	DECIDES("Rename", "s", name),
	DECIDES("SetProfile", "s", profile),
	SD_BUS_METHOD_WITH_ARGS("Forget", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("s", report), on_decide,
		SD_BUS_VTABLE_UNPRIVILEGED),
	DECIDES("Pause", "u", seconds),
	SD_BUS_PROPERTY("Id", "u", NULL,
		offsetof(struct mirror_device, record.id), CONSTANT),
	TEXT("Name"),
	TEXT("Mac"),
	TEXT("Zone"),
	TEXT("Interface"),
	TEXT("Decision"),
	TEXT("Mode"),
	TEXT("Isolation"),
	TEXT("IsolationReason"),
	NUMBER("TlsBytesUp", "t", tls_up),
	NUMBER("TlsBytesDown", "t", tls_down),
	NUMBER("TlsFlows", "t", tls_flows),
	NUMBER("TlsRefused", "t", tls_refused),
	NUMBER("Denied", "t", denied),
	TEXT("Support"),
	TEXT("SupportEnds"),
	NUMBER("SupportDays", "i", support_days),
	NUMBER("FirstSeen", "x", first_seen),
	NUMBER("LastSeen", "x", last_seen),
	NUMBER("LastDenied", "x", last_denied),
	TEXT("DecidedBy"),
	TEXT("Profile"),
	NUMBER("DecisionUntil", "x", decision_until),
	NUMBER("PausedUntil", "x", paused_until),
	SD_BUS_VTABLE_END,
};

static int find(sd_bus *bus, const char *path, const char *interface,
	void *userdata, void **ret_found, sd_bus_error *error)
{
	struct port *port = userdata;
	struct mirror_device *device;
	uint32_t id;

	(void)bus, (void)interface, (void)error;
	if (names_device_id(path, &id) < 0)
		return 0;
	device = mirror_device(&port->mirror, id);
	if (device == NULL)
		return 0;
	*ret_found = device;
	return 1;
}

static void free_paths(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata,
	char ***ret_nodes, sd_bus_error *error)
{
	const struct mirror *mirror = &((struct port *)userdata)->mirror;
	char path[NAMES_PATH];
	char **paths;

	(void)bus, (void)prefix, (void)error;
	paths = calloc(mirror->n_devices + 1, sizeof(*paths));
	if (paths == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < mirror->n_devices; i++) {
		paths[i] = strdup(
			names_device_path(mirror->devices[i]->record.id, path));
		if (paths[i] == NULL) {
			free_paths(paths, i);
			return -ENOMEM;
		}
	}
	*ret_nodes = paths;
	return 0;
}

int device_add(struct port *port)
{
	int r;

	the_port = port;
	r = sd_bus_add_fallback_vtable(port->bus, NULL, BUS_DEVICES,
		BUS_DEVICE_INTERFACE, vtable, find, port);
	if (r < 0)
		return r;
	return sd_bus_add_node_enumerator(
		port->bus, NULL, BUS_DEVICES, enumerate, port);
}
