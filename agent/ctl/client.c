/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls to the daemon and what they answer. All that comes back is text to
 * be cleaned before it is shown.
 */
#include <errno.h>
#include <string.h>

#include "agent/ctl/client.h"
#include "agent/ctl/say.h"

#define NAME "org.gatehouse1"
#define ROOT "/org/gatehouse1"
#define MANAGER "org.gatehouse1.Manager"
#define DEVICE "org.gatehouse1.Device"
#define REFUSED "org.gatehouse1.Error.Refused"
#define SHORT_US (15u * 1000000)
#define LONG_US (310u * 1000000) /* longer than the daemon's own patience */

void client_close(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

/* What happened, and what to do. */
static int explain(int r, const sd_bus_error *error)
{
	const char *name = error->name ? error->name : "";
	const char *text = error->message ? error->message : strerror(-r);

	if (strcmp(name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 ||
		strcmp(name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0)
		say_error("gatehouse is not running, or not on the bus yet.",
			"Start it: sudo systemctl start gatehouse. See why "
			"it ended: journalctl -u gatehouse");
	else if (strcmp(name, SD_BUS_ERROR_ACCESS_DENIED) == 0 ||
		 strcmp(name, "org.gatehouse1.Error.NotAllowed") == 0)
		say_error("You may not do this.",
			"Try sudo. The group gatehouse may read.");
	else if (strcmp(name, SD_BUS_ERROR_NO_REPLY) == 0 ||
		 strcmp(name, SD_BUS_ERROR_TIMEOUT) == 0)
		say_error("gatehouse went away or did not answer in time.",
			"See: journalctl -u gatehouse");
	else if (strcmp(name, "org.gatehouse1.Error.Busy") == 0)
		say_error(text, "Try again in a moment.");
	else
		say_error(text, NULL);
	return r;
}

int client_open(sd_bus **ret_bus)
{
	int r = sd_bus_open_system(ret_bus);

	if (r < 0)
		say_error("The system bus cannot be reached, so gatehouse "
			  "cannot be asked. It guards without the bus too.",
			"Start the bus: sudo systemctl start dbus (package "
			"dbus)");
	return r;
}

static int read_basic(
	sd_bus_message *m, const struct view_field *field, void *thing)
{
	char type[2] = {field->type == 'T' ? 'x' : field->type, '\0'};
	void *place = (char *)thing + field->offset;
	const char *text;
	int r;

	if (type[0] != 's')
		return sd_bus_message_read(m, "v", type, place);
	r = sd_bus_message_read(m, "v", type, &text);
	if (r < 0)
		return r;
	free(*(char **)place);
	*(char **)place = strdup(text);
	return *(char **)place ? 0 : -ENOMEM;
}

static int read_warnings(sd_bus_message *m, struct view *view)
{
	const char *severity, *code, *text;
	struct view_warning w;
	int r;

	r = sd_bus_message_enter_container(m, 'v', "a(uusxss)");
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(uusxss)");
	while (r >= 0 &&
		(r = sd_bus_message_read(m, "(uusxss)", &w.id, &w.device,
			 &severity, &w.since, &code, &text)) > 0) {
		r = view_add_warning(view, &w, severity, code, text);
		if (r < 0)
			return r;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static const struct view_field *field_of(
	const struct view_field *fields, size_t n, const char *property)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].property, property) == 0)
			return &fields[i];
	return NULL;
}

/* An a{sv}; warnings go to view when it is given. */
static int read_properties(sd_bus_message *m, const struct view_field *fields,
	size_t n, void *thing, struct view *view)
{
	const struct view_field *field;
	const char *property;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 &&
		(r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &property);
		if (r < 0)
			break;
		field = field_of(fields, n, property);
		if (field)
			r = read_basic(m, field, thing);
		else if (view && strcmp(property, "Warnings") == 0)
			r = read_warnings(m, view);
		else
			r = sd_bus_message_skip(m, "v");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int add_device(sd_bus_message *m, struct view *view)
{
	struct view_device *more = reallocarray(
		view->devices, view->n_devices + 1, sizeof(*more));

	if (more == NULL)
		return -ENOMEM;
	view->devices = more;
	more += view->n_devices++;
	memset(more, 0, sizeof(*more));
	return read_properties(
		m, view_device_fields, view_n_device_fields, more, NULL);
}

/* One object of GetManagedObjects: a{sa{sv}} */
static int read_interfaces(sd_bus_message *m, struct view *view)
{
	const char *interface;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	while (r >= 0 &&
		(r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = sd_bus_message_read(m, "s", &interface);
		if (r < 0)
			break;
		if (strcmp(interface, DEVICE) == 0)
			r = add_device(m, view);
		else
			r = sd_bus_message_skip(m, "a{sv}");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int client_read_device(sd_bus_message *m, struct view_device *device)
{
	return read_properties(
		m, view_device_fields, view_n_device_fields, device, NULL);
}

int client_read_manager(sd_bus_message *m, struct view_manager *manager)
{
	return read_properties(
		m, view_manager_fields, view_n_manager_fields, manager, NULL);
}

int client_read_added(sd_bus_message *m, struct view *view)
{
	int r = read_interfaces(m, view);

	view_complete(view);
	return r;
}

static int read_objects(sd_bus_message *m, struct view *view)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
	while (r >= 0 && (r = sd_bus_message_enter_container(
				  m, 'e', "oa{sa{sv}}")) > 0) {
		r = sd_bus_message_skip(m, "o");
		if (r >= 0)
			r = read_interfaces(m, view);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int ask(sd_bus *bus, const char *interface, const char *member,
	const char *argument, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = sd_bus_call_method(bus, NAME, ROOT, interface, member, &error,
		ret_reply, argument ? "s" : NULL, argument);
	return r < 0 ? explain(r, &error) : r;
}

static int by_id(const void *a, const void *b)
{
	const struct view_device *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int client_read(sd_bus *bus, struct view *ret_view)
{
	sd_bus_message *reply = NULL;
	int r;

	sd_bus_set_method_call_timeout(bus, SHORT_US);
	r = ask(bus, "org.freedesktop.DBus.Properties", "GetAll", MANAGER,
		&reply);
	if (r < 0)
		return r;
	r = read_properties(reply, view_manager_fields, view_n_manager_fields,
		&ret_view->manager, ret_view);
	reply = sd_bus_message_unref(reply);
	if (r < 0)
		return explain(r, &SD_BUS_ERROR_NULL);
	r = ask(bus, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
		NULL, &reply);
	if (r < 0)
		return r;
	r = read_objects(reply, ret_view);
	sd_bus_message_unref(reply);
	if (r < 0)
		return explain(r, &SD_BUS_ERROR_NULL);
	if (ret_view->n_devices > 0)
		qsort(ret_view->devices, ret_view->n_devices,
			sizeof(*ret_view->devices), by_id);
	view_complete(ret_view);
	return 0;
}

static int read_attempts(sd_bus_message *m, struct view *view)
{
	const char *mac, *address, *protocol;
	struct view_attempt a, *more;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "(usssqtb)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(usssqtb)", &a.device,
				  &mac, &address, &protocol, &a.port,
				  &a.packets, &a.observed)) > 0) {
		more = reallocarray(
			view->attempts, view->n_attempts + 1, sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		view->attempts = more;
		a.mac = strdup(mac);
		a.address = strdup(address);
		a.protocol = strdup(protocol);
		if (!a.mac || !a.address || !a.protocol)
			return -ENOMEM;
		view->attempts[view->n_attempts++] = a;
	}
	return r;
}

int client_find(const struct view *view, const char *word,
	const struct view_device **ret_device)
{
	int r = view_find(view, word, ret_device);

	if (r < 0)
		say_errorf("Known ones: gatehouse device list",
			r == -ENOTUNIQ
				? "Several devices begin with \"%s\"; more of "
				  "the name is needed."
				: "No device has the name or MAC \"%s\".",
			word);
	return r;
}

int client_read_attempts(sd_bus *bus, struct view *view, bool quiet)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	sd_bus_set_method_call_timeout(bus, SHORT_US);
	r = sd_bus_call_method(
		bus, NAME, ROOT, MANAGER, "Attempts", &error, &reply, NULL);
	if (r >= 0)
		r = read_attempts(reply, view);
	sd_bus_message_unref(reply);
	if (r < 0 && !quiet)
		explain(r, &error);
	return r < 0 ? r : 0;
}

static int take_report(sd_bus_message *reply, char **ret_report)
{
	const char *text;
	int r;

	r = sd_bus_message_read(reply, "s", &text);
	if (r < 0)
		return explain(r, &SD_BUS_ERROR_NULL);
	*ret_report = strdup(text);
	return *ret_report ? 0 : -ENOMEM;
}

static int call_for_report(sd_bus *bus, const char *method, char **ret_report)
{
	sd_bus_message *reply = NULL;
	int r;

	sd_bus_set_method_call_timeout(bus, LONG_US);
	r = ask(bus, MANAGER, method, NULL, &reply);
	if (r < 0)
		return r;
	r = take_report(reply, ret_report);
	sd_bus_message_unref(reply);
	return r;
}

int client_reload(sd_bus *bus, char **ret_report)
{
	return call_for_report(bus, "Reload", ret_report);
}

int client_confirm(sd_bus *bus, char **ret_report)
{
	return call_for_report(bus, "Confirm", ret_report);
}

int client_apply(sd_bus *bus, uint32_t seconds, char **ret_report)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	sd_bus_set_method_call_timeout(bus, LONG_US);
	r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Apply", &error,
		&reply, "u", seconds);
	if (r < 0)
		return explain(r, &error);
	r = take_report(reply, ret_report);
	sd_bus_message_unref(reply);
	return r;
}

static int call_decide(sd_bus *bus, uint32_t device, const char *member,
	const char *word, const uint32_t *seconds, sd_bus_error *error,
	sd_bus_message **ret_reply)
{
	sd_bus_message *m = NULL;
	char path[64];
	int r;

	snprintf(path, sizeof(path), device ? ROOT "/device/%u" : ROOT, device);
	r = sd_bus_message_new_method_call(
		bus, &m, NAME, path, device ? DEVICE : MANAGER, member);
	if (r >= 0 && word)
		r = sd_bus_message_append(m, "s", word);
	if (r >= 0 && seconds)
		r = sd_bus_message_append(m, "u", *seconds);
	if (r >= 0)
		r = sd_bus_call(bus, m, LONG_US, error, ret_reply);
	sd_bus_message_unref(m);
	return r;
}

int client_decide(sd_bus *bus, uint32_t device, const char *member,
	const char *word, const uint32_t *seconds, char **ret_report)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r = call_decide(bus, device, member, word, seconds, &error, &reply);

	if (r < 0)
		return explain(r, &error);
	r = take_report(reply, ret_report);
	sd_bus_message_unref(reply);
	return r;
}

int client_update(sd_bus *bus, const char *method, int statement, int package,
	char **ret_report)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	sd_bus_set_method_call_timeout(bus, LONG_US);
	r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, method, &error, &reply,
		"hh", statement, package);
	if (r < 0 && error.name && strcmp(error.name, REFUSED) == 0)
		*ret_report = strdup(error.message);
	if (r < 0)
		return explain(r, &error);
	r = take_report(reply, ret_report);
	sd_bus_message_unref(reply);
	return r;
}

int client_forget(sd_bus *bus, uint32_t device, char **ret_report)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char path[64];
	int r;

	snprintf(path, sizeof(path), ROOT "/device/%u", device);
	sd_bus_set_method_call_timeout(bus, LONG_US);
	r = sd_bus_call_method(
		bus, NAME, path, DEVICE, "Forget", &error, &reply, NULL);
	if (r < 0 && error.name && strcmp(error.name, REFUSED) == 0)
		return -ENOENT;
	if (r < 0)
		return explain(r, &error);
	r = take_report(reply, ret_report);
	sd_bus_message_unref(reply);
	return r;
}

int client_version(sd_bus *bus, char **ret_version)
{
	sd_bus_set_method_call_timeout(bus, SHORT_US);
	return sd_bus_get_property_string(
		bus, NAME, ROOT, MANAGER, "Version", NULL, ret_version);
}

static int read_answer(sd_bus_message *m, struct why_answer *answer)
{
	const char *key, *text;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{ss}");
	while (r >= 0 && (r = sd_bus_message_read(m, "{ss}", &key, &text)) > 0)
		why_add(answer, key, text);
	return r;
}

int client_why(sd_bus *bus, uint32_t device, const char *protocol,
	uint16_t port, const char *to, struct why_answer *ret_answer)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	sd_bus_set_method_call_timeout(bus, SHORT_US);
	r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Why", &error, &reply,
		"usqs", device, protocol, port, to);
	if (r >= 0)
		r = read_answer(reply, ret_answer);
	sd_bus_message_unref(reply);
	return r < 0 ? explain(r, &error) : 0;
}
