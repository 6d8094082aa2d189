/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of "why" and what is answered. Pure but for memory. */
#ifndef GATEHOUSE_CTL_WHY_H
#define GATEHOUSE_CTL_WHY_H

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define WHY_TARGET 64
#define WHY_PAIRS_MAX 24

struct why_answer {
	struct {
		char *key, *text;
	} pairs[WHY_PAIRS_MAX];
	size_t n;
};

/* "tcp/443", "udp/53", "icmp". -EINVAL. */
_must_check_ int why_parse_service(
	const char *text, char ret_protocol[static 8], uint16_t *ret_port);
/* Adds a copy; what is too much is left out. */
void why_add(struct why_answer *answer, const char *key, const char *text);
/* Empty when it was not answered. */
const char *why_get(const struct why_answer *answer, const char *key);
void why_clear(struct why_answer *answer);

#endif
