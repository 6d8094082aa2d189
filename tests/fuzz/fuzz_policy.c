/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the messages of the wanted state. What is taken becomes a
 * ruleset whose every message is whole, or is refused with a reason.
 */
#include <libmnl/libmnl.h>
#include <string.h>

#include "agent/lib/cleanup.h"
#include "modules/isolation/rules/ruleset.h"
#include "tests/fuzz/fuzz.h"

/* One byte says what comes, then its struct. */
static size_t take(struct policy *p, const uint8_t *data, size_t size)
{
	union {
		struct isolation_zone zone;
		struct isolation_device device;
		struct isolation_allow allow;
		struct isolation_redirect redirect;
		struct isolation_address address;
		struct isolation_fence fence;
		struct isolation_pin pin;
		struct isolation_limit limit;
		struct isolation_pass pass;
	} item;
	static const size_t sizes[] = {sizeof(item.zone), sizeof(item.device),
		sizeof(item.allow), sizeof(item.redirect), sizeof(item.address),
		sizeof(item.address), sizeof(item.fence), sizeof(item.pin),
		sizeof(item.limit), sizeof(item.pass)};
	size_t kind = data[0] % ARRAY_SIZE(sizes);
	int r = 0;

	if (size < 1 + sizes[kind])
		return size;
	memcpy(&item, data + 1, sizes[kind]);
	if (kind == 0)
		r = policy_add_zone(p, &item.zone);
	else if (kind == 1)
		r = policy_add_device(p, &item.device);
	else if (kind == 2)
		r = policy_add_allow(p, &item.allow);
	else if (kind == 3)
		r = policy_add_redirect(p, &item.redirect);
	else if (kind == 4)
		r = policy_add_name_server(p, &item.address);
	else if (kind == 5)
		r = policy_add_admin(p, &item.address);
	else if (kind == 6)
		r = policy_add_fence(p, &item.fence);
	else if (kind == 7)
		r = policy_add_pin(p, &item.pin);
	else if (kind == 8)
		r = policy_add_limit(p, &item.limit);
	else
		r = policy_add_pass(p, &item.pass);
	fuzz_require(r <= 0);
	return 1 + sizes[kind];
}

static void check_messages(const struct batch *batch)
{
	const struct nlmsghdr *m = (const void *)batch->bytes;
	int left = (int)batch->length;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		fuzz_require(batch_what(batch, m->nlmsg_seq) != NULL);
	fuzz_require(left == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy policy = {0};
	struct topology none = {0};
	struct ruleset_input input = {.policy = &policy,
		.topology = &none,
		.generation = 1,
		.kernel = {true, true, true, true}};
	char reason[POLICY_REASON] = "";
	struct ruleset ruleset;

	while (size) {
		size_t n = take(&policy, data, size);

		data += n;
		size -= n;
	}
	if (policy_seal(&policy, reason) < 0) {
		fuzz_require(reason[0]);
	} else if (ruleset_build(&input, 1, &ruleset, reason) < 0) {
		fuzz_require(reason[0]);
	} else {
		check_messages(&ruleset.batch);
		ruleset_free(&ruleset);
	}
	policy_free(&policy);
	return 0;
}
