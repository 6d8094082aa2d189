/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who changed nftables: the kernel says it at the end of each transaction.
 * Pure. The name is what the program calls itself: good enough to tell the
 * owner where to look, no proof of anything.
 */
#ifndef GATEHOUSE_ISOLATION_CHANGER_H
#define GATEHOUSE_ISOLATION_CHANGER_H

#include <stdbool.h>

#include "modules/isolation/isolation_proto.h"

struct nlmsghdr;

/* True for the message that ends a transaction; fills "nft (pid 12)". */
bool changer_read(
	const struct nlmsghdr *message, char ret_by[static ISOLATION_BY]);

#endif
