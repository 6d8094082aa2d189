/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry's part in the agent: keeps a copy of what was decided, makes
 * it part of each configuration, and passes decisions of local users down.
 * Reads nothing but fixed-size messages of its worker and checked
 * configuration.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/registry/agent/asks.h"
#include "modules/registry/agent/known.h"
#include "modules/registry/agent/overlay.h"
#include "modules/registry/agent/shown.h"
#include "modules/registry/registry_proto.h"

#define NAME "registry"

static struct {
	struct agent *agent;
	bool listed; /* all decisions were told once */
	struct timer end; /* of the next decision that ends by itself */
} self;

static int check_later(const char *text)
{
	(void)text;
	return 0;
}

static const struct conf_key profile_keys[] = {
	{"allow", check_later, "a protocol and an address, such as tcp/443 any",
		true,
		"What a device with this profile may reach, as in a [device]."},
};

static const struct conf_schema schemas[] = {
	{"profile", true, profile_keys, ARRAY_SIZE(profile_keys)},
};

static bool overlay(struct agent *agent, struct conf *conf)
{
	(void)agent;
	return overlay_add(conf, clock_ms());
}

static bool holds(void)
{
	return !self.listed;
}

static void end_due(struct timer *timer);

static void watch_ends(void)
{
	int64_t in_ms = known_next_end(clock_ms());

	self.end.fired = end_due;
	if (in_ms < 0)
		loop_stop_timer(agent_loop(self.agent), &self.end);
	else
		loop_set_timer(agent_loop(self.agent), &self.end, in_ms + 1);
}

/* The worker says so as well; this counts when it cannot. */
static void end_due(struct timer *timer)
{
	(void)timer;
	agent_refresh(self.agent);
	watch_ends();
}

static int started(struct agent *agent)
{
	struct registry_number none = {0};

	self.agent = agent;
	known_begin();
	return agent_send(agent, NAME, REGISTRY_LIST, &none, sizeof(none), -1);
}

static void applied(struct agent *agent, const struct conf *conf)
{
	shown_review(agent, conf, clock_ms());
}

static void stopped(struct agent *agent)
{
	asks_give_up(agent);
}

/* What the owner sees: since when it is known. */
static void show_first_seen(
	struct agent *agent, const struct mac *mac, int64_t first_seen)
{
	const struct record_device *known = state_device_by_mac(
		agent_state(agent), mac);
	struct record_device record;

	if (!known || first_seen <= 0 ||
		(known->first_seen && known->first_seen <= first_seen))
		return;
	record = *known;
	record.first_seen = first_seen;
	(void)state_put_device(agent_state(agent), &record);
}

static int on_device(void *owner, const void *message, int fd)
{
	const struct registry_device *told = message;
	int r;

	(void)fd;
	r = known_put(told, clock_ms());
	if (r == -EINVAL)
		return -EPROTO;
	if (r < 0)
		log_error("a decision about a device is not in force: %s",
			strerror(-r));
	watch_ends();
	show_first_seen(owner, &told->mac, told->first_seen);
	/* An answer to a question brings its own. */
	if (self.listed && !asks_waiting())
		agent_refresh(owner);
	return 0;
}

static int on_end(void *owner, const void *message, int fd)
{
	(void)message, (void)fd;
	known_end();
	if (self.listed) {
		agent_refresh(owner);
		return 0;
	}
	self.listed = true;
	agent_release(owner);
	return 0;
}

static int on_known(void *owner, const void *message, int fd)
{
	const struct registry_known *known = message;

	(void)fd;
	show_first_seen(owner, &known->mac, known->first_seen);
	return 0;
}

static int on_trouble(void *owner, const void *message, int fd)
{
	const struct registry_trouble *trouble = message;

	(void)fd;
	if (!memchr(trouble->code, 0, sizeof(trouble->code)) ||
		!memchr(trouble->text, 0, sizeof(trouble->text)))
		return -EPROTO;
	state_warn(agent_state(owner), 0, RECORD_SEVERITY_WARNING,
		trouble->code, "%s", trouble->text);
	return 0;
}

static int on_decided(void *owner, const void *message, int fd)
{
	(void)fd;
	return asks_decided(owner, message);
}

static void send_down(
	struct agent *agent, uint16_t type, const void *message, size_t size)
{
	/* What was observed may be lost while nobody is there. */
	(void)agent_send(agent, NAME, type, message, size, -1);
}

void registry_saw(struct agent *agent, const struct registry_seen *seen)
{
	send_down(agent, REGISTRY_SEEN, seen, sizeof(*seen));
}

void registry_heard(
	struct agent *agent, const struct registry_evidence *evidence)
{
	send_down(agent, REGISTRY_EVIDENCE, evidence, sizeof(*evidence));
}

void registry_was_denied(
	struct agent *agent, const struct registry_denied *denied)
{
	send_down(agent, REGISTRY_DENIED, denied, sizeof(*denied));
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(REGISTRY_DEVICE, struct registry_device, on_device),
	IPC_ROUTE(REGISTRY_END, struct registry_number, on_end),
	IPC_ROUTE(REGISTRY_DECIDED, struct registry_decided, on_decided),
	IPC_ROUTE(REGISTRY_KNOWN, struct registry_known, on_known),
	IPC_ROUTE(REGISTRY_TROUBLE, struct registry_trouble, on_trouble),
};

extern const struct module registry_module;
const struct module registry_module = {
	.name = NAME,
	.files = 32,
	.folder = true,
	.schemas = schemas,
	.n_schemas = ARRAY_SIZE(schemas),
	.overlay = overlay,
	.holds = holds,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.started = started,
	.applied = applied,
	.stopped = stopped,
};
