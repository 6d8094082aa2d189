/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /org/gatehouse1: the gateway as org.gatehouse1.Manager, said in
 * etc/dbus/org.gatehouse1.Manager.xml. Reads the mirror; methods go to
 * calls.c. Must never judge who may: that is calls.c's and the policy's.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/product.h"
#include "modules/bus/names.h"
#include "modules/bus/port.h"

#define GETTER(name)                                                          \
	static int name(sd_bus *bus, const char *path, const char *interface, \
		const char *property, sd_bus_message *reply, void *userdata,  \
		sd_bus_error *error)
#define GETTER_UNUSED() \
	((void)bus, (void)path, (void)interface, (void)property, (void)error)

static const struct record_gateway *gateway_of(void *userdata)
{
	struct port *port = userdata;

	return &port->mirror.gateway;
}

GETTER(get_constant)
{
	static const struct {
		const char *name, *value;
	} constants[] = {
		{"Version", PACKAGE_VERSION},
		{"SupportEnds", PRODUCT_SUPPORT_ENDS},
		{"SecurityContact", PRODUCT_SECURITY_CONTACT},
	};

	(void)userdata;
	GETTER_UNUSED();
	for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
		if (strcmp(constants[i].name, property) == 0)
			return sd_bus_message_append(
				reply, "s", constants[i].value);
	return -ENOENT;
}

GETTER(get_word)
{
	const struct record_gateway *gateway = gateway_of(userdata);
	const char *word = names_mode(gateway->mode);

	GETTER_UNUSED();
	if (strcmp(property, "State") == 0)
		word = names_state(gateway->state);
	return sd_bus_message_append(reply, "s", word);
}

GETTER(get_flag)
{
	const struct record_gateway *gateway = gateway_of(userdata);
	int flag = gateway->observed;

	GETTER_UNUSED();
	if (strcmp(property, "Returned") == 0)
		flag = gateway->returned;
	else if (strcmp(property, "SafeMode") == 0)
		flag = gateway->safe_mode;
	return sd_bus_message_append(reply, "b", flag);
}

/* Seconds since 1970; all others are counts. */
static bool is_moment(const char *property)
{
	return strcmp(property, "Started") == 0 ||
	       strcmp(property, "ConfirmUntil") == 0 ||
	       strcmp(property, "PausedUntil") == 0;
}

GETTER(get_number)
{
	const char *gateway = (const char *)gateway_of(userdata);

	GETTER_UNUSED();
	for (size_t i = 0; i < mirror_n_gateway_fields; i++) {
		const struct mirror_field *field = &mirror_gateway_fields[i];

		if (strcmp(field->name, property) != 0)
			continue;
		return sd_bus_message_append_basic(reply,
			is_moment(property) ? 'x' : 't',
			gateway + field->offset);
	}
	return -ENOENT;
}

GETTER(get_warnings)
{
	struct port *port = userdata;
	int r;

	GETTER_UNUSED();
	r = sd_bus_message_open_container(reply, 'a', "(uusxss)");
	for (size_t i = 0; r >= 0 && i < port->mirror.n_warnings; i++) {
		const struct record_warning *w = &port->mirror.warnings[i];

		r = sd_bus_message_append(reply, "(uusxss)", w->id, w->device,
			names_severity(w->severity), w->since, w->code,
			w->text);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int on_reload(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_RELOAD);
}

static int on_attempts(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_ATTEMPTS);
}

static int on_check(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_UPDATE_CHECK);
}

static int on_apply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_UPDATE_APPLY);
}

static int on_try(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_APPLY);
}

static int on_confirm(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_CONFIRM);
}

static int on_why(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_WHY);
}

static int on_pause(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return calls_begin(userdata, m, BUS_VERB_DECIDE);
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
/* sd-bus's own check would read /proc; ours is in calls.c. */
#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("s", report), on_reload, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("u", seconds),
		SD_BUS_RESULT("s", report), on_try, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Confirm", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("s", report), on_confirm, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("PauseAll", SD_BUS_ARGS("u", seconds),
		SD_BUS_RESULT("s", report), on_pause, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Attempts", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a(usssqtb)", attempts), on_attempts, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Why",
		SD_BUS_ARGS("u", device, "s", protocol, "q", port, "s", to),
		SD_BUS_RESULT("a{ss}", answer), on_why, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("UpdateCheck",
		SD_BUS_ARGS("h", statement, "h", package),
		SD_BUS_RESULT("s", report), on_check, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("UpdateApply",
		SD_BUS_ARGS("h", statement, "h", package),
		SD_BUS_RESULT("s", report), on_apply, ANYBODY),
	SD_BUS_SIGNAL_WITH_ARGS("WarningRaised",
		SD_BUS_ARGS("u", id, "u", device, "s", severity, "s", code, "s",
			text),
		0),
	SD_BUS_SIGNAL_WITH_ARGS("WarningCleared", SD_BUS_ARGS("u", id), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Tried",
		SD_BUS_ARGS("u", device, "s", mac, "s", reason, "u", records,
			"a(ssqu)", what),
		0),
	SD_BUS_PROPERTY("Version", "s", get_constant, 0, CONSTANT),
	SD_BUS_PROPERTY("SupportEnds", "s", get_constant, 0, CONSTANT),
	SD_BUS_PROPERTY("SecurityContact", "s", get_constant, 0, CONSTANT),
	SD_BUS_PROPERTY("State", "s", get_word, 0, CHANGES),
	SD_BUS_PROPERTY("Mode", "s", get_word, 0, CHANGES),
	SD_BUS_PROPERTY("Observed", "b", get_flag, 0, CHANGES),
	SD_BUS_PROPERTY("Generation", "t", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("RulesGeneration", "t", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("Denied", "t", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("BridgedDenied", "t", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("Quarantined", "t", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("Strangers", "t", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("Started", "x", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("ConfirmUntil", "x", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("PausedUntil", "x", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("SafeMode", "b", get_flag, 0, CHANGES),
	SD_BUS_PROPERTY("Returned", "b", get_flag, 0, CHANGES),
	SD_BUS_PROPERTY("Warnings", "a(uusxss)", get_warnings, 0,
		SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
	SD_BUS_VTABLE_END,
};

int manager_add(struct port *port)
{
	int r;

	r = sd_bus_add_object_manager(port->bus, NULL, BUS_ROOT);
	if (r < 0)
		return r;
	return sd_bus_add_object_vtable(
		port->bus, NULL, BUS_ROOT, BUS_MANAGER, vtable, port);
}
