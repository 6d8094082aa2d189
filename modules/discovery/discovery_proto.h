/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the discovery worker say to each other. Addresses are
 * in network order, ports in host order.
 */
#ifndef GATEHOUSE_DISCOVERY_PROTO_H
#define GATEHOUSE_DISCOVERY_PROTO_H

#include "agent/lib/ipc.h"
#include "agent/lib/net.h"
#include "agent/lib/record.h"

#define DISCOVERY_LOG_GROUP 5 /* of NFLOG, when none is configured */
#define DISCOVERY_HEAR_GROUP 6 /* of NFLOG, by which it hears devices */
#define DISCOVERY_TARGETS 4 /* told by name in one report */

#define DISCOVERY_EARS_MAX 32 /* interfaces on which devices are heard */

/* Each has a bit in a mask of 32. */
#define DISCOVERY_LINKS_MAX 32 /* interfaces of all reflections */
#define DISCOVERY_REFLECTS_MAX 32
#define DISCOVERY_CHANNELS_MAX 8 /* protocols and ports of all of them */
#define DISCOVERY_DEVICES_MAX 16384
#define DISCOVERY_MAYS_MAX 4096
#define DISCOVERY_SERVICE 96

enum discovery_message {
	/* down, between BEGIN and COMMIT */
	DISCOVERY_LOG = IPC_BASE_DISCOVERY, /* with the socket of a group */
	DISCOVERY_HEAR, /* the same, for what is to be reflected */
	DISCOVERY_CHANNEL,
	DISCOVERY_LINK,
	DISCOVERY_REFLECT,
	DISCOVERY_SERVICE_TYPE,
	DISCOVERY_DEVICE,
	DISCOVERY_MAY,
	/* down, once that is in force */
	DISCOVERY_SOCKET = IPC_BASE_DISCOVERY + 16, /* with one of UDP */
	DISCOVERY_EAR, /* with one of packets */
	/* up */
	DISCOVERY_TRIED = IPC_BASE_DISCOVERY + 32,
	DISCOVERY_LOST,
	DISCOVERY_EVIDENCE,
};

#define DISCOVERY_VALUE 256 /* text of evidence, with its NUL */

/* The numbers are kept in databases: they never change, new ones follow. */
enum discovery_evidence_kind {
	DISCOVERY_EVIDENCE_MAC_ADDRESS = 1,
	DISCOVERY_EVIDENCE_MAC_VENDOR,
	DISCOVERY_EVIDENCE_MAC_RANDOM,
	DISCOVERY_EVIDENCE_DHCP_HOSTNAME,
	DISCOVERY_EVIDENCE_DHCP_PARAMETERS,
	DISCOVERY_EVIDENCE_DHCP_VENDOR,
	DISCOVERY_EVIDENCE_DHCP_CLIENT,
	DISCOVERY_EVIDENCE_DHCP_USER,
	DISCOVERY_EVIDENCE_DHCP_MUD,
	DISCOVERY_EVIDENCE_DHCP6_DUID,
	DISCOVERY_EVIDENCE_DHCP6_NAME,
	DISCOVERY_EVIDENCE_DHCP6_VENDOR,
	DISCOVERY_EVIDENCE_DHCP6_MUD,
	DISCOVERY_EVIDENCE_ARP_ADDRESS,
	DISCOVERY_EVIDENCE_ND_ADDRESS,
	DISCOVERY_EVIDENCE_ND_ROUTER,
	DISCOVERY_EVIDENCE_MDNS_SERVICE,
	DISCOVERY_EVIDENCE_MDNS_INSTANCE,
	DISCOVERY_EVIDENCE_MDNS_TEXT,
	DISCOVERY_EVIDENCE_MDNS_HOST,
	DISCOVERY_EVIDENCE_SSDP_SERVER,
	DISCOVERY_EVIDENCE_SSDP_TYPE,
	DISCOVERY_EVIDENCE_SSDP_USN,
	DISCOVERY_EVIDENCE_SSDP_LOCATION,
	DISCOVERY_EVIDENCE_SSDP_AGENT,
	DISCOVERY_EVIDENCE_LLDP_CHASSIS,
	DISCOVERY_EVIDENCE_LLDP_PORT,
	DISCOVERY_EVIDENCE_LLDP_NAME,
	DISCOVERY_EVIDENCE_LLDP_DESCRIPTION,
	DISCOVERY_EVIDENCE_LLDP_MUD,
	DISCOVERY_EVIDENCE_HTTP_HOST,
	DISCOVERY_EVIDENCE_HTTP_AGENT,
	DISCOVERY_EVIDENCE_MQTT_CLIENT,
	DISCOVERY_EVIDENCE_MQTT_USER,
	DISCOVERY_EVIDENCE_TLS_VERSION,
	DISCOVERY_EVIDENCE_TLS_NAME,
	DISCOVERY_EVIDENCE_KINDS,
};

/* What a device said of itself; text is clean (match/evidence.h). */
struct discovery_evidence {
	struct mac mac;
	uint8_t kind;
	uint8_t zero;
	char value[DISCOVERY_VALUE];
};

/* The socket is bound and set up; the worker only reads it. */
struct discovery_log {
	uint16_t group;
	uint16_t zero[3];
};

enum discovery_protocol {
	DISCOVERY_PROTOCOL_MDNS = 1,
	DISCOVERY_PROTOCOL_SSDP = 2,
	DISCOVERY_PROTOCOL_UDP =
		3, /* broadcasts of some maker's, as they are */
};

/* Channels, links and reflections come in the order of their places. */
struct discovery_channel {
	uint8_t place;
	uint8_t protocol;
	uint16_t port; /* to which everybody speaks */
	uint16_t own_port; /* from which we do, and get answers */
	uint16_t zero;
};

struct discovery_link {
	char interface[16];
	uint8_t place;
	uint8_t devices; /* 1: of a devices zone; strangers are not heard */
	uint8_t zero[6];
};

/*
 * Who is on from_links offers something, who is on to_links looks for it;
 * single devices say so themselves. Questions go out on ask_links. Answers go
 * to everybody on tell_links, and elsewhere to devices that asked and may
 * reach who answers.
 */
struct discovery_reflect {
	uint8_t place;
	uint8_t channel;
	uint16_t zero;
	uint32_t from_links, to_links, ask_links, tell_links;
	char name[RECORD_NAME];
};

/* Of mDNS "_ipp._tcp", of SSDP a search target; text ends with NUL. */
struct discovery_service {
	uint8_t reflect;
	uint8_t zero[3];
	char text[DISCOVERY_SERVICE];
};

/* A known device; the reflections in which it is an end by its name. */
struct discovery_device {
	uint32_t id;
	struct mac mac;
	uint16_t zero;
	uint32_t from, to;
};

/* What device may reach: another device, an address or prefix, or a link. */
struct discovery_may {
	uint32_t device;
	uint32_t to_device; /* 0: none */
	uint32_t to_links;
	struct ip to; /* family 0: none */
	uint8_t length;
	uint8_t zero;
};

/*
 * From which the worker speaks; it hears nothing. Those of an interface that
 * came back replace the ones before.
 */
struct discovery_socket {
	uint8_t link;
	uint8_t channel;
	uint8_t six; /* 1: IPv6 */
	uint8_t zero;
	uint32_t index; /* of the interface */
};

/* Filtered and bound; it replaces the one that has its place. */
struct discovery_ear {
	uint8_t place;
	uint8_t zero[3];
	uint32_t index; /* of the interface */
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
