/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is there: the kernel's tables of neighbours and of bridge ports,
 * through libnl. Never a packet, only what the kernel made of it.
 */
#ifndef GATEHOUSE_ISOLATION_NEIGH_H
#define GATEHOUSE_ISOLATION_NEIGH_H

#include "agent/lib/loop.h"
#include "agent/lib/net.h"

#define NEIGH_SWEEP_MS 60000 /* what events missed is found by then */
#define NEIGH_SOON_MS 1000 /* ... or by then, when it is known of */

struct nl_sock;

/* One entry; a bridge port's has no address. */
struct neigh_fact {
	int32_t index; /* of the interface or port */
	struct mac mac;
	struct ip ip; /* family 0: none */
};

struct neigh {
	struct nl_sock *ask, *events;
	struct loop *loop;
	struct watch watch;
	struct timer sweep;
	bool again; /* there is more to be told */
	/* False: not now, ask again. */
	bool (*on_seen)(struct neigh *neigh, const struct neigh_fact *fact);
};

_must_check_ int neigh_open(struct neigh *neigh);
_must_check_ int neigh_start(struct neigh *neigh, struct loop *loop);
/* Tells all that are there at this moment. */
void neigh_sweep(struct neigh *neigh);
/* The MAC of an address on one interface. -ENOENT. */
_must_check_ int neigh_find(struct neigh *neigh, int32_t index,
	const struct ip *ip, struct mac *ret_mac);

/* Tells what has happened up to now, before the loop would. */
void neigh_hear(struct neigh *neigh);
/* The interface by which packets to the address leave; negative: none. */
_must_check_ int neigh_route(struct neigh *neigh, const struct ip *ip);

#endif
