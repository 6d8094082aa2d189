/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent and the proxy worker say to each other. */
#ifndef GATEHOUSE_PROXY_PROTO_H
#define GATEHOUSE_PROXY_PROTO_H

#include "agent/lib/ipc.h"
#include "agent/lib/net.h"
#include "agent/lib/record.h"

#define PROXY_UPGRADES_MAX 64
#define PROXY_DEVICES_MAX 16384
#define PROXY_HOSTNAME 256

enum proxy_message {
	/* down, between BEGIN and COMMIT */
	PROXY_AUTHORITIES =
		IPC_BASE_PROXY, /* with a file of PEM certificates */
	PROXY_UPGRADE,
	PROXY_LISTENER, /* with a listening socket */
	PROXY_DEVICE,
	/* down, at any time */
	PROXY_IS = IPC_BASE_PROXY + 16,
	/* up */
	PROXY_WHO = IPC_BASE_PROXY + 32,
	PROXY_FLOW,
};

enum proxy_protocol {
	PROXY_PROTOCOL_TCP = 1, /* bytes, nothing known about them */
	PROXY_PROTOCOL_MQTT = 2,
	PROXY_PROTOCOL_HTTP = 3, /* name from Host when none is given */
};

struct proxy_authorities {
	uint64_t size;
};

struct proxy_upgrade {
	uint16_t index; /* place of the [upgrade] section, from 0 */
	uint16_t port; /* plaintext, as the device dials it */
	uint16_t upstream_port; /* TLS */
	uint8_t protocol;
	uint8_t zero;
	char name[RECORD_NAME]; /* of the section */
	char upstream_name[PROXY_HOSTNAME]; /* to verify; empty: see protocol */
};

struct proxy_listener {
	uint16_t upgrade;
	uint16_t port; /* local */
};

struct proxy_device {
	uint32_t id;
	uint32_t zero;
	uint64_t upgrades; /* a bit for each that it uses, by index */
	char name[RECORD_NAME];
};

/* WHO up, IS down: the device behind an address. */
struct proxy_who {
	uint64_t cookie;
	struct ip ip;
	uint16_t zero;
	uint32_t device; /* IS; 0 = unknown: refuse */
};

enum proxy_outcome {
	PROXY_OUTCOME_OPENED = 1, /* handshake verified, bytes flow */
	PROXY_OUTCOME_CLOSED = 2, /* an opened flow is over */
	/*
	 * See reason. Nothing went upstream; or, in an opened flow, nothing of
	 * the request that was refused (CLOSED follows).
	 */
	PROXY_OUTCOME_REFUSED = 3,
	PROXY_OUTCOME_CARRIED = 4, /* an opened flow goes on */
};

/* The upgrade goes by its name, because a reload may count anew. */
struct proxy_flow {
	uint32_t device; /* 0: not known yet */
	uint8_t outcome;
	uint8_t zero;
	uint16_t upstream_port;
	struct ip upstream;
	uint8_t zero2[6];
	uint64_t up, down; /* CLOSED, CARRIED: payload since the last report */
	char upgrade[RECORD_NAME];
	char upstream_name[PROXY_HOSTNAME];
	char reason[160]; /* REFUSED, CLOSED: for the owner */
};

#endif
