/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the kernel. Shared by the files of this folder only. */
#ifndef GATEHOUSE_ISOLATION_NFT_DUMP_H
#define GATEHOUSE_ISOLATION_NFT_DUMP_H

#include "modules/isolation/kernel/nft.h"

struct nlmsghdr;

/* One message of the list; negative ends it. */
typedef int (*nft_dump_row)(const struct nlmsghdr *message, void *arg);

/*
 * One message of the answer to the question with this number: 1 = it was the
 * last, -errno what the kernel says or row() did. row may be NULL.
 */
_must_check_ int nft_take_answer(const struct nlmsghdr *message, uint32_t seq,
	nft_dump_row row, void *arg);
/* Asks for a list. -ENOENT: the table is not there. */
_must_check_ int nft_dump(
	struct nft *nft, struct nlmsghdr *request, nft_dump_row row, void *arg);
/* Asks for single things; as above, but -ENOENT: it is not there. */
_must_check_ int nft_get(
	struct nft *nft, struct nlmsghdr *request, nft_dump_row row, void *arg);
/* One request outside of a transaction, and its answer. -errno. */
_must_check_ int nft_ask(struct nft *nft, struct nlmsghdr *request);
_must_check_ int nft_count_elements(
	struct nft *nft, uint16_t family, const char *set, uint32_t *ret_n);

#endif
