/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus worker's other half, in the agent: grants it connections to the
 * bus, tells it every change of the state, and turns the calls of local
 * users into work of other modules. Nothing here waits for the bus and
 * nothing depends on it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/bus/connect.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/registry/registry_proto.h"
#include "modules/update/update_proto.h"

#define NAME "bus"
#define RETRY_FIRST_MS 100
#define CONNECT_MOST_MS 5000 /* at boot the bus comes later than we do */
#define RETRY_MOST_MS 30000 /* it came and did not want us */
#define STEADY_MS 10000 /* a connection that lasted begins anew */
#define FILES 256 /* each call may come with two */

/* The files of a call, until the call itself comes. */
struct pending {
	uint64_t cookie; /* 0: free */
	int statement, package;
};

static struct {
	struct agent *agent; /* NULL: no worker */
	struct timer retry;
	int64_t delay_ms, granted_ms;
	bool complained;
	struct pending pending[BUS_CALLS_MAX];
	size_t reloads; /* asked for and not answered, also by workers before */
} bus;

static void send_down(uint16_t type, const void *message, size_t size, int fd)
{
	/* A worker that cannot be reached is started again and told all. */
	if (bus.agent)
		agent_send(bus.agent, NAME, type, message, size, fd);
}

static void reply(uint64_t cookie, int error, const char *text)
{
	struct bus_reply out = {.cookie = cookie, .error = error};

	snprintf(out.text, sizeof(out.text), "%s", text);
	send_down(BUS_REPLY, &out, sizeof(out), -1);
}

/* The connection. */

static int grant(struct agent *agent)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct bus_number none = {0};
	uid_t uid;
	gid_t gid;
	int r;

	r = agent_user(agent, NAME, &uid, &gid);
	if (r < 0)
		return r;
	r = connect_as(agent_bus_path(agent), uid, gid, &fd);
	if (r < 0)
		return r;
	send_down(BUS_SOCKET, &none, sizeof(none), fd);
	bus.granted_ms = clock_ms();
	return 0;
}

/* Each time twice as long, up to a limit. */
static void wait_for_bus(int64_t most_ms)
{
	if (bus.agent == NULL)
		return;
	if (bus.delay_ms > most_ms)
		bus.delay_ms = most_ms;
	loop_set_timer(agent_loop(bus.agent), &bus.retry, bus.delay_ms);
	bus.delay_ms *= 2;
}

static void try_grant(struct timer *timer)
{
	int r;

	(void)timer;
	if (bus.agent == NULL)
		return;
	r = grant(bus.agent);
	if (r == 0) {
		bus.complained = false;
		return;
	}
	if (!bus.complained)
		log_notice("the bus at %s cannot be reached (%s); devices "
			   "are guarded without it, and it is tried again",
			agent_bus_path(bus.agent), strerror(-r));
	bus.complained = true;
	wait_for_bus(CONNECT_MOST_MS);
}

static int on_lost(void *owner, const void *message, int fd)
{
	(void)owner, (void)message, (void)fd;
	if (clock_ms() - bus.granted_ms > STEADY_MS)
		bus.delay_ms = RETRY_FIRST_MS;
	wait_for_bus(RETRY_MOST_MS);
	return 0;
}

/* The mirror. */

static void tell_gateway(void *arg, const struct record_gateway *gateway)
{
	(void)arg;
	send_down(BUS_GATEWAY, gateway, sizeof(*gateway), -1);
}

static void tell_device(void *arg, const struct record_device *device)
{
	(void)arg;
	send_down(BUS_DEVICE, device, sizeof(*device), -1);
}

static void tell_device_gone(void *arg, uint32_t id)
{
	struct bus_number number = {.id = id};

	(void)arg;
	send_down(BUS_DEVICE_GONE, &number, sizeof(number), -1);
}

static void tell_warning(void *arg, const struct record_warning *warning)
{
	(void)arg;
	send_down(BUS_WARNING, warning, sizeof(*warning), -1);
}

static void tell_warning_gone(void *arg, uint32_t id)
{
	struct bus_number number = {.id = id};

	(void)arg;
	send_down(BUS_WARNING_GONE, &number, sizeof(number), -1);
}

static const struct state_observer observer = {
	.gateway = tell_gateway,
	.device = tell_device,
	.device_gone = tell_device_gone,
	.warning = tell_warning,
	.warning_gone = tell_warning_gone,
};

/* The calls. */

static struct pending *pending_of(uint64_t cookie)
{
	for (size_t i = 0; i < BUS_CALLS_MAX; i++)
		if (bus.pending[i].cookie == cookie)
			return &bus.pending[i];
	return NULL;
}

static void forget(struct pending *pending)
{
	if (pending->cookie == 0)
		return;
	cleanup_close(&pending->statement);
	cleanup_close(&pending->package);
	pending->cookie = 0;
}

/* The statement comes first, then the package, then the call. */
static int on_file(void *owner, const void *message, int fd)
{
	_cleanup_(cleanup_close) int owned = fd;
	const struct bus_file *file = message;
	struct pending *pending;

	(void)owner;
	if (file->cookie == 0)
		return -EPROTO;
	pending = pending_of(file->cookie);
	if (file->part == BUS_PART_STATEMENT) {
		if (pending)
			return -EPROTO;
		pending = pending_of(0);
		if (pending == NULL)
			return -EPROTO;
		pending->cookie = file->cookie;
		pending->statement = steal_fd(&owned);
		pending->package = -1;
		return 0;
	}
	if (file->part != BUS_PART_PACKAGE || !pending || pending->package >= 0)
		return -EPROTO;
	pending->package = steal_fd(&owned);
	return 0;
}

struct reload {
	uint64_t cookie;
};

static void reloaded(void *arg, int error, const char *report)
{
	struct reload *reload = arg;

	bus.reloads--;
	if (error == 0)
		reply(reload->cookie, 0,
			report && *report ? report
					  : "the configuration is in force");
	else
		reply(reload->cookie, error, report ? report : "");
	free(reload);
}

/* seconds 0: for good. */
static void call_reload(struct agent *agent, uint64_t cookie, uint32_t seconds)
{
	struct reload *reload;

	/* Each one waits in the agent: a worker gone mad is not to fill it. */
	if (bus.reloads >= BUS_CALLS_MAX) {
		reply(cookie, -EBUSY,
			"too many reloads wait already; try again in a "
			"moment");
		return;
	}
	reload = malloc(sizeof(*reload));
	if (reload == NULL) {
		reply(cookie, -ENOMEM, "out of memory");
		return;
	}
	reload->cookie = cookie;
	bus.reloads++;
	if (seconds)
		agent_try(agent, seconds, reloaded, reload);
	else
		agent_reload(agent, reloaded, reload);
}

static void call_apply(struct agent *agent, uint64_t cookie, uint32_t seconds)
{
	if (seconds == 0 || seconds > BUS_CONFIRM_MAX)
		reply(cookie, -EINVAL,
			"a trial lasts at least a second and at most a day");
	else
		call_reload(agent, cookie, seconds);
}

static void call_confirm(struct agent *agent, uint64_t cookie)
{
	int r = agent_confirm(agent);

	if (r == 0)
		reply(cookie, 0, "the configuration stays in force");
	else if (r == -EINVAL)
		reply(cookie, r,
			"no configuration waits to be confirmed; if you were "
			"too late, the one before is in force");
	else
		reply(cookie, r,
			r == -EBUSY ? "a configuration is being put in force; "
				      "try again in a moment"
				    : strerror(-r));
}

static void call_attempts(struct agent *agent, uint64_t cookie)
{
	struct isolation_cookie ask = {.cookie = cookie};
	int r;

	r = agent_send(agent, "isolation", ISOLATION_GET_ATTEMPTS, &ask,
		sizeof(ask), -1);
	if (r < 0)
		reply(cookie, r,
			"isolation is not running, so nothing is known of "
			"what devices tried; see: journalctl -u gatehouse");
}

static void call_why(struct agent *agent, const struct bus_call *call)
{
	const struct record_device *device = state_device(
		agent_state(agent), call->number);
	const struct bus_question *q = &call->question;
	struct isolation_why why = {.cookie = call->cookie,
		.port = q->port,
		.to = q->to,
		.protocol = q->protocol,
		.to_device = q->to_device,
		.toward = q->gateway     ? ISOLATION_TOWARD_GATEWAY
			  : q->to.family ? ISOLATION_TOWARD_ADDRESS
					 : ISOLATION_TOWARD_DEVICE};

	if (!device) {
		reply(call->cookie, -EINVAL, "there is no such device");
		return;
	}
	why.mac = device->mac;
	memcpy(why.interface, device->interface, sizeof(why.interface));
	if (agent_send(agent, "isolation", ISOLATION_WHY, &why, sizeof(why),
		    -1) < 0)
		reply(call->cookie, -ENOENT,
			"isolation is not running, so nothing is judged at "
			"this moment; see: journalctl -u gatehouse");
}

static void call_decide(struct agent *agent, const struct bus_call *call)
{
	struct registry_decide decide = {.cookie = call->cookie,
		.kind = (uint8_t)call->decision.kind,
		.seconds = call->decision.seconds};
	int r;

	memcpy(decide.word, call->decision.word, sizeof(decide.word));
	r = registry_ask(agent, call->number, call->uid, &decide);
	if (r < 0)
		reply(call->cookie, r,
			r == -ENOENT ? "the registry is not running, so "
				       "nothing can be decided: left out of "
				       "this build, or see journalctl -u "
				       "gatehouse"
			: r == -EINVAL
				? "a decision lasts at most 31 days, or for "
				  "good; a word has at most 31 letters"
				: strerror(-r));
}

static int call_update(
	struct agent *agent, uint64_t cookie, enum update_verb verb)
{
	struct pending *pending = pending_of(cookie);
	int r;

	if (pending == NULL || pending->package < 0)
		return -EPROTO;
	r = update_ask(
		agent, cookie, verb, pending->statement, pending->package);
	forget(pending);
	if (r < 0)
		reply(cookie, r,
			r == -ENOENT ? "signed updates are not running: "
				       "left out of this build, or see "
				       "journalctl -u gatehouse"
				     : strerror(-r));
	return 0;
}

static int on_call(void *owner, const void *message, int fd)
{
	const struct bus_call *call = message;
	bool root = call->uid == 0;

	(void)fd;
	if (call->cookie == 0)
		return -EPROTO;
	switch ((enum bus_verb)call->verb) {
	case BUS_VERB_RELOAD:
		if (!root)
			return -EPROTO; /* the worker has to look first */
		call_reload(owner, call->cookie, 0);
		return 0;
	case BUS_VERB_APPLY:
		if (!root)
			return -EPROTO;
		call_apply(owner, call->cookie, call->number);
		return 0;
	case BUS_VERB_CONFIRM:
		if (!root)
			return -EPROTO;
		call_confirm(owner, call->cookie);
		return 0;
	case BUS_VERB_ATTEMPTS:
		call_attempts(owner, call->cookie);
		return 0;
	case BUS_VERB_WHY:
		call_why(owner, call);
		return 0;
	case BUS_VERB_DECIDE:
		if (!root)
			return -EPROTO;
		call_decide(owner, call);
		return 0;
	case BUS_VERB_UPDATE_CHECK:
		return call_update(owner, call->cookie, UPDATE_VERB_CHECK);
	case BUS_VERB_UPDATE_APPLY:
		if (!root)
			return -EPROTO;
		log_notice("uid %u asks for an update", call->uid);
		return call_update(owner, call->cookie, UPDATE_VERB_APPLY);
	}
	return -EPROTO;
}

/* The life. */

static int started(struct agent *agent)
{
	bus.agent = agent;
	bus.retry.fired = try_grant;
	bus.delay_ms = RETRY_FIRST_MS;
	/* All of it goes out before the socket: only later news are signals. */
	state_observe(agent_state(agent), &observer);
	return loop_set_timer(agent_loop(agent), &bus.retry, 0);
}

static void stopped(struct agent *agent)
{
	state_observe(agent_state(agent), NULL);
	loop_stop_timer(agent_loop(agent), &bus.retry);
	for (size_t i = 0; i < BUS_CALLS_MAX; i++)
		forget(&bus.pending[i]);
	bus.agent = NULL;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(BUS_CALL, struct bus_call, on_call),
	IPC_ROUTE_FD(BUS_FILE, struct bus_file, on_file),
	IPC_ROUTE(BUS_LOST, struct bus_number, on_lost),
};

const struct module bus_module = {
	.name = NAME,
	.files = FILES,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.started = started,
	.stopped = stopped,
};
