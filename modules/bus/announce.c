/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals. What changed since the last time goes out as one signal per
 * object; new warnings go out at once. A signal that cannot be sent is lost:
 * whoever listens reads everything again when the name comes back.
 */
#include "modules/bus/names.h"
#include "modules/bus/port.h"

static char **names_v(const char **names)
{
	return (char **)(void *)names; /* sd-bus does not write to them */
}

static void announce_gateway(struct port *port)
{
	const char *names[MIRROR_PROPERTIES_MAX + 2];
	struct mirror *mirror = &port->mirror;
	size_t n;

	n = mirror_changed_names(mirror_gateway_fields, mirror_n_gateway_fields,
		mirror->gateway_dirty, names);
	if (mirror->warnings_dirty)
		names[n++] = "Warnings";
	names[n] = NULL;
	mirror->gateway_dirty = 0;
	mirror->warnings_dirty = false;
	if (n > 0)
		sd_bus_emit_properties_changed_strv(
			port->bus, BUS_ROOT, BUS_MANAGER, names_v(names));
}

static void announce_gone(struct port *port)
{
	struct mirror *mirror = &port->mirror;
	char path[NAMES_PATH];

	for (size_t i = 0; i < mirror->n_gone; i++)
		sd_bus_emit_interfaces_removed(port->bus,
			names_device_path(mirror->gone[i], path),
			BUS_DEVICE_INTERFACE, NULL);
	mirror->n_gone = 0;
}

static void announce_device(struct port *port, struct mirror_device *device)
{
	const char *names[MIRROR_PROPERTIES_MAX + 1];
	char path[NAMES_PATH];

	names_device_path(device->record.id, path);
	if (!device->announced) {
		sd_bus_emit_interfaces_added(
			port->bus, path, BUS_DEVICE_INTERFACE, NULL);
	} else {
		mirror_changed_names(mirror_device_fields,
			mirror_n_device_fields, device->dirty, names);
		sd_bus_emit_properties_changed_strv(
			port->bus, path, BUS_DEVICE_INTERFACE, names_v(names));
	}
	device->announced = true;
	device->dirty = 0;
}

bool announce_changes(struct port *port)
{
	struct mirror *mirror = &port->mirror;
	size_t told = 0;

	announce_gateway(port);
	announce_gone(port);
	for (size_t i = 0; i < mirror->n_devices; i++) {
		struct mirror_device *device = mirror->devices[i];

		if (device->announced && !device->dirty)
			continue;
		if (told++ == PORT_FLUSH_MAX)
			return true;
		announce_device(port, device);
	}
	return false;
}

void announce_warning(struct port *port, const struct record_warning *warning)
{
	if (!port->named)
		return;
	sd_bus_emit_signal(port->bus, BUS_ROOT, BUS_MANAGER, "WarningRaised",
		"uusss", warning->id, warning->device,
		names_severity(warning->severity), warning->code,
		warning->text);
	port_kick(port);
}

void announce_warning_gone(struct port *port, uint32_t id)
{
	if (!port->named)
		return;
	sd_bus_emit_signal(
		port->bus, BUS_ROOT, BUS_MANAGER, "WarningCleared", "u", id);
	port_kick(port);
}

static int append_target(
	sd_bus_message *m, const struct discovery_target *target)
{
	char protocol[NAMES_PROTOCOL], ip[IP_TEXT] = "";

	if (target->to.family)
		ip_format(&target->to, ip);
	return sd_bus_message_append(m, "(ssqu)",
		target->to.family ? names_protocol(target->protocol, protocol)
				  : "ethernet",
		ip, target->port, target->records);
}

static int append_tried(sd_bus_message *m, const struct bus_tried *about)
{
	const struct discovery_tried *tried = &about->tried;
	char mac[MAC_TEXT];
	int r;

	r = sd_bus_message_append(m, "ussu", about->device,
		mac_format(&tried->mac, mac), names_reason(tried->reason),
		tried->records);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(ssqu)");
	for (size_t i = 0;
		r >= 0 && i < tried->n_targets && i < DISCOVERY_TARGETS; i++)
		r = append_target(m, &tried->targets[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

void announce_tried(struct port *port, const struct bus_tried *tried)
{
	sd_bus_message *m = NULL;
	int r;

	if (!port->named)
		return;
	r = sd_bus_message_new_signal(
		port->bus, &m, BUS_ROOT, BUS_MANAGER, "Tried");
	if (r >= 0)
		r = append_tried(m, tried);
	if (r >= 0)
		sd_bus_send(port->bus, m, NULL);
	sd_bus_message_unref(m);
	port_kick(port);
}
