/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets and their elements in the making. Only for the ruleset's files. */
#ifndef GATEHOUSE_ISOLATION_SET_H
#define GATEHOUSE_ISOLATION_SET_H

#include "modules/isolation/rules/image.h"

/* nft's numbers of types, so that it can list what we made. */
enum nft_type {
	NFT_TYPE_IP = 7,
	NFT_TYPE_IP6 = 8,
	NFT_TYPE_ETHER = 9,
	NFT_TYPE_PROTOCOL = 12,
	NFT_TYPE_SERVICE = 13,
	NFT_TYPE_MARK = 19,
	NFT_TYPE_IFINDEX = 20,
	NFT_TYPE_UID = 25,
	NFT_TYPE_ICMP6_TYPE = 29,
	NFT_TYPE_FIB_TYPE = 38,
	NFT_TYPE_IFNAME = 41,
};
#define CONCAT2(a, b) ((a) << 6 | (b))
#define CONCAT3(a, b, c) (CONCAT2(a, b) << 6 | (c))
#define CONCAT4(a, b, c, d) (CONCAT3(a, b, c) << 6 | (d))

#define MAC_IP_PORT                                             \
	CONCAT4(NFT_TYPE_ETHER, NFT_TYPE_IP, NFT_TYPE_PROTOCOL, \
		NFT_TYPE_SERVICE)
#define MAC_IP6_PORT                                             \
	CONCAT4(NFT_TYPE_ETHER, NFT_TYPE_IP6, NFT_TYPE_PROTOCOL, \
		NFT_TYPE_SERVICE)
#define MAC_PORT CONCAT3(NFT_TYPE_ETHER, NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE)

#define SET_KEY_MAX 40

/* A key grows field by field, each padded to four bytes. */
struct set_key {
	uint8_t bytes[SET_KEY_MAX];
	size_t length;
};
void set_key_add(struct set_key *key, const void *field, size_t length);
/* A protocol and a port, as most keys end. */
void set_key_add_service(struct set_key *key, uint8_t protocol, uint16_t port);

/*
 * A set in the making: begun, filled, ended. A key is its fields in network
 * order, each padded to four bytes.
 */
struct set_shape {
	const char *name;
	uint32_t key_type, key_length; /* type: as nft numbers them */
	uint32_t flags;
	uint32_t data_length; /* a map to ports: 2, to MACs: 6 */
	uint32_t size; /* of sets that packets fill */
	uint32_t keep_ms; /* how long they stay; 0: RULESET_REMEMBER_MS */
	bool host_order;
	bool limits; /* elements may have an image_limit */
	uint8_t fields[4]; /* lengths; of interval sets */
};

/* Usual shapes: names of interfaces, addresses, MAC . IP . protocol . port. */
struct set_shape set_shape_interfaces(const char *name);
struct set_shape set_shape_addresses(const char *name, uint16_t family);
struct set_shape set_shape_ways(const char *name, uint16_t family);
/* An address takes the room of its family. */
void set_key_add_ip(struct set_key *key, const struct ip *ip);

struct set_filler {
	struct ruleset *rs;
	const struct set_shape *shape;
	struct image_set set;
	size_t expected;
	uint32_t elements;
};

/*
 * n: about how many elements will come, to have memory at once. Elements of a
 * device must be its alone: they hold its MAC or an address of its own, so
 * that they can come and go with it.
 */
void set_begin(struct set_filler *filler, struct ruleset *rs,
	const struct set_shape *shape, size_t n);
void set_put(struct set_filler *filler, const void *key);
/* Of interval sets: all between first and last. */
void set_put_range(
	struct set_filler *filler, const void *first, const void *last);
void set_put_port(struct set_filler *filler, const void *key, uint16_t port);
void set_put_mac(
	struct set_filler *filler, const void *key, const struct mac *mac);
/* All elements of a set or none; a timeout of 0 means that it stays. */
void set_put_counter(struct set_filler *filler, const void *key,
	const struct ruleset_count *count, uint64_t timeout_ms);
/* An element that is over its limit is not found; rate 0: no limit. */
void set_put_limit(struct set_filler *filler, const void *key,
	const struct image_limit *limit);
/* All elements of a set or none. */
void set_put_for(
	struct set_filler *filler, const void *key, uint64_t timeout_ms);
void set_end(struct set_filler *filler);

#endif
