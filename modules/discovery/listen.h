/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hears frames of devices and tells what they say of themselves. */
#ifndef GATEHOUSE_DISCOVERY_LISTEN_H
#define GATEHOUSE_DISCOVERY_LISTEN_H

#include "agent/lib/loop.h"
#include "modules/discovery/match/gather.h"
#include "modules/discovery/match/news.h"

#define LISTEN_READS 64 /* frames of one socket, then others have their turn */

/*
 * A device is told of before what it says: whoever keeps evidence must know
 * whose it is. More than so many at once are told at once.
 */
#define LISTEN_HOLD_MS 3000
#define LISTEN_HELD_MAX 256

struct listen_held {
	int64_t due_ms;
	struct discovery_evidence evidence;
};

struct listen_ear {
	struct watch watch;
	struct listen *listen;
};

struct listen {
	struct loop *loop;
	struct listen_ear ears[DISCOVERY_EARS_MAX];
	struct news news;
	struct gather gather;
	struct listen_held held[LISTEN_HELD_MAX]; /* a ring */
	size_t first, n_held;
	struct timer timer;
	void (*tell)(const struct discovery_evidence *evidence);
};

/* tell: what is new. */
void listen_init(struct listen *listen, struct loop *loop, uint64_t secret,
	void (*tell)(const struct discovery_evidence *evidence));
/* Takes fd, also when it fails. -EPROTO, -errno. */
_must_check_ int listen_add(
	struct listen *listen, const struct discovery_ear *about, int fd);
/* Another configuration is in force: the agent sends its sockets anew. */
void listen_clear(struct listen *listen);

#endif
