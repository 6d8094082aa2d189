/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent knows of decisions: a copy of what the registry told, which
 * stays when its worker is gone. No I/O.
 */
#ifndef GATEHOUSE_REGISTRY_AGENT_KNOWN_H
#define GATEHOUSE_REGISTRY_AGENT_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/registry/registry_proto.h"

struct known {
	struct registry_device told;
	int64_t ends_ms; /* of the verdict, by clock_ms(); 0: lasting */
	int64_t pause_ms; /* the pause ends; 0: there is none */
	struct known *next; /* in the bucket */
	bool fresh; /* told since known_begin() */
};

/* A list of all begins; what is not told until known_end() is gone. */
void known_begin(void);
void known_end(void);
/* -EINVAL: makes no sense; -ENOSPC; -ENOMEM. */
_must_check_ int known_put(const struct registry_device *told, int64_t now_ms);
/* NULL: nothing was decided about it. */
const struct known *known_find(const struct mac *mac);
/* The same of all devices together. */
const struct known *known_all(void);
/* NULL first; in no order. */
const struct known *known_next(const struct known *after);
/* What counts at this moment, also if its end was not told yet. */
uint8_t known_verdict(const struct known *known, int64_t now_ms);
const char *known_profile(const struct known *known, int64_t now_ms);
bool known_is_paused(const struct known *known, int64_t now_ms);
/* Is it about all devices? */
bool known_is_all(const struct known *known);
/* Milliseconds until something ends; -1: nothing does. */
int64_t known_next_end(int64_t now_ms);
void known_clear(void);

#endif
