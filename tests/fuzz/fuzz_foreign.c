/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any messages as other people's chains and rules: judged in the end, with an
 * answer that names something or none.
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/foreign.h"
#include "tests/fuzz/fuzz.h"

static void add(struct foreign *foreign, const struct nlmsghdr *m)
{
	if (m->nlmsg_len < NLMSG_LENGTH(4))
		return;
	if ((m->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN)
		(void)!foreign_add_chain(foreign, m);
	else
		(void)!foreign_add_rule(foreign, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct foreign_flow flow = {.iif = "br0",
		.oif = "wan0",
		.to = {.family = AF_INET, .b = {203, 0, 113, 10}},
		.protocol = IPPROTO_TCP,
		.port = 443};
	struct foreign_cause cause = {0};
	struct foreign foreign = {0};
	int left = (int)size, r;
	const struct nlmsghdr *m;
	void *copy;

	if (!size || size > 65536)
		return 0;
	copy = malloc(size);
	fuzz_require(copy);
	memcpy(copy, data, size);
	for (m = copy; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		add(&foreign, m);
	r = foreign_judge(&foreign, &flow, NULL, NULL, &cause);
	fuzz_require(r == 0 || (r == 1 && cause.what && cause.table[31] == 0));
	foreign_free(&foreign);
	free(copy);
	return 0;
}
