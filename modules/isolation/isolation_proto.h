/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the isolation worker say to each other. Addresses are
 * in network order, ports in host order.
 */
#ifndef GATEHOUSE_ISOLATION_PROTO_H
#define GATEHOUSE_ISOLATION_PROTO_H

#include "agent/lib/ipc.h"
#include "agent/lib/net.h"
#include "agent/lib/record.h"

#define ISOLATION_ZONES_MAX 64 /* interfaces of all zones together */
#define ISOLATION_DEVICES_MAX 16384
#define ISOLATION_ALLOWS_MAX 262144
#define ISOLATION_NAME_SERVERS_MAX 16
#define ISOLATION_ADMINS_MAX 64
#define ISOLATION_FENCES_MAX 256
#define ISOLATION_PORTS_MAX 1024 /* of all bridges of devices zones */
#define ISOLATION_GATEWAYS_MAX 256 /* addresses in devices zones */
#define ISOLATION_PINS_MAX 65536 /* of all devices together */
#define ISOLATION_PINS_EACH 16
#define ISOLATION_REFLECTS_MAX 256
#define ISOLATION_STANDINS_MAX 512 /* interfaces and IPv6 addresses */
/* New connections in a second, unless somebody says otherwise. */
#define ISOLATION_RATE_DEFAULT 200
#define ISOLATION_CONNECTIONS_MAX 1024 /* of one device at once */
#define ISOLATION_RATE_MAX 1000000
/* Bytes per second: 64 kbit/s to 10 Gbit/s. */
#define ISOLATION_BANDWIDTH_MIN 8000ull
#define ISOLATION_BANDWIDTH_MAX 1250000000ull
#define ISOLATION_PASSES_MAX 262144
/* Addresses of one device, of each family, where lines lead to it by name. */
#define ISOLATION_FOLLOWED_EACH 8
/* Addresses that devices learned; each port of each counts. */
#define ISOLATION_LEARNED_MAX 65536
#define ISOLATION_LEARNED_EACH 1024 /* of one device */
#define ISOLATION_LEARNED_PORTS 16 /* of one message */
#define ISOLATION_LEARNED_MS (24u * 3600 * 1000) /* the longest */
/* Addresses that are known for the next boot: in all, and of one device. */
#define ISOLATION_BOUND_MAX 32768
#define ISOLATION_BOUND_EACH 32
#define ISOLATION_BOUND_S (24u * 3600) /* the longest, after the last use */
#define ISOLATION_BY 40 /* a program and its number */

enum isolation_message {
	/* down, between BEGIN and COMMIT */
	ISOLATION_ZONE = IPC_BASE_ISOLATION,
	ISOLATION_DEVICE,
	ISOLATION_ALLOW,
	ISOLATION_REDIRECT,
	ISOLATION_NAME_SERVER,
	ISOLATION_ADMIN,
	ISOLATION_FENCE,
	ISOLATION_KNOWN_PORT,
	ISOLATION_PIN,
	ISOLATION_LIMIT,
	ISOLATION_LOG,
	ISOLATION_PASS,
	ISOLATION_MARKS,
	ISOLATION_REFLECT,
	ISOLATION_ROUTER,
	ISOLATION_PUBLISH, /* struct isolation_pass: anybody to the device */
	ISOLATION_ZONE_ALLOW, /* struct isolation_allow; device: the zone */
	ISOLATION_OUTSIDE,
	ISOLATION_OFFLOAD,
	ISOLATION_KNOWN_BOUND, /* struct isolation_bound; of the last time */
	/* down, at any time */
	ISOLATION_WHO = IPC_BASE_ISOLATION + 24,
	ISOLATION_GET_ATTEMPTS,
	ISOLATION_APART_MAY,
	ISOLATION_WHY,
	ISOLATION_LEARN,
	ISOLATION_FORGET,
	/* up */
	ISOLATION_SEEN = IPC_BASE_ISOLATION + 32,
	ISOLATION_IS,
	ISOLATION_ATTEMPT,
	ISOLATION_ATTEMPTS_END,
	ISOLATION_COUNTERS,
	ISOLATION_TALLY,
	ISOLATION_RULES,
	ISOLATION_LINK,
	ISOLATION_PORT,
	ISOLATION_SPOOF,
	ISOLATION_COLLISION,
	ISOLATION_OVER,
	ISOLATION_APART,
	ISOLATION_BECAUSE,
	ISOLATION_BOUND,
	ISOLATION_STANDIN,
	ISOLATION_GATEWAY,
};
/* Two meanings of one number would be found by a question only. */
_Static_assert(ISOLATION_KNOWN_BOUND < ISOLATION_WHO &&
		       ISOLATION_FORGET < ISOLATION_SEEN &&
		       (int)ISOLATION_GATEWAY < (int)IPC_BASE_PROXY,
	"each message has a number of its own");

enum isolation_role {
	ISOLATION_ROLE_DEVICES = 1, /* isolated; strangers in quarantine */
	ISOLATION_ROLE_OWNER = 2, /* never touched, may reach devices */
	ISOLATION_ROLE_UPLINK = 3, /* never touched, may not reach devices */
};

/* One interface of a zone: a bridge or a routed interface, not a port. */
struct isolation_zone {
	char interface[16];
	uint8_t role;
	uint8_t mode; /* enum record_mode, for whoever has no own */
	uint16_t zone; /* place of the [zone] section, from 1 */
	uint8_t binding; /* enum isolation_binding */
	uint8_t roaming; /* 1: a MAC may be at several ports at once */
	uint8_t strangers; /* enum isolation_strangers; of devices zones */
	uint8_t guest; /* 1: known devices may what strangers may as well */
};

/* Whose an address is that is pinned to nobody. */
enum isolation_binding {
	ISOLATION_BINDING_FIRST = 0, /* DHCP's word, else who was first */
	ISOLATION_BINDING_STRICT = 1, /* IPv4: by DHCP only */
	ISOLATION_BINDING_OFF = 2, /* anybody's */
};

/* What becomes of those without a [device] section. */
enum isolation_strangers {
	ISOLATION_STRANGERS_QUARANTINE = 0, /* DHCP and neighbours only */
	ISOLATION_STRANGERS_ALLOW = 1, /* what the zone's lines say */
	ISOLATION_STRANGERS_BLOCK = 2, /* nothing, not even DHCP */
};

struct isolation_device {
	uint32_t id;
	struct mac mac;
	uint8_t mode; /* enum record_mode; 0 = as the zone it is seen in */
	uint8_t shared; /* 1: others are behind its MAC, an extender's */
	uint8_t moved; /* 1: where it is seen, its zone gives it nothing */
	uint8_t zero[3];
};

/* One line of an allow-list: device may open this towards that. */
struct isolation_allow {
	uint32_t device;
	struct ip to; /* family 0: any address of either family */
	uint8_t length; /* of the prefix */
	uint8_t protocol; /* IPPROTO_*; 0 = any */
	uint16_t first, last; /* ports; 0-65535 for protocols without */
};

/* The device's TCP connections to this port go to a local port instead. */
struct isolation_redirect {
	uint32_t device;
	uint16_t port;
	uint16_t to_port;
};

/*
 * A worker of ours opens connections to this port only, and only to where a
 * device was sent on to it; several lines add up.
 */
struct isolation_fence {
	uint32_t uid;
	uint16_t port;
	uint16_t local; /* where it takes what was sent on to it */
};

/* The address is this device's, and the device has no other of its family. */
struct isolation_pin {
	struct ip ip;
	uint16_t zero;
	uint32_t device;
};

/*
 * How much a device may: new connections in so many seconds, and bytes a
 * second each way. 0: as much as it likes.
 */
struct isolation_limit {
	uint32_t device;
	uint32_t rate;
	uint32_t seconds; /* 1 or 60 */
	uint32_t zero;
	uint64_t up, down;
};

/*
 * Some of what is denied is shown to the NFLOG group, with one of these words
 * before it. At most one line; without it nothing is logged.
 */
struct isolation_log {
	uint16_t group;
	uint16_t zero;
};
/*
 * The kernel may forward answers from uplinks by itself where it can. At most
 * one line; without it all goes through the rules.
 */
struct isolation_offload {
	uint32_t uplinks; /* 1 */
};
/* Its router advertisements may tell of routes, but not of itself. */
struct isolation_router {
	struct mac mac;
	uint16_t zero;
};

/*
 * On an interface, what is said to this port is shown to the NFLOG group (one
 * for all lines), and the worker of that user may speak from own_port. Known
 * devices may answer there, if the two ports differ. Port 0: only that the
 * user speaks from nowhere.
 */
struct isolation_reflect {
	char interface[16];
	uint32_t uid;
	uint16_t port, own_port;
	uint16_t group;
	uint16_t zero;
};
#define ISOLATION_LOG_HEARD "gatehouse heard"
#define ISOLATION_LOG_DENIED "gatehouse denied"
#define ISOLATION_LOG_QUARANTINED "gatehouse quarantined"
#define ISOLATION_LOG_BRIDGED "gatehouse bridged"

/*
 * One way between those inside: from a device, or from whoever is in a zone;
 * to a device's address, to whoever is in a zone, or to the gateway.
 */
struct isolation_pass {
	uint32_t device; /* 0: from a zone */
	uint16_t from_zone; /* 0: from the device */
	uint16_t to_zone; /* 0: to an address, or to the gateway without one */
	struct ip to; /* family 0: none */
	uint8_t protocol; /* as in struct isolation_allow */
	uint8_t zero;
	uint16_t first, last;
	/* Wherever this device is found, without "to"; 0: none is meant. */
	uint32_t to_device;
};

/*
 * Nobody named an uplink: where the main table's default routes lead is one,
 * in this mode. At most one line.
 */
struct isolation_outside {
	uint8_t mode; /* enum record_mode */
	uint8_t zero[3];
};

/* Which bits of marks are ours; without this message the usual ones. */
struct isolation_marks {
	uint32_t packet; /* one bit: came from a device and passed our rules */
	uint32_t connection; /* eight bits in a row: what judged it */
	uint32_t priority; /* of our routing rules */
	uint32_t zero;
};

/*
 * NAME_SERVER (the only port 53 devices reach) and ADMIN (never cut). GATEWAY
 * up: the gateway's own in devices zones, before the ports that end with one
 * without a name; nobody else may claim it, also at the next boot.
 */
struct isolation_address {
	struct ip ip;
};

/*
 * A port of a devices zone's bridge. PORT up: all of them, then one without a
 * name. KNOWN_PORT down: was one once; it is taken for one also before it
 * exists, so that nothing passes in its first moments.
 */
struct isolation_port {
	char interface[16];
	char bridge[16];
};

enum isolation_apart_verb {
	ISOLATION_APART_WISH = 1, /* up: about to be isolated by us */
	ISOLATION_APART_BACK = 2, /* up: is again as it was */
	ISOLATION_APART_END = 3, /* up: all that there is to say now */
};

/*
 * A bridge port whose isolated flag we change, which was off before. APART
 * up; APART_MAY down: it is written down, so that it can be put back after
 * whatever happens. The worker changes no port without it.
 */
struct isolation_apart {
	char interface[16];
	int32_t index;
	uint32_t verb; /* up only */
};

enum isolation_standin_verb {
	ISOLATION_STANDIN_WISH = 1,
	ISOLATION_STANDIN_END = 2, /* these are all; the others are undone */
};

/*
 * The gateway is to answer for devices towards other devices of the same
 * interface, so that what is permitted between them goes through it: ip of
 * family 0: all IPv4 addresses; else this IPv6 address.
 */
struct isolation_standin {
	char interface[16];
	int32_t index;
	uint32_t verb;
	struct ip ip;
	uint16_t zero;
};

/*
 * The device may open TCP or UDP connections to these ports of the address
 * for so long, because a name that it may use led there. LEARN again makes
 * it longer (or shorter). FORGET ends it at once; family 0: all of the
 * device. What is not a device's, or too much, is not taken.
 */
struct isolation_learned {
	struct ip ip;
	uint8_t protocol;
	uint8_t zero;
	uint32_t device;
	uint16_t first, last;
	uint32_t ttl_ms; /* FORGET: 0 */
};

/* WHO down, IS up: whose address is it at this moment? */
struct isolation_who {
	uint64_t cookie;
	struct ip ip;
	struct mac mac; /* IS; zero = nobody */
	uint32_t device; /* IS; 0 = unknown */
};

/* Somebody was seen on an interface of a devices zone. */
struct isolation_seen {
	struct mac mac;
	struct ip ip; /* family 0: none known */
	uint16_t zone;
	uint32_t device; /* 0: a stranger */
	char interface[16]; /* bridge port or routed interface */
};

/* GET_ATTEMPTS down, ATTEMPTS_END up. */
struct isolation_cookie {
	uint64_t cookie;
};

/* What a device tried and was, or would be, denied. */
struct isolation_attempt {
	uint64_t cookie;
	uint64_t packets;
	struct ip to;
	struct mac mac;
	uint32_t device; /* 0: a stranger */
	uint16_t port; /* ICMP: type << 8 */
	uint8_t protocol;
	uint8_t observed; /* 1: it passed, because only observed */
};

struct isolation_counters {
	uint64_t denied; /* routed and to the gateway */
	uint64_t bridged; /* between ports of one bridge */
	uint64_t quarantined;
	uint64_t redirected; /* connections into the proxy */
	uint64_t fenced; /* of our own workers, where they have no business */
	uint64_t spoofed; /* in the name of others */
	uint64_t limited; /* more than its sender may */
};

struct isolation_tally {
	struct mac mac;
	uint16_t zero;
	uint32_t device; /* 0: a stranger */
	uint64_t denied;
};

/* A known device that went over one of its limits; all in all. */
struct isolation_over {
	struct mac mac;
	uint8_t bandwidth; /* 1: of bytes; 0: of connections */
	uint8_t zero;
	uint32_t device;
	uint64_t packets;
};

enum isolation_collision_kind {
	ISOLATION_COLLISION_NONE = 0,
	ISOLATION_COLLISION_ROUTE = 1, /* a routing rule compares the bit */
	ISOLATION_COLLISION_PACKET = 2, /* a rule writes the packet's */
	ISOLATION_COLLISION_CONNECTION = 3, /* ... the connection's */
};

/* Somebody else uses our bits; or nobody any more. */
struct isolation_collision {
	uint64_t number; /* priority; handle of the rule */
	char table[32], chain[32];
	uint8_t kind;
	uint8_t family; /* AF_... of a routing rule, NFPROTO_... of a table */
	uint8_t zero[6];
};

enum isolation_guard {
	ISOLATION_GUARD_NONE = 0, /* nothing is enforced */
	ISOLATION_GUARD_SET = 1,
	ISOLATION_GUARD_FAILED = 2, /* the kernel has no such rules */
};

/* The state of our tables. */
struct isolation_rules {
	uint64_t generation; /* in force; 0 = none */
	uint32_t restored; /* how often somebody else's change was undone */
	uint32_t guard_restored; /* the same of our routing rules */
	char by[ISOLATION_BY]; /* who did it last, in words; empty = unknown */
	uint8_t guard; /* enum isolation_guard */
	uint8_t zero[7];
};

enum isolation_claim {
	ISOLATION_CLAIM_GATEWAY = 1, /* an address of the gateway's own */
	ISOLATION_CLAIM_PINNED = 2, /* one that is pinned to another device */
	ISOLATION_CLAIM_NOT_PINNED = 3, /* one that is not its own pinned */
	ISOLATION_CLAIM_MAC = 4, /* ARP in the name of another MAC address */
	ISOLATION_CLAIM_ROUTER = 5, /* router advertisement */
	ISOLATION_CLAIM_REDIRECT = 6,
	ISOLATION_CLAIM_DHCP = 7, /* answers as a DHCP server */
	ISOLATION_CLAIM_TAGS = 8, /* what it says is hidden in two VLAN tags */
	ISOLATION_CLAIM_BOUND = 9, /* an address that another one uses */
	ISOLATION_CLAIM_UNBOUND = 10, /* one too many, or not by DHCP */
	ISOLATION_CLAIM_PORT = 11, /* a MAC address that is at another port */
};

/* What somebody claimed to be and is not. */
struct isolation_spoof {
	uint64_t packets;
	struct ip ip; /* claimed; family 0: not about an address */
	struct mac mac; /* the sender's */
	uint32_t device; /* 0: a stranger */
	uint32_t victim; /* CLAIM_PINNED, CLAIM_BOUND: whose it is */
	uint8_t claim;
	uint8_t zero;
	struct mac holder; /* CLAIM_BOUND */
	char interface[16]; /* CLAIM_PORT: where the sender is */
};

/*
 * An address that a device uses, and how long it is still its own. BOUND up:
 * what is new, what has another time (by an hour or more), and what it has no
 * longer (rest_s 0); then one without an address ends the list.
 * KNOWN_BOUND down, once in a worker's life: what was so before it began.
 */
struct isolation_bound {
	struct ip ip; /* family 0: the end */
	struct mac mac;
	uint32_t device;
	uint32_t rest_s; /* from now on, if it is not used any more */
	uint8_t leased; /* 1: DHCP gave it */
	uint8_t bridge; /* 1: seen by a bridge, 0: where none is */
	uint8_t pinned; /* 1: configuration says whose it is */
	uint8_t news; /* 1: up; IPv4 that is worth telling its owner of */
	uint8_t all; /* 1: at the end; nothing but this list is true */
	uint8_t zero[3];
};

enum isolation_toward {
	ISOLATION_TOWARD_ADDRESS = 1,
	ISOLATION_TOWARD_GATEWAY = 2, /* any address of the gateway's own */
	ISOLATION_TOWARD_DEVICE = 3,
};

/* WHY down: may this device open that? */
struct isolation_why {
	uint64_t cookie;
	struct mac mac; /* whose question it is */
	uint16_t port; /* 0 for protocols without */
	struct ip to; /* TOWARD_ADDRESS */
	uint8_t protocol; /* IPPROTO_*; ICMP for both */
	uint8_t toward;
	uint32_t to_device; /* TOWARD_DEVICE */
	char interface[16]; /* where it was seen; empty: nowhere yet */
};

enum isolation_reason {
	ISOLATION_REASON_NO_RULES = 1, /* none are in force */
	ISOLATION_REASON_STRANGER = 2, /* nobody configured it */
	ISOLATION_REASON_LINE = 3, /* a line allows it */
	ISOLATION_REASON_NO_LINE = 4, /* none does */
	ISOLATION_REASON_NAME_SERVER = 5, /* it is one */
	ISOLATION_REASON_NOT_NAME_SERVER = 6, /* port 53 of another */
	ISOLATION_REASON_OWNER = 7, /* "any" is not the owner's zone */
	ISOLATION_REASON_GATEWAY = 8, /* "any" is not the gateway */
	ISOLATION_REASON_NEIGHBOUR = 9, /* it is another device */
	ISOLATION_REASON_ADMIN = 10, /* its address is an admin's */
	ISOLATION_REASON_SERVICE = 11, /* what every host may ask a gateway */
	ISOLATION_REASON_UPGRADED = 12, /* the port leads into TLS only */
	ISOLATION_REASON_NO_ROUTE = 13, /* there is no way there */
	ISOLATION_REASON_PASS = 14, /* a line opens that way inside */
	ISOLATION_REASON_LEARNED = 15, /* a name that it may use led there */
	ISOLATION_REASON_ZONE_LINE = 16, /* its zone lets all do that */
	ISOLATION_REASON_NOT_FOUND = 17, /* a line does, but where is it? */
};

enum isolation_kernel {
	ISOLATION_KERNEL_UNKNOWN = 0, /* was not looked at */
	ISOLATION_KERNEL_AGREES = 1, /* its sets say the same */
	ISOLATION_KERNEL_DIFFERS = 2,
};

/* Another firewall that drops it as well; what 0: none. */
struct isolation_foreign {
	uint64_t handle; /* of the rule; 0: the chain's policy */
	uint8_t family; /* NFPROTO_... of the table */
	uint8_t what; /* enum foreign_what */
	uint8_t certain; /* 0: it may depend on what is not known */
	uint8_t zero[5];
	char table[32], chain[32];
};

/* The answer to WHY. */
struct isolation_because {
	uint64_t cookie;
	uint32_t device; /* 0: a stranger */
	struct ip to; /* that was judged; family 0: none */
	uint16_t port;
	uint8_t protocol;
	uint8_t allowed; /* 1: by the rules; observing lets pass all */
	uint8_t reason;
	uint8_t mode; /* enum record_mode, that counts for it */
	uint8_t kernel;
	uint8_t has_line;
	uint16_t upgraded; /* into this local port; 0: is not */
	uint8_t has_pass;
	uint8_t same_link; /* 1: both are behind one interface */
	uint8_t there_enforced; /* 1: strangers to that zone are kept out */
	uint8_t zero;
	uint32_t to_device; /* whose address that is; 0: nobody's known */
	struct isolation_allow line; /* that decides, or nearly */
	struct isolation_pass pass; /* REASON_PASS */
	struct isolation_foreign foreign;
};

/* An interface of a zone came or went. */
struct isolation_link {
	char interface[16];
	uint8_t present;
	uint8_t is_port; /* 1: belongs to a bridge, name the bridge */
	uint16_t zone;
	uint32_t zero;
};

#endif
