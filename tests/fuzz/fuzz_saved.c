/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the file of saved rules; once as they are, once with a header
 * that fits, because no fuzzer guesses a checksum. What is accepted must make
 * a ruleset, and nothing that is not whole may be accepted.
 */
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/ruleset.h"
#include "modules/isolation/saved_bound.h"
#include "modules/isolation/saved_policy.h"
#include "tests/fuzz/fuzz.h"

#define ITEMS_MAX 4096 /* a ruleset of more takes too long here */

static void build(const struct policy *policy)
{
	char reason[POLICY_REASON] = "";
	struct topology topology;
	struct ruleset_input input = {policy, &topology, NULL, 1};
	struct ruleset ruleset;

	topology_build(policy, NULL, 0, &topology);
	fuzz_require(topology.n_ports <= TOPOLOGY_PORTS_MAX);
	if (ruleset_build(&input, 1, &ruleset, reason) == 0)
		ruleset_free(&ruleset);
	else
		fuzz_require(reason[0]);
	topology_free(&topology);
}

static int read_file(const uint8_t *data, size_t size)
{
	char reason[POLICY_REASON] = "";
	struct policy policy = {0};
	int r = saved_policy_read(data, size, &policy, reason);

	if (r < 0) {
		fuzz_require(reason[0] && !policy.zones.items);
		return r;
	}
	fuzz_require(saved_check(data, size) == 0);
	fuzz_require(saved_check(data, size - 1) < 0);
	build(&policy);
	policy_free(&policy);
	return 0;
}

/* The file of whose addresses were has the same frame. */
static void read_bound(const uint8_t *data, size_t size)
{
	struct isolation_bound *rows = NULL;
	size_t n = 0;

	if (saved_bound_read(data, size, 0, &rows, &n) < 0)
		return;
	fuzz_require(n <= ISOLATION_BOUND_MAX);
	for (size_t i = 0; i < n; i++)
		fuzz_require(saved_bound_sane(&rows[i]));
	free(rows);
}

/* The same as records behind a good header, as far as they are records. */
static void read_records(const uint8_t *data, size_t size)
{
	struct saved saved = {0};
	struct saved_record record;
	size_t at = 0;

	while (size - at >= sizeof(record) && saved.count < ITEMS_MAX) {
		memcpy(&record, data + at, sizeof(record));
		at += sizeof(record);
		if (record.size > size - at)
			break;
		fuzz_require(saved_add(&saved, record.type, data + at,
				     record.size) == 0);
		at += record.size;
	}
	fuzz_require(saved_seal(&saved) == 0);
	fuzz_require(saved_check(saved.bytes, saved.length) == 0);
	(void)read_file(saved.bytes, saved.length);
	read_bound(saved.bytes, saved.length);
	saved_free(&saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t header = sizeof(struct saved_header);

	(void)read_file(data, size);
	read_bound(data, size);
	if (size >= header)
		read_records(data + header, size - header);
	return 0;
}
