/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to the kernel's nftables: transactions go down as a whole and are
 * answered as a whole; what is in force is read back. Needs CAP_NET_ADMIN.
 */
#ifndef GATEHOUSE_ISOLATION_NFT_H
#define GATEHOUSE_ISOLATION_NFT_H

#include <stdbool.h>

#include "modules/isolation/rules/ruleset.h"

struct nft {
	int fd;
	uint32_t port; /* our address on netlink, to know our own changes */
	uint32_t seq;
	int send_buffer; /* bytes, as far as it was made larger */
};

_must_check_ int nft_open(struct nft *ret_nft);
void nft_close(struct nft *nft);
/* A number that no earlier message of this socket had. */
uint32_t nft_seq(struct nft *nft);

/*
 * Sends a transaction. On error nothing has changed, and reason says what
 * the kernel refused.
 */
_must_check_ int nft_commit(
	struct nft *nft, const struct batch *batch, char *ret_reason);
/* Is what was built in force, all of it? -EIO with a reason. */
_must_check_ int nft_verify(
	struct nft *nft, const struct ruleset *ruleset, char *ret_reason);
/*
 * Are all elements there that the questions (image_ask()) are about? -ENOENT
 * or another error, with a reason.
 */
_must_check_ int nft_find_elements(
	struct nft *nft, const struct batch *questions, char *ret_reason);
/* Counts the transactions of everybody in this network namespace. */
_must_check_ int nft_count_transactions(struct nft *nft, uint32_t *ret_n);
/* Is there a table of ours? -errno. */
_must_check_ int nft_has_table(
	struct nft *nft, uint16_t family, bool *ret_there);

/*
 * What was counted so far; nothing for tables that are not there.
 * -ENOSPC: more than ours can be, so it is not ours.
 */
_must_check_ int nft_read_counters(struct nft *nft,
	struct ruleset_count ret_counters[static RULESET_COUNTERS]);
_must_check_ int nft_read_attempts(
	struct nft *nft, struct ruleset_attempt **ret_attempts, size_t *ret_n);
_must_check_ int nft_read_tallies(
	struct nft *nft, struct ruleset_tally **ret_tallies, size_t *ret_n);
/* Of both tables together, in order. */
_must_check_ int nft_read_spoofs(
	struct nft *nft, struct ruleset_spoof **ret_spoofs, size_t *ret_n);
/* Known devices that went over their limits. */
_must_check_ int nft_read_overs(
	struct nft *nft, struct ruleset_overs ret_overs[static RULESET_OVERS]);
/* What this kernel can. Changes nothing. */
struct ruleset_kernel nft_probe(struct nft *nft);
/* Whose addresses are, of both tables, in order, and where MACs are. */
_must_check_ int nft_read_bound(
	struct nft *nft, struct ruleset_bound **ret_bound, size_t *ret_n);
_must_check_ int nft_read_seats(
	struct nft *nft, struct ruleset_seat **ret_seats, size_t *ret_n);
/* The generation of the tables in force; 0 = none. */
_must_check_ int nft_read_generation(struct nft *nft, uint8_t *ret_generation);

#endif
