/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy as one nftables transaction that replaces our tables, and
 * what must be found in the kernel afterwards. Pure: no sockets.
 */
#ifndef GATEHOUSE_ISOLATION_RULESET_H
#define GATEHOUSE_ISOLATION_RULESET_H

#include "modules/isolation/rules/batch.h"
#include "modules/isolation/policy.h"
#include "modules/isolation/topology.h"

#define RULESET_TABLE "gatehouse"
/* What was denied is remembered for a day, so much of it. */
#define RULESET_ATTEMPTS_MAX 16384 /* of each family */
#define RULESET_STRANGERS_MAX 4096
/* Where devices were sent on to a worker; it may go there so long. */
#define RULESET_DIALLED_MAX 16384 /* of each family */
#define RULESET_DIALLED_MS (10u * 60 * 1000)
#define RULESET_REMEMBER_MS (24u * 3600 * 1000)
/* New entries one device may cause: 256 at once, then so many an hour. */
#define RULESET_NEW_ATTEMPTS 100
#define RULESET_NEW_BURST 256

/* Who claimed what, each a place for an hour; of each family and kind. */
#define RULESET_SPOOFS_MAX 1024
#define RULESET_SPOOFS_MS (3600u * 1000)
/* New entries one sender may cause: 16 at once, then so many an hour. */
#define RULESET_NEW_SPOOFS 20
#define RULESET_SPOOFS_BURST 16
/* Senders of ARP whose hardware address is compared; they expire soon. */
#define RULESET_SELVES_MAX 16384
#define RULESET_SELVES_MS (60u * 1000)

/* Answers to what is denied, in a second: to one device, to all. */
#define RULESET_ANSWERS_EACH 20
#define RULESET_ANSWERS 1000
/* Connections of one device that are tracked at once. */
#define RULESET_CONNECTIONS_MAX ISOLATION_CONNECTIONS_MAX

/*
 * What is logged of what was denied: of one device at most ten records in any
 * second, of all of a kind so many a second. Limiters are forgotten soon.
 */
#define RULESET_LOG_RATE 2
#define RULESET_LOG_BURST 5
#define RULESET_LOG_BRIDGED_RATE 1
#define RULESET_LOG_BRIDGED_BURST 2
#define RULESET_LOG_RATE_ALL 100
#define RULESET_LOG_BURST_ALL 200
#define RULESET_LOG_DEVICES_MAX 16384 /* in one minute, of each kind */
#define RULESET_LOG_KEEP_MS (60u * 1000)
#define RULESET_LOG_SNAPLEN 128 /* bytes of each packet */

/*
 * Devices that were changed: what had been allowed to them is judged again
 * for so long, which is longer than a connection may be silent that is known
 * by no neighbour entry.
 */
#define RULESET_AGAIN_MS (15u * 60 * 1000)
#define RULESET_AGAIN_MAX 1024 /* more: all is loaded, and judged, again */
#define RULESET_AGAIN "again"

/* Whose address it is: so many, of each family, on bridges and elsewhere. */
#define RULESET_BOUND_MAX 65536
#define RULESET_BOUND_MS (24u * 3600 * 1000) /* after the last use of it */
/* New addresses of one MAC: 16 at once, then so many an hour. */
#define RULESET_NEW_BOUND 6
#define RULESET_BOUND_BURST 16
/* ... and of all behind one port: 4096 at once, then so many an hour. */
#define RULESET_PORT_BOUND 1024
#define RULESET_PORT_BURST 4096
/* Who was judged passes quickly so long, if there is place. */
#define RULESET_LIVE_MAX 16384
#define RULESET_LIVE_MS (5u * 1000)
/* DHCP does not take away what was in use so long ago. */
#define RULESET_USED_MS (60u * 1000)
/* A MAC that was silent so long may be at another port; so many are known. */
#define RULESET_SEATS_MS (30u * 1000)
#define RULESET_SEATS_MAX 16384
/* New MACs at one port: 2048 at once, then so many a second. */
#define RULESET_NEW_SEATS 20
#define RULESET_SEATS_BURST 2048

/* What is shown of what is to be reflected: of one sender, and in all. */
#define RULESET_REFLECT_RATE 20
#define RULESET_REFLECT_BURST 60
#define RULESET_REFLECT_RATE_ALL 400
#define RULESET_REFLECT_BURST_ALL 800
#define RULESET_REFLECT_SNAPLEN 1600

/* What the kernel forwards by itself, behind all other hooks of ingress. */
#define RULESET_FLOWTABLE "fast"
#define RULESET_FLOWTABLE_PRIORITY 1000

#define RULESET_SETS_MAX 192
#define RULESET_NAME 32

enum ruleset_counter {
	RULESET_DENIED = 0,
	RULESET_QUARANTINED = 1,
	RULESET_REDIRECTED = 2,
	RULESET_NOISE = 3, /* broadcasts to the gateway that are not needed */
	RULESET_FENCED = 4,
	RULESET_SPOOFED = 5, /* in both tables */
	RULESET_LIMITED = 6, /* in both tables */
	RULESET_BRIDGED = 7, /* the only one of the bridge table alone */
	RULESET_COUNTERS = 8,
};
extern const char *const ruleset_counters[RULESET_COUNTERS];

struct ruleset_count {
	uint64_t packets, bytes;
};

/* One line of the list of denied attempts. */
struct ruleset_attempt {
	struct mac mac;
	struct ip to;
	uint8_t protocol;
	uint16_t port; /* ICMP: type << 8 | code */
	struct ruleset_count count;
};

struct ruleset_tally {
	struct mac mac;
	struct ruleset_count count;
};

enum ruleset_list {
	RULESET_LIST_CLAIMS = 0,
	RULESET_LIST_UNBOUND = 1, /* addresses that were not bound */
	RULESET_LIST_SEATS = 2, /* ports where somebody else's MAC was */
};

/* What somebody claimed; ip.family 0: by its protocol and what it is. */
struct ruleset_spoof {
	struct mac mac;
	struct ip ip;
	uint8_t protocol; /* 0 as well: hidden behind tags */
	uint8_t list; /* enum ruleset_list */
	uint16_t what; /* the first two bytes behind the IP header */
	char port[16]; /* LIST_SEATS */
	struct ruleset_count count;
};

/* Who went over a limit, by MAC. */
struct ruleset_overs {
	struct ruleset_tally *rows;
	size_t n;
};
enum ruleset_over {
	RULESET_OVER_RATE,
	RULESET_OVER_BANDWIDTH,
	RULESET_OVERS,
};
extern const char *const ruleset_overs[RULESET_OVERS];
/* An address and whose it is. */
struct ruleset_bound {
	struct ip ip;
	struct mac mac;
	uint64_t rest_ms; /* until it is nobody's, if it is not used */
	bool leased; /* by DHCP */
	bool bridge; /* in the bridge table */
};

/* A MAC address and the bridge port where it is. */
struct ruleset_seat {
	struct mac mac;
	char port[16];
	uint64_t rest_ms;
};

/* By address and table. */
int ruleset_bound_order(const void *a, const void *b);
/*
 * Puts into order what was read, and leaves each address in a table, and each
 * MAC, one place: a leased one, else the one that was used last. How many are
 * left.
 */
size_t ruleset_settle_bound(struct ruleset_bound *bound, size_t n);
size_t ruleset_settle_seats(struct ruleset_seat *seats, size_t n);

/* What was counted so far and moves into the new tables. */
struct ruleset_carry {
	struct ruleset_count counters[RULESET_COUNTERS];
	struct ruleset_attempt *attempts;
	size_t n_attempts;
	struct ruleset_tally *tallies; /* by MAC */
	size_t n_tallies;
	struct ruleset_spoof *spoofs; /* of both tables together, in order */
	size_t n_spoofs;
	struct ruleset_overs overs[RULESET_OVERS];
	struct ruleset_bound *bound; /* in order, an address once in a table */
	size_t n_bound;
	struct ruleset_seat *seats;
	size_t n_seats;
};
/* By sender, claim and kind. */
int ruleset_spoof_order(const void *a, const void *b);
void ruleset_carry_free(struct ruleset_carry *carry);

/* Our tables, one of each family, by RULESET_TABLE. */
enum ruleset_table {
	RULESET_TABLE_BRIDGE = 0,
	RULESET_TABLE_INET = 1,
	RULESET_TABLE_ARP = 2, /* not on every kernel */
	RULESET_TABLES = 3,
};
struct ruleset_table_kind {
	uint16_t family; /* NFPROTO_... */
	const char *name; /* of the family, as nft says it */
};
extern const struct ruleset_table_kind ruleset_tables[RULESET_TABLES];
enum ruleset_table ruleset_table_of(uint16_t family);

struct ruleset_set {
	char name[RULESET_NAME];
	uint16_t family;
	bool changing; /* the packets change it: its size says nothing */
	bool interval;
	uint32_t elements;
};

struct ruleset {
	struct batch batch;
	/* What a look into the kernel must find. */
	struct ruleset_set sets[RULESET_SETS_MAX];
	size_t n_sets;
	uint32_t chains[RULESET_TABLES], rules[RULESET_TABLES];
	/* Internal: where sets go instead, the table and the rule being built. */
	struct image *image;
	struct isolation_marks marks;
	uint16_t family;
	uint32_t set_id;
	struct nftnl_rule *rule;
	const char *chain;
	bool logs;
	uint16_t log_group;
	bool reflects;
	uint16_t reflect_group;
	bool offloads;
};

/* What not every kernel can. */
struct ruleset_kernel {
	bool counts_connections; /* of one device */
	/*
	 * Tells to which bridge a port belongs: a port is guarded from its
	 * first frame, before its name is in a set.
	 */
	bool names_bridges;
	bool sees_arp; /* also where no bridge is */
	bool offloads; /* has flowtables that interfaces can be added to */
};

struct learned;
struct ruleset_input {
	const struct policy *policy; /* sealed */
	const struct topology *topology;
	const struct ruleset_carry *carry; /* may be NULL */
	uint8_t generation; /* what judged connections are marked: marks.h */
	struct ruleset_kernel kernel;
	const struct learned *learned; /* may be NULL */
	int64_t now_ms;
};

/* -ENOSPC with a reason when a limit is passed. */
_must_check_ int ruleset_build(const struct ruleset_input *input,
	uint32_t first_seq, struct ruleset *ret_ruleset, char *ret_reason);
/* Only what the sets would hold; ret_image is empty before. */
struct image;
_must_check_ int ruleset_image(const struct ruleset_input *input,
	struct image *ret_image, char *ret_reason);
/*
 * The transaction that takes our tables away, whether there or not; of ARP
 * only if the kernel knows such tables.
 */
void ruleset_build_removal(
	uint32_t first_seq, bool arp, struct batch *ret_batch);
/* The transaction that lets the flowtable look at one more uplink. */
void ruleset_build_hook(
	const char *interface, uint32_t first_seq, struct batch *ret_batch);
void ruleset_free(struct ruleset *ruleset);

#endif
