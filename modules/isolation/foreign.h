/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewalls of others. Our accept cannot overrule their drop, so "why"
 * names whoever else drops: firewalld, docker, fw4, an owner's own rules.
 *
 * Use: foreign_read() (kernel/foreign_read.h) collects chains and rules of all
 * tables but ours; foreign_judge() walks them as the kernel would with the
 * first packet of a new connection. What cannot be known from outside (marks,
 * the source port, matches of xtables ...) is "perhaps", and so is what comes
 * after it. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_FOREIGN_H
#define GATEHOUSE_ISOLATION_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"
#include "agent/lib/net.h"

#define FOREIGN_RULES_MAX 16384
#define FOREIGN_CHAINS_MAX 2048
#define FOREIGN_NAME 32 /* longer names are cut */
#define FOREIGN_STEPS_MAX 200000 /* rules that are looked at for one answer */
#define FOREIGN_DEPTH_MAX 16 /* as the kernel's */

struct nlmsghdr;
struct nftnl_chain;
struct nftnl_rule;

struct foreign {
	struct nftnl_chain **chains;
	size_t n_chains, chains_room;
	struct nftnl_rule **rules; /* in the kernel's order */
	size_t n_rules, rules_room;
	bool cut; /* there were more */
};

/* The first packet of a connection. */
struct foreign_flow {
	char iif[16];
	char oif[16]; /* empty: for the gateway itself */
	struct ip from; /* family 0: unknown */
	struct ip to;
	uint8_t protocol;
	uint16_t port; /* destination; ICMP: its type */
};

enum foreign_what {
	FOREIGN_POLICY = 1, /* what a base chain does at its end */
	FOREIGN_DROP = 2,
	FOREIGN_REJECT = 3,
};

struct foreign_cause {
	uint8_t family; /* NFPROTO_... of the table */
	uint8_t what;
	bool certain; /* false: it may depend on what is not known */
	char table[FOREIGN_NAME], chain[FOREIGN_NAME];
	uint64_t handle; /* of the rule; as nft -a shows it */
};

/*
 * Is the key in a set of theirs? 1, 0, or -errno: not known. known says for
 * each byte of the key whether it is. A verdict map's answer goes to verdict
 * and chain (FOREIGN_NAME bytes).
 */
typedef int (*foreign_lookup)(void *arg, uint8_t family, const char *table,
	const char *set, const uint8_t *key, const bool *known,
	int *ret_verdict, char *ret_chain);

/* A message of the kernel's list of chains or of rules. -EBADMSG. */
_must_check_ int foreign_add_chain(
	struct foreign *foreign, const struct nlmsghdr *message);
_must_check_ int foreign_add_rule(
	struct foreign *foreign, const struct nlmsghdr *message);
void foreign_free(struct foreign *foreign);

/*
 * Who drops it, or could: 1 and the first that certainly does, else the first
 * that perhaps does; 0: nobody. lookup may be NULL.
 */
_must_check_ int foreign_judge(const struct foreign *foreign,
	const struct foreign_flow *flow, foreign_lookup lookup, void *arg,
	struct foreign_cause *ret_cause);

#endif
