/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All sessions: takes connections off the listening sockets, keeps count,
 * and carries live sessions over a change of what is wanted.
 */
#ifndef GATEHOUSE_FLOWS_H
#define GATEHOUSE_FLOWS_H

#include "agent/lib/list.h"
#include "agent/lib/loop.h"
#include "modules/proxy/proxy_proto.h"
#include "modules/proxy/session.h"
#include "modules/proxy/wanted.h"

#define FLOWS_MAX 512 /* sessions; two descriptors each */
#define FLOWS_PER_DEVICE 64 /* so many devices cannot be shut out by few */
#define FLOWS_REPORT_MS 5000 /* between reports of what was carried */

struct flows;

struct flows_listener {
	struct watch watch;
	struct flows *flows;
	uint16_t upgrade;
};

/* Whom the sessions' questions and reports go to. */
struct flows_ops {
	void (*ask)(void *arg, const struct proxy_who *who);
	void (*tell)(void *arg, const struct proxy_flow *flow);
	/* Where did this connection want to go? As origin_find(). */
	int (*origin)(int fd, struct ip *ret_ip, uint16_t *ret_port);
	void *arg;
};

struct flows {
	struct session_host host;
	const struct flows_ops *ops;
	struct wanted *wanted; /* in force; owned */
	struct flows_listener listeners[PROXY_UPGRADES_MAX];
	struct list sessions;
	size_t count;
	uint64_t last_cookie;
	struct timer reports;
};

void flows_init(
	struct flows *flows, struct loop *loop, const struct flows_ops *ops);
/* Ends everything. */
void flows_clear(struct flows *flows);
/*
 * Puts wanted in force and owns it from then on. Sessions whose device still
 * uses their upgrade as it was go on, the others end. -errno: nothing has
 * changed, wanted stays the caller's.
 */
_must_check_ int flows_apply(struct flows *flows, struct wanted *wanted);
/* The answer to ask(). An unknown cookie is of a session that ended. */
void flows_know(struct flows *flows, const struct proxy_who *is);

#endif
