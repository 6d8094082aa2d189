/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the bytes of a saved file to the policy that it was made of. Pure. */
#ifndef GATEHOUSE_ISOLATION_SAVED_POLICY_H
#define GATEHOUSE_ISOLATION_SAVED_POLICY_H

#include "modules/isolation/policy.h"

/*
 * A sealed policy, the caller's to free. Less than all of a file is none of
 * it: negative, with a reason (POLICY_REASON).
 */
_must_check_ int saved_policy_read(const void *bytes, size_t size,
	struct policy *ret_policy, char *ret_reason);

#endif
