/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flag with which a bridge keeps one port apart from the others that
 * have it (IFLA_BRPORT_ISOLATED), through libnl.
 */
#ifndef GATEHOUSE_ISOLATION_PORTS_H
#define GATEHOUSE_ISOLATION_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define PORTS_MAX 4096 /* bridge ports of this machine that are looked at */

struct nl_sock;

/* A port of any bridge, as it is. */
struct ports_fact {
	int32_t index;
	bool isolated;
	bool hairpin; /* sends back where it came from */
};

/* -errno. */
_must_check_ int ports_open(struct nl_sock **ret_sock);
/* All ports at this moment, by index; the caller frees the array. */
_must_check_ int ports_read(
	struct nl_sock *sock, struct ports_fact **ret_facts, size_t *ret_n);
/* -ENOENT: it is no port any more; -EOPNOTSUPP: its switch cannot. */
_must_check_ int ports_isolate(struct nl_sock *sock, int32_t index, bool on);
const struct ports_fact *ports_find(
	const struct ports_fact *facts, size_t n, int32_t index);

#endif
