/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE by two sockets: one that asks, one that hears what changes. */
#ifndef GATEHOUSE_ISOLATION_RTSOCK_H
#define GATEHOUSE_ISOLATION_RTSOCK_H

#include <stddef.h>

#include "modules/isolation/kernel/nft_dump.h"

struct rtsock {
	int ask, events;
	uint32_t seq;
};

/* Joins these groups (RTNLGRP_...). -errno: nothing is open. */
_must_check_ int rtsock_open(
	struct rtsock *rtsock, const int *groups, size_t n_groups);
void rtsock_close(struct rtsock *rtsock);
/* Sends a request and reads its answer; each message of a list to row(). */
_must_check_ int rtsock_ask(struct rtsock *rtsock, struct nlmsghdr *request,
	nft_dump_row row, void *arg);

#endif
