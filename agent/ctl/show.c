/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reading commands: status, device list, device show, warnings. What
 * matters comes first and in words, never by colour alone.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/attempts.h"
#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/say.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/when.h"

#define INDENT 2
#define NAMES_WIDTH 14

static int read_view(struct view *ret_view)
{
	_cleanup_(client_close) sd_bus *bus = NULL;
	int r = client_open(&bus);

	return r < 0 ? r : client_read(bus, ret_view);
}

static void pair(const char *name, const char *format, ...) _printf_(2, 3);
static void pair(const char *name, const char *format, ...)
{
	char *text, *clean;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	clean = text_clean(text);
	table_print_pair(stdout, name, clean, INDENT, NAMES_WIDTH, say_width());
	free(clean);
	free(text);
}

/* The headline: what happens to traffic at this moment. */
static void say_mode(const struct view *view)
{
	const struct view_manager *m = &view->manager;
	size_t enforced = view_count_enforcing(view);
	char when[WHEN_TEXT];

	if (m->safe_mode)
		say("SAFE MODE: nothing is isolated and nothing is blocked, "
		    "whatever is configured. See: gatehouse warnings");
	else if (m->rules_generation == 0)
		say("NO RULES IN FORCE: nothing is watched and nothing is "
		    "blocked. See: gatehouse warnings");
	else if (m->observed && strcmp(m->mode, "observe") == 0 &&
		 enforced == 0)
		say("OBSERVING: nothing is blocked yet. What would be: sudo "
		    "gatehouse enforce");
	else if (m->observed)
		say("PARTLY OBSERVING: some zones or devices are only "
		    "watched, nothing of theirs is blocked. Which: gatehouse "
		    "device list");
	else
		say("ENFORCING: what is not allowed is blocked.");
	if (m->confirm_until)
		say("ON TRIAL until %s: then the configuration before "
		    "returns, unless: gatehouse config confirm",
			when_local(m->confirm_until, time(NULL), when));
	if (m->paused_until)
		say("PAUSED until %s: nothing is blocked. To end it: gatehouse "
		    "pause --all 0",
			when_local(m->paused_until, time(NULL), when));
	if (m->returned)
		say("NOT AS IN THE FILES: they were not confirmed, the "
		    "configuration before is in force. See: gatehouse "
		    "warnings");
	if (strcmp(m->state, "degraded") == 0)
		say("DEGRADED: a part of gatehouse is not in force. See: "
		    "gatehouse warnings");
}

static size_t count_severity(const struct view *view, const char *severity)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_warnings; i++)
		n += strcmp(view->warnings[i].severity, severity) == 0;
	return n;
}

static void say_traffic(const struct view *view)
{
	const struct view_manager *m = &view->manager;
	char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];
	uint64_t up = 0, down = 0, refused = 0;

	for (size_t i = 0; i < view->n_devices; i++) {
		up += view->devices[i].tls_bytes_up;
		down += view->devices[i].tls_bytes_down;
		refused += view->devices[i].tls_refused;
	}
	pair(m->observed ? "Would deny" : "Denied",
		"%s packets, %s between neighbours, %s of strangers",
		text_number(m->denied, a), text_number(m->bridged_denied, b),
		text_number(m->quarantined, c));
	pair("In TLS", "%s up, %s down; %s connections refused",
		text_bytes(up, a), text_bytes(down, b),
		text_number(refused, c));
}

static void say_status(const struct view *view)
{
	const struct view_manager *m = &view->manager;
	char when[WHEN_TEXT];

	say_mode(view);
	putchar('\n');
	pair("gatehouse", "%s, %s since %s", m->version, m->state,
		when_local(m->started, time(NULL), when));
	if (m->rules_generation == 0)
		pair("Rules", "none in force");
	else
		pair("Rules", "in force, generation %llu",
			(unsigned long long)m->rules_generation);
	pair("Configuration", "generation %llu",
		(unsigned long long)m->generation);
	pair("Devices", "%zu: %zu approved, %zu in quarantine", view->n_devices,
		view_count_decision(view, "approved"),
		view_count_decision(view, "quarantine"));
	if (m->strangers > view_count_decision(view, "quarantine"))
		pair("Strangers", "%llu seen in all, not all are kept",
			(unsigned long long)m->strangers);
	say_traffic(view);
	if (view->n_warnings == 0)
		pair("Warnings", "none");
	else
		pair("Warnings",
			"%zu: %zu critical, %zu warnings, %zu for information; "
			"see: gatehouse warnings",
			view->n_warnings, count_severity(view, "critical"),
			count_severity(view, "warning"),
			count_severity(view, "info"));
	pair("Support", "gatehouse %s is supported until %s", m->version,
		m->support_ends);
	pair("Security", "to report a vulnerability: %s", m->security_contact);
}

int ctl_status(const struct ctl *ctl)
{
	_cleanup_(view_clear) struct view view = {0};

	if (read_view(&view) < 0)
		return CTL_FAILED;
	if (ctl->json)
		return say_json(view_json_status(&view)) < 0 ? CTL_FAILED
							     : CTL_DONE;
	say_status(&view);
	return CTL_DONE;
}

/* "approved, enforced"; of a stranger "quarantine, observed". */
static const char *state_of(
	const struct view_device *device, char *text, size_t size)
{
	snprintf(text, size, "%s, %s", device->decision,
		strcmp(device->isolation, "none") == 0 ? "no rules"
						       : device->isolation);
	return text;
}

int ctl_device_list(const struct ctl *ctl)
{
	static const struct table_column columns[] = {
		{.heading = "NAME"},
		{.heading = "MAC"},
		{.heading = "ZONE"},
		{.heading = "STATE"},
		{.heading = "SUPPORT"},
	};
	_cleanup_(view_clear) struct view view = {0};
	_cleanup_(table_clear) struct table table = {
		.columns = columns, .n_columns = ARRAY_SIZE(columns)};
	char state[128];

	if (read_view(&view) < 0)
		return CTL_FAILED;
	if (ctl->json)
		return say_json(view_json_devices(&view)) < 0 ? CTL_FAILED
							      : CTL_DONE;
	for (size_t i = 0; i < view.n_devices; i++) {
		const struct view_device *device = &view.devices[i];
		const char *cells[] = {device->name, device->mac, device->zone,
			state_of(device, state, sizeof(state)),
			device->support};

		table_add(&table, cells);
	}
	if (view.n_devices == 0)
		say("No device is configured and none was seen.");
	else
		table_print(&table, stdout, say_width());
	return CTL_DONE;
}

static void say_decision(const struct view_device *d)
{
	char when[WHEN_TEXT];

	if (*d->profile)
		pair("Profile", "%s", d->profile);
	pair("Decided by", "%s", *d->decided_by ? d->decided_by : "nobody");
	if (d->decision_until)
		pair("Until", "%s; then it is as before",
			when_local(d->decision_until, time(NULL), when));
	if (d->paused_until)
		pair("Paused until", "%s; nothing of it is blocked",
			when_local(d->paused_until, time(NULL), when));
}

static void say_support(const struct view_device *device)
{
	char when[WHEN_TEXT];

	if (strcmp(device->support, "unknown") == 0)
		pair("Support", "unknown; give it: support-ends = YYYY-MM-DD");
	else if (strcmp(device->support, "no-clock") == 0)
		pair("Support", "until %s; the clock is not set yet",
			device->support_ends);
	else
		pair("Support", "%s: %s (%s)", device->support,
			device->support_ends,
			when_days(device->support_days, when));
}

static void say_warning(
	const struct view *view, const struct view_warning *warning)
{
	char when[WHEN_TEXT];
	char *clean;

	say("%s: %s: %s, since %s", warning->severity,
		view_name(view, warning->device), warning->code,
		when_local(warning->since, time(NULL), when));
	clean = text_clean(warning->text);
	printf("%*s", INDENT, "");
	text_wrap(stdout, clean, INDENT, INDENT, say_width());
	free(clean);
}

static void say_device(const struct view *view, const struct view_device *d)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], state[128], when[WHEN_TEXT];

	say("%s: %s", d->name, state_of(d, state, sizeof(state)));
	if (strcmp(d->isolation, "observed") == 0)
		say("OBSERVING: nothing of it is blocked yet.");
	putchar('\n');
	pair("MAC", "%s", d->mac);
	pair("Zone", "%s", *d->zone ? d->zone : "none");
	pair("Interface", "%s", *d->interface ? d->interface : "not seen yet");
	say_decision(d);
	pair("Wanted", "%s", d->mode);
	if (*d->isolation_reason)
		pair("Isolation", "%s: %s", d->isolation, d->isolation_reason);
	pair(view_enforces(d) ? "Denied" : "Would deny", "%s packets",
		text_number(d->denied, a));
	pair("In TLS", "%s up, %s down", text_bytes(d->tls_bytes_up, a),
		text_bytes(d->tls_bytes_down, b));
	pair("Connections", "%s in TLS, %s refused",
		text_number(d->tls_flows, a), text_number(d->tls_refused, b));
	say_support(d);
	pair("First seen", "%s", when_local(d->first_seen, time(NULL), when));
	pair("Last seen", "%s", when_local(d->last_seen, time(NULL), when));
	if (d->last_denied)
		pair(view_enforces(d) ? "Last denied" : "Last tried", "%s",
			when_local(d->last_denied, time(NULL), when));
	for (size_t i = 0; i < view->n_warnings; i++) {
		if (view->warnings[i].device != d->id)
			continue;
		putchar('\n');
		say_warning(view, &view->warnings[i]);
	}
}

/* What it tried that is not allowed, with how to allow it. */
static void say_attempts(const struct view *view, const struct view_device *d)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		abort();
	if (attempts_print_of(view, d->mac, out, say_width()) > 0) {
		say(view_enforces(d) ? "\nDenied:" : "\nWould be denied:");
	}
	fclose(out);
	fputs(text, stdout);
	free(text);
}

/* 0, or -errno after saying what is wrong. */
static int read_device(const struct ctl *ctl, struct view *ret_view,
	const struct view_device **ret_device)
{
	_cleanup_(client_close) sd_bus *bus = NULL;
	int r = client_open(&bus);

	if (r >= 0)
		r = client_read(bus, ret_view);
	if (r < 0)
		return r;
	r = client_find(ret_view, ctl->word, ret_device);
	if (r < 0)
		return r;
	/* Without isolation there are none, and the rest is still true. */
	if (client_read_attempts(bus, ret_view, true) < 0)
		ret_view->n_attempts = 0;
	return 0;
}

static int say_device_json(
	const struct view *view, const struct view_device *device)
{
	json_t *json = view_json_device(view, device);

	json_object_set_new(
		json, "attempts", view_json_attempts(view, device->mac));
	return say_json(json) < 0 ? CTL_FAILED : CTL_DONE;
}

int ctl_device_show(const struct ctl *ctl)
{
	_cleanup_(view_clear) struct view view = {0};
	const struct view_device *device;

	if (read_device(ctl, &view, &device) < 0)
		return CTL_FAILED;
	if (ctl->json)
		return say_device_json(&view, device);
	say_device(&view, device);
	say_attempts(&view, device);
	return CTL_DONE;
}

int ctl_warnings(const struct ctl *ctl)
{
	static const char *const order[] = {"critical", "warning", "info"};
	_cleanup_(view_clear) struct view view = {0};
	bool first = true;

	if (read_view(&view) < 0)
		return CTL_FAILED;
	if (ctl->json)
		return say_json(view_json_warnings(&view)) < 0 ? CTL_FAILED
							       : CTL_DONE;
	if (view.n_warnings == 0)
		say("No warnings.");
	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		for (size_t i = 0; i < view.n_warnings; i++) {
			if (strcmp(view.warnings[i].severity, order[k]) != 0)
				continue;
			if (!first)
				putchar('\n');
			first = false;
			say_warning(&view, &view.warnings[i]);
		}
	return CTL_DONE;
}
