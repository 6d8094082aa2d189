/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the registry worker say to each other: what was seen of
 * devices goes down, what was decided about them comes up. Texts end with
 * NUL; unused bytes are zero.
 */
#ifndef GATEHOUSE_REGISTRY_PROTO_H
#define GATEHOUSE_REGISTRY_PROTO_H

#include <errno.h>

#include "agent/lib/ipc.h"
#include "agent/lib/net.h"
#include "agent/lib/record.h"

#define REGISTRY_ACTOR 64 /* "uid 0", "expiry", "discovery" */
#define REGISTRY_KEY 32
#define REGISTRY_VALUE 256
#define REGISTRY_SECONDS_MAX (31u * 24 * 3600) /* the longest decision */

/* What a device can make grow, and how far. */
#define REGISTRY_DECIDED_MAX 4096 /* devices that were decided about */
#define REGISTRY_STRANGERS_MAX 4096 /* and others that are remembered */
#define REGISTRY_NEW_EACH_S 1 /* strangers, after a burst of all of them */
#define REGISTRY_EVIDENCE_EACH 48 /* of a device */
#define REGISTRY_EVIDENCE_MAX 32768 /* of strangers together */
#define REGISTRY_ADDRESSES_EACH 16
#define REGISTRY_DENIED_EACH 32 /* different things that it tried */
#define REGISTRY_DENIED_MAX 32768
#define REGISTRY_LOG_MAX 20000 /* lines of the log; the oldest go */
#define REGISTRY_LOG_NEW_BURST 64 /* lines about new devices ... */
#define REGISTRY_LOG_NEW_S 600 /* ... then one in so many seconds */
#define REGISTRY_TIMED_MAX 256 /* decisions that end by themselves */

enum registry_message {
	/* down, at any time */
	REGISTRY_LIST = IPC_BASE_REGISTRY, /* tell all decisions, then END */
	REGISTRY_DECIDE,
	REGISTRY_SEEN,
	REGISTRY_EVIDENCE,
	REGISTRY_DENIED,
	/* up */
	REGISTRY_DEVICE = IPC_BASE_REGISTRY + 32,
	REGISTRY_END,
	REGISTRY_DECIDED, /* the answer to DECIDE, after its DEVICE */
	REGISTRY_KNOWN, /* one that was seen was known before */
	REGISTRY_TROUBLE,
};

enum registry_verdict {
	REGISTRY_VERDICT_NONE = 0, /* nobody decided */
	REGISTRY_VERDICT_APPROVED = 1,
	REGISTRY_VERDICT_QUARANTINE = 2,
	REGISTRY_VERDICT_BLOCKED = 3,
};

enum registry_kind {
	REGISTRY_KIND_APPROVE = 1, /* word: a profile, empty: as it is */
	REGISTRY_KIND_QUARANTINE = 2,
	REGISTRY_KIND_BLOCK = 3,
	REGISTRY_KIND_RENAME = 4, /* word: the name */
	REGISTRY_KIND_PROFILE = 5, /* word: the profile */
	REGISTRY_KIND_FORGET = 6,
	REGISTRY_KIND_PAUSE = 7, /* seconds 0: no longer */
};

struct registry_number {
	uint64_t number;
};

/* mac zero: all devices; for PAUSE only. */
struct registry_decide {
	uint64_t cookie;
	struct mac mac;
	uint8_t kind; /* enum registry_kind */
	uint8_t zero;
	uint32_t seconds; /* then it is as before; 0: lasting */
	uint32_t zero2;
	char word[RECORD_NAME];
	char actor[REGISTRY_ACTOR];
};

struct registry_decided {
	uint64_t cookie;
	int32_t error; /* 0 or negative errno */
	uint32_t zero;
};

/*
 * All that was decided about one device; with no verdict, name and pause:
 * nothing any more. mac zero: all devices, about a pause.
 */
struct registry_device {
	struct mac mac;
	uint8_t verdict; /* enum registry_verdict */
	uint8_t before; /* what returns when left is over */
	uint32_t left; /* seconds; 0: the verdict is lasting */
	uint32_t paused; /* seconds that it is let through; 0: it is not */
	int64_t since; /* of the verdict */
	int64_t first_seen, last_seen; /* 0: never */
	char name[RECORD_NAME]; /* empty: none was given */
	char profile[RECORD_NAME];
	char profile_before[RECORD_NAME];
	char actor[REGISTRY_ACTOR]; /* who decided */
};

struct registry_seen {
	struct mac mac;
	uint16_t zero;
	struct ip ip; /* family 0: none known */
	uint16_t zero2;
	char interface[16];
	char zone[RECORD_NAME];
};

/* Text is as the device said it: hostile. */
struct registry_evidence {
	struct mac mac;
	uint8_t source; /* whose numbers they are: discovery's */
	uint8_t confidence; /* percent */
	char key[REGISTRY_KEY];
	char value[REGISTRY_VALUE];
};

struct registry_denied {
	struct mac mac;
	uint16_t port;
	struct ip to; /* family 0: no IP */
	uint8_t protocol;
	uint8_t zero;
	uint32_t count;
};

struct registry_known {
	struct mac mac;
	uint16_t zero;
	uint32_t zero2;
	int64_t first_seen;
};

/* Something the owner should know about the database itself. */
struct registry_trouble {
	char code[32];
	char text[256];
};

/*
 * In the agent, for other modules. What is observed is passed on if there is
 * a registry, else forgotten. Texts are cut, not refused.
 */
struct agent;
#ifdef WITH_REGISTRY
void registry_saw(struct agent *agent, const struct registry_seen *seen);
void registry_heard(
	struct agent *agent, const struct registry_evidence *evidence);
void registry_was_denied(
	struct agent *agent, const struct registry_denied *denied);
/*
 * A local user decides; device is the number of its record, 0: all. 0: the
 * answer goes out later as BUS_REPLY with the cookie of decide. -errno: it
 * does not; -ENOENT: no registry is running.
 */
int registry_ask(struct agent *agent, uint32_t device, uint32_t uid,
	const struct registry_decide *decide);
#else
static inline void registry_saw(
	struct agent *agent, const struct registry_seen *seen)
{
	(void)agent, (void)seen;
}
static inline void registry_heard(
	struct agent *agent, const struct registry_evidence *evidence)
{
	(void)agent, (void)evidence;
}
static inline void registry_was_denied(
	struct agent *agent, const struct registry_denied *denied)
{
	(void)agent, (void)denied;
}
static inline int registry_ask(struct agent *agent, uint32_t device,
	uint32_t uid, const struct registry_decide *decide)
{
	(void)agent, (void)device, (void)uid, (void)decide;
	return -ENOENT;
}
#endif

#endif
