/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other people's chains, rules and set elements, as the kernel has them. */
#ifndef GATEHOUSE_ISOLATION_FOREIGN_READ_H
#define GATEHOUSE_ISOLATION_FOREIGN_READ_H

#include "modules/isolation/foreign.h"
#include "modules/isolation/kernel/nft.h"

/* All of them at this moment; foreign_free() afterwards. -errno. */
_must_check_ int foreign_read(struct nft *nft, struct foreign *ret_foreign);
/*
 * Reads them and judges, with their sets as they are. 1 and a cause, 0,
 * -errno.
 */
_must_check_ int foreign_ask(struct nft *nft, const struct foreign_flow *flow,
	struct foreign_cause *ret_cause);

#endif
