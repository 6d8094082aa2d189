/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the bus worker say to each other: the worker mirrors
 * the state and passes calls of local users on, after asking who they are.
 */
#ifndef GATEHOUSE_BUS_PROTO_H
#define GATEHOUSE_BUS_PROTO_H

#include "agent/lib/ipc.h"
#include "agent/lib/record.h"
#include "modules/discovery/discovery_proto.h"

#define BUS_CALLS_MAX 32 /* unanswered at once; more are refused */
#define BUS_CONFIRM_MAX 86400 /* seconds that a configuration is on trial */

enum bus_message {
	/* down */
	BUS_SOCKET = IPC_BASE_BUS, /* a connection to the system bus */
	BUS_GATEWAY,
	BUS_DEVICE,
	BUS_DEVICE_GONE,
	BUS_WARNING,
	BUS_WARNING_GONE,
	BUS_ATTEMPT, /* part of the answer to BUS_VERB_ATTEMPTS */
	BUS_REPLY,
	BUS_BECAUSE, /* the answer to BUS_VERB_WHY */
	BUS_ATTEMPTS_END, /* the answer to BUS_VERB_ATTEMPTS, and to no other */
	BUS_TRIED, /* told to all at once, kept by nobody */
	/* up */
	BUS_CALL = IPC_BASE_BUS + 32,
	BUS_FILE, /* with a file that belongs to a call; sent before it */
	BUS_LOST, /* the bus closed the connection: please get a new one */
};

enum bus_verb {
	BUS_VERB_RELOAD = 1,
	BUS_VERB_ATTEMPTS = 2,
	BUS_VERB_UPDATE_CHECK = 3, /* needs both files */
	BUS_VERB_UPDATE_APPLY = 4, /* needs both files */
	BUS_VERB_APPLY = 5, /* number: seconds to confirm it */
	BUS_VERB_CONFIRM = 6,
	BUS_VERB_WHY = 7, /* number: a device; with a question */
	BUS_VERB_DECIDE = 8, /* number: a device, 0: all; with a decision */
};

enum bus_part {
	BUS_PART_STATEMENT = 1,
	BUS_PART_PACKAGE = 2,
};

struct bus_number {
	uint32_t id;
};

struct bus_call {
	uint64_t cookie;
	uint32_t verb;
	uint32_t uid; /* of the caller, as the bus says */
	uint32_t number; /* what it gave; 0: nothing */
	uint32_t zero;
	/* WHY: what the device would open. */
	struct bus_question {
		uint32_t to_device; /* ... or 0 */
		uint16_t port;
		uint8_t protocol;
		uint8_t gateway; /* 1: the gateway itself */
		struct ip to; /* family 0: one of the others */
		uint16_t zero;
	} question;
	/* DECIDE: what. */
	struct bus_decision {
		uint32_t kind; /* enum registry_kind */
		uint32_t seconds;
		char word[RECORD_NAME]; /* a profile or a name */
	} decision;
};

/* In words; what does not apply is empty. */
struct bus_because {
	uint64_t cookie;
	uint8_t allowed; /* by the rules */
	uint8_t passes; /* allowed, or only observed */
	uint8_t mode; /* enum record_mode */
	uint8_t kernel; /* 1: its own sets say the same; 2: they do not */
	uint32_t zero;
	char reason[192];
	char rule[384]; /* the line that it is about, with its place */
	char advice[384]; /* what would allow it */
	char upgrade[256]; /* how it goes on */
	char foreign[256]; /* who else drops it */
	char limits[512]; /* how much of it */
};

struct bus_file {
	uint64_t cookie;
	uint32_t part;
	uint32_t zero;
};

struct bus_attempt {
	uint64_t cookie;
	uint64_t packets;
	struct ip to;
	struct mac mac;
	uint32_t device; /* record id; 0 = not on record */
	uint16_t port;
	uint8_t protocol;
	uint8_t observed;
};

struct bus_tried {
	uint32_t device; /* record id; 0 = not on record */
	uint32_t zero;
	struct discovery_tried tried;
};

struct bus_attempts_end {
	uint64_t cookie;
};

struct bus_reply {
	uint64_t cookie;
	int32_t error; /* 0 or negative errno */
	uint32_t zero;
	char text[1024]; /* for the owner */
};

#endif
