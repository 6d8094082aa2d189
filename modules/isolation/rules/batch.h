/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One nftables transaction in the making: netlink messages one after the
 * other in memory, each with a note of what it was for, so that a refusal of
 * the kernel can be told in words. Pure, but for memory: who runs out of it
 * here ends (the rules in force stay, and a new worker begins).
 */
#ifndef GATEHOUSE_ISOLATION_BATCH_H
#define GATEHOUSE_ISOLATION_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define BATCH_ROOM (160u << 10) /* libnftnl never looks how much is left */
#define BATCH_NOTE 72

struct nlmsghdr;

struct batch_note {
	uint32_t seq;
	char what[BATCH_NOTE];
};

struct batch {
	char *bytes;
	size_t length, room;
	struct batch_note *notes;
	size_t n_notes, notes_room;
	uint32_t seq; /* of the last message */
};

/* The first number, so that an answer is never taken for an older one's. */
void batch_begin(struct batch *batch, uint32_t seq);
/* A message with room for its contents; type is NFT_MSG_... */
struct nlmsghdr *batch_message(struct batch *batch, uint16_t type,
	uint16_t family, uint16_t flags, const char *what, ...) _printf_(5, 6);
/* The message is complete. */
void batch_add(struct batch *batch, const struct nlmsghdr *message);
/* A list of questions instead, outside of a transaction. */
void batch_begin_questions(struct batch *batch, uint32_t seq);
void batch_end_questions(struct batch *batch);
/* Ends the transaction; the message before the end asks for an answer. */
void batch_end(struct batch *batch);
void batch_free(struct batch *batch);
/* What the message with this number was for. Never NULL. */
const char *batch_what(const struct batch *batch, uint32_t seq);

/* Ends the process if p is NULL. */
void *must_have(void *p);

#endif
