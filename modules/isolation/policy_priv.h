/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the policy share with each other, and nobody else. */
#ifndef GATEHOUSE_ISOLATION_POLICY_PRIV_H
#define GATEHOUSE_ISOLATION_POLICY_PRIV_H

#include "agent/lib/cleanup.h"

struct policy;

/*
 * Are the items of a sorted and indexed policy free of contradictions? -EINVAL
 * with a reason of up to POLICY_REASON bytes.
 */
_must_check_ int policy_check(const struct policy *policy, char *ret_reason);

#endif
