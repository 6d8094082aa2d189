/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bridge ports' isolated flag has to be changed, and which of them we
 * changed and owe to put back. Pure: what the kernel says comes in, what is
 * to be done comes out.
 */
#ifndef GATEHOUSE_ISOLATION_APART_H
#define GATEHOUSE_ISOLATION_APART_H

#include "modules/isolation/kernel/ports.h"
#include "modules/isolation/topology.h"

#define APART_OURS_MAX ISOLATION_PORTS_MAX

enum apart_verb {
	APART_ASK = 1, /* it must be written down first */
	APART_SET = 2, /* isolate it */
	APART_CLEAR = 3, /* put it back, then it is not ours any more */
	APART_FORGET = 4, /* it is gone, and the flag with it */
};

struct apart_step {
	enum apart_verb verb;
	char interface[16];
	int32_t index;
};

/* Ports that we may isolate and have to put back. All zero is none. */
struct apart {
	struct {
		char interface[16];
		int32_t index;
	} ours[APART_OURS_MAX];
	size_t n;
};

/* It is written down. 1: is news; 0; -EINVAL for one that no agent sends, -ENOSPC. */
_must_check_ int apart_add(
	struct apart *apart, const struct isolation_apart *may);
void apart_drop(struct apart *apart, const char *interface, int32_t index);
/*
 * What makes the flags as topology wants them, at most
 * TOPOLOGY_PORTS_MAX + APART_OURS_MAX steps; the caller frees the array. A
 * flag that somebody else set is left alone.
 */
size_t apart_plan(const struct apart *apart, const struct topology *topology,
	const struct ports_fact *facts, size_t n,
	struct apart_step **ret_steps);

#endif
