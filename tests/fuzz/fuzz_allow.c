/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as an allow line: either refused with a reason, or something that
 * the worker's own check takes as well.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/cleanup.h"
#include "modules/isolation/agent/allow.h"
#include "modules/isolation/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256], reason[ALLOW_REASON] = "";
	struct isolation_allow allow = {.device = 7};
	struct policy policy = {0};
	int r;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	r = allow_parse(text, &allow, reason);
	if (r < 0) {
		fuzz_require(r == -EINVAL && reason[0]);
		fuzz_require(allow.device == 7 && !allow.to.family);
		return 0;
	}
	fuzz_require(allow.protocol || allow.last == 65535);
	fuzz_require(policy_add_allow(&policy, &allow) == 0);
	policy_free(&policy);
	return 0;
}
