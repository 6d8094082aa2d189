/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the discovery worker say to each other. Addresses are
 * in network order, ports in host order.
 */
#ifndef GATEHOUSE_DISCOVERY_PROTO_H
#define GATEHOUSE_DISCOVERY_PROTO_H

#include "agent/lib/ipc.h"
#include "agent/lib/net.h"

#define DISCOVERY_LOG_GROUP 5 /* of NFLOG, when none is configured */
#define DISCOVERY_TARGETS 4 /* told by name in one report */

enum discovery_message {
	/* down, between BEGIN and COMMIT */
	DISCOVERY_LOG = IPC_BASE_DISCOVERY, /* with the socket of a group */
	/* up */
	DISCOVERY_TRIED = IPC_BASE_DISCOVERY + 32,
	DISCOVERY_LOST,
};

/* The socket is bound and set up; the worker only reads it. */
struct discovery_log {
	uint16_t group;
	uint16_t zero[3];
};

/* Which rule logged it. */
enum discovery_reason {
	DISCOVERY_REASON_DENIED = 1, /* not on the device's allow-list */
	DISCOVERY_REASON_QUARANTINED = 2, /* of a stranger */
	DISCOVERY_REASON_BRIDGED = 3, /* to another port of its bridge */
};

struct discovery_target {
	struct ip to; /* family 0: no IP packet */
	uint16_t port; /* ICMP: type << 8 | code; no IP: the ethertype */
	uint8_t protocol;
	uint8_t zero[3];
	uint32_t records;
};

/* What one device was logged with, since it was reported last. */
struct discovery_tried {
	struct mac mac;
	uint8_t reason;
	uint8_t n_targets;
	uint32_t records; /* in all */
	uint32_t others; /* of targets that are not named here */
	struct discovery_target targets[DISCOVERY_TARGETS];
};

/* Records that are in no report; the kernel's counters have them. */
struct discovery_lost {
	uint64_t overrun; /* did not fit into the socket */
	uint64_t unread; /* could not be understood */
	uint64_t crowded; /* of more devices than are kept apart at once */
};

#endif
