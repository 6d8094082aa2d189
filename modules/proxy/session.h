/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection of a device: whose it is, where it goes, the verified TLS
 * connection, and the bytes. A state machine on the loop; what it needs to
 * know of the world it asks its host.
 */
#ifndef GATEHOUSE_SESSION_H
#define GATEHOUSE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/lib/list.h"
#include "agent/lib/loop.h"
#include "agent/lib/net.h"
#include "modules/proxy/proxy_proto.h"
#include "modules/proxy/relay.h"
#include "modules/proxy/tls.h"

/* How long a state may last. */
#define SESSION_WHO_MS 5000
#define SESSION_HEAD_MS 10000
#define SESSION_CONNECT_MS 10000
#define SESSION_HANDSHAKE_MS 10000
#define SESSION_IDLE_MS (2 * 60 * 60 * 1000) /* no byte either way */
#define SESSION_HALF_IDLE_MS (5 * 60 * 1000) /* ... and one side has ended */
/* A peer that went without a word (no power, no air) is lost in 4 minutes. */
#define SESSION_PROBE_AFTER_S 120
#define SESSION_PROBE_EVERY_S 30
#define SESSION_PROBES 4
#define SESSION_LINGER_MS 1000 /* for a cut-off answer to arrive */

enum session_state {
	SESSION_STATE_WHO, /* waiting for whose address it is */
	SESSION_STATE_HEAD, /* reading which host is meant */
	SESSION_STATE_CONNECTING,
	SESSION_STATE_HANDSHAKE,
	SESSION_STATE_RELAYING,
	SESSION_STATE_CLOSING, /* told; gone at the next turn */
};

struct session;

/* Whoever keeps the sessions. Called from the loop. */
struct session_host {
	struct loop *loop;
	/* Whose address is session->peer? session_know() answers. */
	void (*ask)(struct session *session);
	/* Whom to trust now; borrowed for the call. */
	struct tls_context *(*trust)(struct session *session);
	/* OPENED, CLOSED, REFUSED; reason: see struct proxy_flow. */
	void (*report)(struct session *session, enum proxy_outcome outcome,
		const char *reason);
	/* It is over; session_free() it now or later. */
	void (*gone)(struct session *session);
};

struct session {
	struct list link; /* the host's */
	const struct session_host *host;
	void *owner; /* the host's */
	uint64_t cookie; /* the host's */
	enum session_state state;
	struct proxy_upgrade upgrade; /* a copy: reload may change it */
	uint32_t device_id; /* 0 before it is known */
	char device[RECORD_NAME]; /* "" before it is known */
	struct ip peer, target;
	uint16_t peer_port, target_port; /* the latter as the device dialled */
	char name[PROXY_HOSTNAME]; /* that the server must have */
	struct watch device_watch, upstream_watch;
	struct timer timer;
	int64_t active_ms; /* last byte */
	uint64_t seen_bytes;
	uint64_t told_up, told_down; /* the host's: bytes reported */
	bool opened; /* reported as such */
	struct tls *tls;
	struct track track;
	struct relay relay;
};

/*
 * Takes fd, a connection from a device that wanted to reach target; peer and
 * target are set by the caller in the result before session_begin().
 * -ENOMEM (fd is closed).
 */
_must_check_ int session_new(const struct session_host *host, int fd,
	const struct proxy_upgrade *upgrade, struct session **ret_session);
struct session *session_free(struct session *session);

/* Asks who it is. */
void session_begin(struct session *session);
/* The answer; id 0 for nobody we know. */
void session_know(struct session *session, uint32_t id, const char *device);
/* Ends it, from any state; reason for the owner. */
void session_refuse(struct session *session, const char *reason);
/* Ends it without blame, because the configuration has changed. */
void session_stop(struct session *session, const char *reason);

/* Closes fd so that the peer sees a reset. */
void session_reset(int fd);

const char *session_state_name(enum session_state state);

#endif
