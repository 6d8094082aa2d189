/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper of sessions. Refuses what was not redirected, what is over a
 * limit, and whoever is not known; closes what the configuration no longer
 * has. Never looks at bytes.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/lib/log.h"
#include "modules/proxy/flows.h"
#include "modules/proxy/origin.h"

#define ACCEPTS_A_TURN 16

static struct log_limit direct_lines = {.interval_ms = 60000, .burst = 5};
static struct log_limit full_lines = {.interval_ms = 60000, .burst = 5};

static struct flows *flows_of(struct session *session)
{
	return session->owner;
}

static void ask(struct session *session)
{
	struct flows *flows = flows_of(session);
	struct proxy_who who = {.cookie = session->cookie, .ip = session->peer};

	flows->ops->ask(flows->ops->arg, &who);
}

static struct tls_context *trust(struct session *session)
{
	return flows_of(session)->wanted->trust;
}

static void fill_bytes(struct session *s, struct proxy_flow *flow)
{
	flow->up = s->relay.up_bytes - s->told_up;
	flow->down = s->relay.down_bytes - s->told_down;
	s->told_up = s->relay.up_bytes;
	s->told_down = s->relay.down_bytes;
}

static void report(
	struct session *s, enum proxy_outcome outcome, const char *reason)
{
	struct flows *flows = flows_of(s);
	struct proxy_flow flow = {.device = s->device_id,
		.outcome = (uint8_t)outcome,
		.upstream = s->target,
		.upstream_port = s->upgrade.upstream_port};

	memcpy(flow.upgrade, s->upgrade.name, sizeof(flow.upgrade));
	memcpy(flow.upstream_name, s->name, sizeof(flow.upstream_name));
	snprintf(flow.reason, sizeof(flow.reason), "%s", reason);
	if (outcome == PROXY_OUTCOME_CLOSED || outcome == PROXY_OUTCOME_CARRIED)
		fill_bytes(s, &flow);
	flows->ops->tell(flows->ops->arg, &flow);
}

static void gone(struct session *session)
{
	flows_of(session)->count--;
	session_free(session);
}

static size_t count_device(const struct flows *flows, uint32_t id)
{
	size_t n = 0;

	list_for_each(it, &flows->sessions)
		n += container_of(it, struct session, link)->device_id == id;
	return n;
}

/* Before it is known who it is, the address must do. */
static size_t count_address(const struct flows *flows, const struct ip *ip)
{
	size_t n = 0;

	list_for_each(it, &flows->sessions)
		n += ip_equal(
			&container_of(it, struct session, link)->peer, ip);
	return n;
}

static bool is_full(const struct flows *flows, const struct ip *peer)
{
	return flows->count >= FLOWS_MAX ||
	       count_address(flows, peer) >= FLOWS_PER_DEVICE;
}

static void say_direct(const struct ip *peer, int error)
{
	char address[IP_TEXT];

	if (!log_allowed(&direct_lines))
		return;
	log_warning("refused a connection of %s: %s", ip_format(peer, address),
		error == -EADDRNOTAVAIL
			? "it was meant for the gateway itself"
			: "it dialled the proxy, which only takes redirected "
			  "connections");
}

static void say_full(const struct ip *peer)
{
	char address[IP_TEXT];

	if (log_allowed(&full_lines))
		log_warning("refused a connection of %s: too many are open",
			ip_format(peer, address));
}

static void begin_session(struct flows *flows, struct session *session)
{
	session->owner = flows;
	session->cookie = ++flows->last_cookie;
	list_append(&flows->sessions, &session->link);
	flows->count++;
	session_begin(session);
}

/* Takes fd. */
static void take(struct flows *flows, const struct proxy_upgrade *upgrade,
	int fd, const struct sockaddr_storage *from)
{
	struct session *session;
	struct ip peer, target;
	uint16_t peer_port, port;
	int r;

	r = ip_from_sockaddr((const struct sockaddr *)from, &peer, &peer_port);
	if (r < 0) {
		close(fd);
		return;
	}
	r = flows->ops->origin(fd, &target, &port);
	if (r < 0 || is_full(flows, &peer)) {
		if (r < 0)
			say_direct(&peer, r);
		else
			say_full(&peer);
		session_reset(fd);
		return;
	}
	if (session_new(&flows->host, fd, upgrade, &session) < 0)
		return;
	session->peer = peer;
	session->target = target;
	begin_session(flows, session);
}

static void listener_ready(struct watch *watch, uint32_t events)
{
	struct flows_listener *listener = container_of(
		watch, struct flows_listener, watch);
	struct flows *flows = listener->flows;
	const struct proxy_upgrade *upgrade =
		&flows->wanted->upgrades[listener->upgrade];

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage from = {0};
		socklen_t size = sizeof(from);
		int fd = accept4(watch->fd, (struct sockaddr *)&from, &size,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		take(flows, upgrade, fd, &from);
	}
}

static void report_carried(struct timer *timer)
{
	struct flows *flows = container_of(timer, struct flows, reports);

	list_for_each(it, &flows->sessions) {
		struct session *s = container_of(it, struct session, link);

		if (s->opened && s->state == SESSION_STATE_RELAYING &&
			(s->relay.up_bytes != s->told_up ||
				s->relay.down_bytes != s->told_down))
			report(s, PROXY_OUTCOME_CARRIED, "");
	}
	loop_set_timer(flows->host.loop, timer, FLOWS_REPORT_MS);
}

void flows_init(
	struct flows *flows, struct loop *loop, const struct flows_ops *ops)
{
	*flows = (struct flows){
		.host = {.loop = loop,
			.ask = ask,
			.trust = trust,
			.report = report,
			.gone = gone},
		.ops = ops,
		.reports.fired = report_carried,
	};
	list_init(&flows->sessions);
	for (size_t i = 0; i < PROXY_UPGRADES_MAX; i++)
		flows->listeners[i].watch.fd = -1;
	loop_set_timer(loop, &flows->reports, FLOWS_REPORT_MS);
}

static void unlisten(struct flows *flows)
{
	for (size_t i = 0; i < PROXY_UPGRADES_MAX; i++)
		if (flows->listeners[i].watch.active)
			loop_remove_watch(
				flows->host.loop, &flows->listeners[i].watch);
}

static int listen_all(struct flows *flows, const struct wanted *wanted)
{
	int r = 0;

	for (size_t i = 0; i < wanted->n_listeners && r == 0; i++) {
		struct flows_listener *listener = &flows->listeners[i];

		listener->watch.ready = listener_ready;
		listener->flows = flows;
		listener->upgrade = wanted->listeners[i].upgrade;
		r = loop_add_watch(flows->host.loop, &listener->watch,
			wanted->listeners[i].fd, EPOLLIN);
	}
	return r;
}

/* Does the new configuration still have what this session is about? */
static bool is_still_wanted(
	const struct wanted *wanted, const struct session *s)
{
	const struct proxy_upgrade *upgrade = wanted_same_upgrade(
		wanted, &s->upgrade);
	const struct proxy_device *device;

	if (!upgrade || s->device_id == 0)
		return upgrade != NULL;
	device = wanted_device(wanted, s->device_id);
	return device && (device->upgrades & UINT64_C(1) << upgrade->index);
}

static void review_sessions(struct flows *flows)
{
	list_for_each_safe(it, &flows->sessions) {
		struct session *s = container_of(it, struct session, link);
		const struct proxy_upgrade *upgrade = wanted_same_upgrade(
			flows->wanted, &s->upgrade);

		if (!is_still_wanted(flows->wanted, s))
			session_stop(s, "it is no longer configured");
		else
			s->upgrade.index = upgrade->index;
	}
}

int flows_apply(struct flows *flows, struct wanted *wanted)
{
	int r;

	unlisten(flows);
	r = listen_all(flows, wanted);
	if (r < 0) {
		unlisten(flows);
		if (flows->wanted && listen_all(flows, flows->wanted) < 0)
			log_error("cannot listen any more");
		return r;
	}
	wanted_free(flows->wanted);
	flows->wanted = wanted;
	review_sessions(flows);
	return 0;
}

static struct session *find_session(struct flows *flows, uint64_t cookie)
{
	list_for_each(it, &flows->sessions) {
		struct session *s = container_of(it, struct session, link);

		if (s->cookie == cookie)
			return s;
	}
	return NULL;
}

void flows_know(struct flows *flows, const struct proxy_who *is)
{
	struct session *s = find_session(flows, is->cookie);
	const struct proxy_device *device;

	if (!s)
		return;
	device = is->device ? wanted_device(flows->wanted, is->device) : NULL;
	if (!device)
		session_know(s, 0, NULL);
	else if (!(device->upgrades & UINT64_C(1) << s->upgrade.index))
		session_refuse(s, "this device does not use this upgrade");
	else if (count_device(flows, device->id) >= FLOWS_PER_DEVICE)
		session_refuse(s, "the device has too many connections");
	else
		session_know(s, device->id, device->name);
}

void flows_clear(struct flows *flows)
{
	unlisten(flows);
	list_for_each_safe(it, &flows->sessions)
		session_free(container_of(it, struct session, link));
	flows->count = 0;
	flows->wanted = wanted_free(flows->wanted);
	loop_stop_timer(flows->host.loop, &flows->reports);
}
