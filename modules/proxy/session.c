/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session's way from accept() to the last byte. It connects nowhere before
 * it knows the device, and only to the address the device itself dialled; it
 * sends nothing before the server is verified. Any error ends this session
 * and no other. The bytes themselves are the relay's.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/proxy/session.h"
#include "modules/proxy/session_priv.h"

const char *session_state_name(enum session_state state)
{
	switch (state) {
	case SESSION_STATE_WHO:
		return "waiting-for-who";
	case SESSION_STATE_HEAD:
		return "reading-head";
	case SESSION_STATE_CONNECTING:
		return "connecting";
	case SESSION_STATE_HANDSHAKE:
		return "handshake";
	case SESSION_STATE_RELAYING:
		return "relaying";
	case SESSION_STATE_CLOSING:
		return "closing";
	}
	return "?";
}

static int64_t state_limit_ms(enum session_state state)
{
	switch (state) {
	case SESSION_STATE_WHO:
		return SESSION_WHO_MS;
	case SESSION_STATE_HEAD:
		return SESSION_HEAD_MS;
	case SESSION_STATE_CONNECTING:
		return SESSION_CONNECT_MS;
	case SESSION_STATE_HANDSHAKE:
		return SESSION_HANDSHAKE_MS;
	case SESSION_STATE_RELAYING:
		return SESSION_HALF_IDLE_MS;
	case SESSION_STATE_CLOSING:
		return 0;
	}
	return 0;
}

void session_enter_state(struct session *s, enum session_state state)
{
	if (s->state != state)
		log_debug("session %llu of %s: %s -> %s",
			(unsigned long long)s->cookie,
			s->device[0] ? s->device : "nobody yet",
			session_state_name(s->state),
			session_state_name(state));
	s->state = state;
	s->active_ms = clock_ms();
	loop_set_timer(s->host->loop, &s->timer, state_limit_ms(state));
}

/* RST instead of FIN: this was no proper end. */
static void arrange_reset(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void session_reset(int fd)
{
	arrange_reset(fd);
	close(fd);
}

static void close_watched(struct session *s, struct watch *watch)
{
	if (watch->fd < 0)
		return;
	if (watch->active)
		loop_remove_watch(s->host->loop, watch);
	close(watch->fd);
	watch->fd = -1;
}

static void unwatch(struct session *s, struct watch *watch)
{
	if (watch->active)
		loop_remove_watch(s->host->loop, watch);
}

/* Both sockets go, the session itself at the next turn. */
static void finish(struct session *s, bool proper)
{
	bool linger = s->relay.upstream_cut;

	if (!proper) {
		arrange_reset(s->device_watch.fd);
		arrange_reset(s->upstream_watch.fd);
	}
	s->tls = tls_free(s->tls);
	close_watched(s, &s->upstream_watch);
	if (linger)
		unwatch(s, &s->device_watch);
	else
		close_watched(s, &s->device_watch);
	session_enter_state(s, SESSION_STATE_CLOSING);
	if (linger)
		loop_set_timer(s->host->loop, &s->timer, SESSION_LINGER_MS);
}

static void report_end(struct session *s, const char *reason)
{
	if (s->opened)
		s->host->report(s, PROXY_OUTCOME_CLOSED, reason);
}

void session_refuse(struct session *s, const char *reason)
{
	if (s->state == SESSION_STATE_CLOSING)
		return;
	s->host->report(s, PROXY_OUTCOME_REFUSED, reason);
	report_end(s, "");
	finish(s, false);
}

void session_stop(struct session *s, const char *reason)
{
	if (s->state == SESSION_STATE_CLOSING)
		return;
	report_end(s, reason);
	finish(s, false);
}

static void refuse_request(struct session *s)
{
	char reason[TLS_REASON];

	snprintf(reason, sizeof(reason), "the request %s", s->relay.refused);
	session_refuse(s, reason);
}

int session_watch(struct session *s, struct watch *watch, int events)
{
	if (events == RELAY_UNWATCHED) {
		unwatch(s, watch);
		return 0;
	}
	if (watch->active) {
		loop_set_events(s->host->loop, watch, (uint32_t)events);
		return 0;
	}
	return loop_add_watch(
		s->host->loop, watch, watch->fd, (uint32_t)events);
}

static void watch_relay(struct session *s)
{
	int device, upstream;

	relay_events(&s->relay, &device, &upstream);
	if (session_watch(s, &s->device_watch, device) < 0 ||
		session_watch(s, &s->upstream_watch, upstream) < 0)
		session_stop(s, "the gateway is out of resources");
}

static void mark_activity(struct session *s)
{
	uint64_t bytes = s->relay.up_bytes + s->relay.down_bytes;

	if (bytes != s->seen_bytes)
		s->active_ms = clock_ms();
	s->seen_bytes = bytes;
}

static void turn_relay(struct session *s)
{
	enum relay_status status = relay_turn(&s->relay);

	mark_activity(s);
	switch (status) {
	case RELAY_STATUS_MORE:
		watch_relay(s);
		return;
	case RELAY_STATUS_OVER:
		report_end(s, "");
		finish(s, true);
		return;
	case RELAY_STATUS_BROKEN:
		if (s->relay.refused)
			refuse_request(s);
		else
			session_stop(s, s->relay.broken);
		return;
	}
}

void session_relay(struct session *s)
{
	session_enter_state(s, SESSION_STATE_RELAYING);
	s->relay.tls = s->tls;
	s->relay.upstream = s->upstream_watch.fd;
	s->opened = true;
	log_debug("session %llu: %s with %s", (unsigned long long)s->cookie,
		tls_version(s->tls), s->name);
	s->host->report(s, PROXY_OUTCOME_OPENED, "");
	turn_relay(s);
}

static void turn_head(struct session *s)
{
	enum relay_status status = relay_fill(&s->relay);

	if (status == RELAY_STATUS_BROKEN && s->relay.refused) {
		refuse_request(s);
	} else if (status == RELAY_STATUS_BROKEN) {
		session_stop(s, s->relay.broken);
	} else if (s->track.requests > 0) {
		memcpy(s->name, s->track.host, sizeof(s->track.host));
		session_dial(s);
	} else if (s->relay.device_ended) {
		session_stop(s, "the device ended before a request");
	}
}

static void start_head(struct session *s)
{
	track_init(&s->track, s->upgrade.port);
	s->relay.track = &s->track;
	session_enter_state(s, SESSION_STATE_HEAD);
	if (session_watch(s, &s->device_watch, EPOLLIN) < 0)
		session_stop(s, "the gateway is out of resources");
}

void session_know(struct session *s, uint32_t id, const char *device)
{
	if (s->state != SESSION_STATE_WHO)
		return;
	if (id == 0) {
		session_refuse(s, "the gateway does not know this device");
		return;
	}
	s->device_id = id;
	snprintf(s->device, sizeof(s->device), "%s", device);
	if (s->upgrade.upstream_name[0] != '\0') {
		memcpy(s->name, s->upgrade.upstream_name, sizeof(s->name));
		session_dial(s);
	} else if (s->upgrade.protocol == PROXY_PROTOCOL_HTTP) {
		start_head(s);
	} else {
		session_refuse(s, "no upstream-name says whom to expect");
	}
}

/* A reset, or the end of both directions while none was asked for. */
static bool is_lost(uint32_t events)
{
	return (events & (EPOLLERR | EPOLLHUP)) != 0;
}

static void device_ready(struct watch *watch, uint32_t events)
{
	struct session *s = container_of(watch, struct session, device_watch);

	switch (s->state) {
	case SESSION_STATE_HEAD:
		turn_head(s);
		return;
	case SESSION_STATE_WHO:
	case SESSION_STATE_CONNECTING:
	case SESSION_STATE_HANDSHAKE:
		if (is_lost(events))
			session_stop(s, "the device cut the connection");
		return;
	case SESSION_STATE_RELAYING:
		if (is_lost(events) && s->relay.device_ended &&
			!s->relay.device_told)
			session_stop(s, "the device cut the connection");
		else
			turn_relay(s);
		return;
	case SESSION_STATE_CLOSING:
		return;
	}
}

static void upstream_ready(struct watch *watch, uint32_t events)
{
	struct session *s = container_of(watch, struct session, upstream_watch);

	switch (s->state) {
	case SESSION_STATE_CONNECTING:
		session_dialled(s);
		return;
	case SESSION_STATE_HANDSHAKE:
		session_handshake(s);
		return;
	case SESSION_STATE_RELAYING:
		if (is_lost(events) && s->relay.upstream_ended)
			relay_lose_upstream(&s->relay);
		turn_relay(s);
		return;
	case SESSION_STATE_WHO:
	case SESSION_STATE_HEAD:
	case SESSION_STATE_CLOSING:
		return;
	}
}

/* Idle for too long, or looked at too early: then wait for the rest. */
static void check_idle(struct session *s)
{
	bool half = s->relay.device_ended || s->relay.upstream_ended ||
		    s->relay.upstream_told;
	int64_t limit = half ? SESSION_HALF_IDLE_MS : SESSION_IDLE_MS;
	int64_t left = s->active_ms + limit - clock_ms();

	if (left <= 0) {
		session_stop(s, "nothing was said for too long");
		return;
	}
	if (left > SESSION_HALF_IDLE_MS)
		left = SESSION_HALF_IDLE_MS;
	loop_set_timer(s->host->loop, &s->timer, left);
}

static void timer_fired(struct timer *timer)
{
	struct session *s = container_of(timer, struct session, timer);

	switch (s->state) {
	case SESSION_STATE_WHO:
		session_refuse(s, "nobody could say which device it is");
		return;
	case SESSION_STATE_HEAD:
		session_refuse(s, "the device sent no whole request in time");
		return;
	case SESSION_STATE_CONNECTING:
		session_refuse_upstream(s, "timed out while connecting");
		return;
	case SESSION_STATE_HANDSHAKE:
		session_refuse_upstream(s, "timed out in the TLS handshake");
		return;
	case SESSION_STATE_RELAYING:
		check_idle(s);
		return;
	case SESSION_STATE_CLOSING:
		s->host->gone(s);
		return;
	}
}

int session_new(const struct session_host *host, int fd,
	const struct proxy_upgrade *upgrade, struct session **ret_session)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	list_init(&s->link);
	s->host = host;
	s->upgrade = *upgrade;
	s->state = SESSION_STATE_WHO;
	s->device_watch = (struct watch){.fd = fd, .ready = device_ready};
	s->upstream_watch = (struct watch){.fd = -1, .ready = upstream_ready};
	s->timer.fired = timer_fired;
	s->relay.device = fd;
	s->relay.upstream = -1;
	session_set_options(fd);
	*ret_session = s;
	return 0;
}

void session_begin(struct session *s)
{
	session_enter_state(s, SESSION_STATE_WHO);
	if (session_watch(s, &s->device_watch, 0) < 0) {
		session_stop(s, "the gateway is out of resources");
		return;
	}
	s->host->ask(s);
}

struct session *session_free(struct session *s)
{
	if (!s)
		return NULL;
	loop_stop_timer(s->host->loop, &s->timer);
	list_remove(&s->link);
	tls_free(s->tls);
	close_watched(s, &s->upstream_watch);
	close_watched(s, &s->device_watch);
	free(s);
	return NULL;
}
