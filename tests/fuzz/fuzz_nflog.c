/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what NFLOG sent: the frame, and the packets in it. What is
 * added up never names more than was read.
 */
#include "modules/discovery/tries.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check(const struct tries *tries)
{
	for (size_t i = 0; i < tries->n; i++) {
		const struct discovery_tried *d = &tries->devices[i];
		uint32_t sum = d->others;

		fuzz_require(d->n_targets >= 1);
		fuzz_require(d->n_targets <= DISCOVERY_TARGETS);
		fuzz_require(d->reason >= DISCOVERY_REASON_DENIED &&
			     d->reason <= DISCOVERY_REASON_BRIDGED);
		for (size_t t = 0; t < d->n_targets; t++)
			sum += d->targets[t].records;
		fuzz_require(sum == d->records);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {0x800, 0x86dd, 0x806, 0};
	static struct tries tries;
	struct packet_head head;

	memset(&tries, 0, sizeof(tries));
	tries_read(&tries, data, size);
	check(&tries);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (packet_decode(types[i], data, size, &head) == 0)
			fuzz_require(head.to.family || !types[i]);
	return 0;
}
