/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces of this machine, as facts for topology.h, through libnl. */
#ifndef GATEHOUSE_ISOLATION_LINKS_H
#define GATEHOUSE_ISOLATION_LINKS_H

#include "agent/lib/loop.h"
#include "modules/isolation/topology.h"

/* More interfaces than this are not looked at. */
#define LINKS_MAX 8192
#define LINKS_ADDRESSES_MAX 65536
/* A burst of changes costs one look. */
#define LINKS_SETTLE_MS 5

struct nl_sock;

struct links {
	struct nl_sock *ask, *events;
	struct loop *loop;
	struct watch watch;
	struct timer settle;
	/* An interface or an address came, went or changed. */
	void (*on_change)(struct links *links);
};

/* Opens the sockets. -errno. */
_must_check_ int links_open(struct links *links);
_must_check_ int links_start(struct links *links, struct loop *loop);
/* All interfaces at this moment; the caller frees the array. */
_must_check_ int links_read(
	struct links *links, struct topology_fact **ret_facts, size_t *ret_n);

/* The addresses of this machine at this moment; the caller frees the array. */
_must_check_ int links_read_addresses(struct links *links,
	struct topology_address **ret_addresses, size_t *ret_n);

/* libnl's code as -errno. */
int links_error(int code);

#endif
