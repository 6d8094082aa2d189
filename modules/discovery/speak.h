/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's sockets for reflecting: what the kernel lets it hear goes into
 * the decision, and what is decided is said.
 */
#ifndef GATEHOUSE_DISCOVERY_SPEAK_H
#define GATEHOUSE_DISCOVERY_SPEAK_H

#include "modules/discovery/nflog.h"
#include "modules/discovery/reflect.h"

struct speak {
	struct reflect reflect;
	/* -1: none yet. */
	int fds[DISCOVERY_LINKS_MAX][DISCOVERY_CHANNELS_MAX][2];
	uint32_t index[DISCOVERY_LINKS_MAX]; /* of the interfaces; 0: none */
	uint64_t unsent; /* the kernel did not want it */
};

void speak_init(struct speak *speak);
/* Takes the plan; its sockets come later. */
void speak_plan(struct speak *speak, struct plan *plan);
/* Takes fd in any case. -EPROTO: of nothing in the plan. */
_must_check_ int speak_socket(
	struct speak *speak, const struct discovery_socket *about, int fd);
/* All that one read of the kernel's log gave. */
void speak_read(struct speak *speak, const void *bytes, size_t size);

#endif
