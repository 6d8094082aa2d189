/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that build the ruleset share. Not for others. */
#ifndef GATEHOUSE_ISOLATION_RULESET_PARTS_H
#define GATEHOUSE_ISOLATION_RULESET_PARTS_H

#include "modules/isolation/ruleset.h"

/* Sets of the current table, filled from the policy. */
_must_check_ int ruleset_add_inet_sets(struct ruleset *rs,
	const struct ruleset_input *input, char *ret_reason);
void ruleset_add_bridge_sets(
	struct ruleset *rs, const struct ruleset_input *input);

/* Rules of the current table; the chains are there already. */
void ruleset_add_inet_rules(struct ruleset *rs, uint8_t generation);
void ruleset_add_bridge_rules(struct ruleset *rs);

/*
 * A set in the making: begun, filled, ended. A key is its fields in network
 * order, each padded to four bytes.
 */
struct set_shape {
	const char *name;
	uint32_t key_type, key_length; /* type: as nft numbers them */
	uint32_t flags;
	uint32_t data_length; /* a map to ports: 2 */
	uint32_t size; /* of sets that packets fill */
	uint32_t keep_ms; /* how long they stay; 0: RULESET_REMEMBER_MS */
	bool host_order;
	uint8_t fields[4]; /* lengths; of interval sets */
};

struct set_filler {
	struct ruleset *rs;
	struct nftnl_set *set;
	const struct set_shape *shape;
	uint32_t elements;
};

/* n: how many elements will come, so that the kernel chooses well. */
void set_begin(struct set_filler *filler, struct ruleset *rs,
	const struct set_shape *shape, size_t n);
struct nftnl_set_elem *set_put(struct set_filler *filler, const void *key);
/* Of interval sets: all between first and last. */
void set_put_range(
	struct set_filler *filler, const void *first, const void *last);
void set_put_port(struct set_filler *filler, const void *key, uint16_t port);
void set_put_counter(struct set_filler *filler, const void *key,
	const struct ruleset_count *count, uint64_t timeout_ms);
void set_end(struct set_filler *filler);

#endif
