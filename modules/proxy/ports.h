/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listening sockets, kept in the agent: a reload or a new worker goes on
 * with the same ones, so that no connection in their queues is lost.
 */
#ifndef GATEHOUSE_PORTS_H
#define GATEHOUSE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"
#include "modules/proxy/proxy_proto.h"

#define PORTS_BACKLOG 128

/* Zeroed memory is an empty one; room for an old and a new configuration. */
struct ports {
	struct {
		uint16_t port;
		int fd;
		bool in_force;
	} open[2 * PROXY_UPGRADES_MAX];
	size_t n;
	uint16_t deaf; /* 0: not taken yet */
};

/*
 * n from first on are wanted now: closes those that were opened for a
 * configuration that never came about.
 */
void ports_begin(struct ports *ports, uint16_t first, size_t n);
/* The socket of a port, for both families; stays ours. -errno of bind(). */
_must_check_ int ports_open(struct ports *ports, uint16_t port, int *ret_fd);
/*
 * The port for devices whose own is not open: ours for good, and never
 * listening, so that nobody else gets what was meant for the proxy. -errno.
 */
_must_check_ int ports_deaf(struct ports *ports, uint16_t *ret_port);
bool ports_is_open(const struct ports *ports, uint16_t port);
/* The n from first on are in force; closes all others. */
void ports_keep(struct ports *ports, uint16_t first, size_t n);

#endif
