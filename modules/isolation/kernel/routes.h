/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces that the main table's default routes lead to. */
#ifndef GATEHOUSE_ISOLATION_ROUTES_H
#define GATEHOUSE_ISOLATION_ROUTES_H

#include "agent/lib/loop.h"
#include "modules/isolation/kernel/rtsock.h"

#define ROUTES_MAX 64 /* interfaces with default routes */

struct nlmsghdr;

/* Indexes of interfaces; several routes may lead to one. */
struct routes_found {
	int32_t index[ROUTES_MAX];
	size_t n;
};

struct routes {
	struct rtsock rtsock;
	struct watch watch;
	/* A default route came, went or changed. */
	void (*on_change)(struct routes *routes);
};

/* Opens the sockets. -errno. */
_must_check_ int routes_open(struct routes *routes);
void routes_close(struct routes *routes);
_must_check_ int routes_start(struct routes *routes, struct loop *loop);
/* Of both families, at this moment. */
_must_check_ int routes_read(
	struct routes *routes, struct routes_found *ret_found);
/*
 * Is the message of the kernel about a default route of the main table? Then
 * what it leads to is added, each once. Pure.
 */
bool routes_take(const struct nlmsghdr *message, struct routes_found *found);

#endif
