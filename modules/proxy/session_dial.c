/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session's way to the server: connect to the address the device dialled,
 * at the upgrade's port, and get the server verified. No byte of the device
 * leaves from here; every failure has words of its own.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "modules/proxy/session_priv.h"

/*
 * The system's own patience of two hours would let a device that comes and
 * goes use up all its connections.
 */
void session_set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, SESSION_PROBE_AFTER_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, SESSION_PROBE_EVERY_S},
		{IPPROTO_TCP, TCP_KEEPCNT, SESSION_PROBES},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		setsockopt(fd, options[i].level, options[i].name,
			&options[i].value, sizeof(options[i].value));
}

void session_refuse_upstream(struct session *s, const char *what)
{
	char reason[TLS_REASON], address[IP_TEXT];

	ip_format(&s->target, address);
	snprintf(reason, sizeof(reason), "%.60s (%s port %u): %s", s->name,
		address, s->upgrade.upstream_port, what);
	session_refuse(s, reason);
}

void session_handshake(struct session *s)
{
	switch (tls_handshake(s->tls)) {
	case TLS_STATUS_DONE:
		session_relay(s);
		return;
	case TLS_STATUS_WANTS_INPUT:
		session_watch(s, &s->upstream_watch, EPOLLIN);
		return;
	case TLS_STATUS_WANTS_OUTPUT:
		session_watch(s, &s->upstream_watch, EPOLLOUT);
		return;
	case TLS_STATUS_FAILED:
	case TLS_STATUS_CLOSED:
		session_refuse_upstream(s, tls_reason(s->tls));
		return;
	}
}

static const char *explain_connect(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connection refused";
	case ETIMEDOUT:
		return "timed out while connecting";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "cannot be reached from the gateway";
	case EACCES:
	case EPERM:
		return "the gateway may not connect there";
	default:
		return strerror(error);
	}
}

void session_dialled(struct session *s)
{
	int error = 0, r;
	socklen_t size = sizeof(error);

	if (getsockopt(s->upstream_watch.fd, SOL_SOCKET, SO_ERROR, &error,
		    &size) < 0)
		error = errno;
	if (error != 0) {
		session_refuse_upstream(s, explain_connect(error));
		return;
	}
	r = tls_open(s->host->trust(s), s->upstream_watch.fd, s->name, &s->tls);
	if (r < 0) {
		session_refuse_upstream(
			s, r == -EINVAL ? "no certificate can have this name"
					: "the gateway is out of memory");
		return;
	}
	session_enter_state(s, SESSION_STATE_HANDSHAKE);
	session_handshake(s);
}

static int open_upstream(struct session *s)
{
	struct sockaddr_storage sa;
	socklen_t length;
	int fd;

	fd = socket(s->target.family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	s->upstream_watch.fd = fd;
	session_set_options(fd);
	length = ip_to_sockaddr(&s->target, s->upgrade.upstream_port, &sa);
	if (connect(fd, (struct sockaddr *)&sa, length) < 0 &&
		errno != EINPROGRESS)
		return -errno;
	return session_watch(s, &s->upstream_watch, EPOLLOUT);
}

/* The device waits; a watch without events still hears of a reset. */
void session_dial(struct session *s)
{
	int r;

	/* No date of any certificate could be judged. */
	if (clock_wall() < BUILD_TIME) {
		session_refuse_upstream(s, "the gateway's clock is not set");
		return;
	}
	session_watch(s, &s->device_watch, 0);
	session_enter_state(s, SESSION_STATE_CONNECTING);
	r = open_upstream(s);
	if (r < 0)
		session_refuse_upstream(s, explain_connect(-r));
}
