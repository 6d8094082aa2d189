/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of local users that wait: first for the bus to say who asks, then
 * for the agent's answer.
 */
#ifndef GATEHOUSE_BUS_CALLS_H
#define GATEHOUSE_BUS_CALLS_H

#include SDBUS_HEADER

#include "agent/lib/worker.h"
#include "modules/bus/bus_proto.h"

#define CALLS_ATTEMPTS_MAX 16384 /* in one answer; more are left out */

struct port;

struct call {
	uint64_t cookie; /* 0: this place is free */
	enum bus_verb verb;
	uint32_t uid;
	sd_bus_message *message;
	sd_bus_slot *who; /* the question to the bus */
	struct bus_attempt *attempts;
	size_t n_attempts, room_attempts;
	int64_t due_ms; /* given up then */
};

struct calls {
	struct call waiting[BUS_CALLS_MAX];
	uint64_t last_cookie;
	struct timer expiry;
};

/*
 * Begins to answer a method call; the result is sd-bus's to return. Refused
 * with Busy when BUS_CALLS_MAX wait already.
 */
_must_check_ int calls_begin(
	struct port *port, sd_bus_message *message, enum bus_verb verb);
/* The agent's answers; one that nobody waits for any more is dropped. */
void calls_attempt(struct port *port, const struct bus_attempt *attempt);
void calls_attempts_end(struct port *port, uint64_t cookie);
void calls_because(struct port *port, const struct bus_because *because);
void calls_reply(struct port *port, const struct bus_reply *reply);
/* For those who answer: the call with this cookie, NULL; done with it. */
struct call *calls_find(struct calls *calls, uint64_t cookie);
void calls_release(struct call *call);
/* Answers with an array of such rows, which append() adds. -errno. */
_must_check_ int calls_answer_list(struct call *call, const char *row,
	int (*append)(sd_bus_message *m, void *arg), void *arg);
/* The connection is gone, and with it everybody who waited. */
void calls_drop(struct port *port);

#endif
