/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies between two policies, and single devices out of one. Pure. */
#ifndef GATEHOUSE_ISOLATION_POLICY_DELTA_H
#define GATEHOUSE_ISOLATION_POLICY_DELTA_H

#include "modules/isolation/policy.h"

/* Numbers of devices, in order, none twice. */
struct policy_ids {
	uint32_t *ids;
	size_t n, room;
};
void policy_ids_free(struct policy_ids *ids);

/*
 * Both sealed. True: they differ in nothing but these devices (which is none
 * if they are the same). False: in more.
 */
bool policy_differs(const struct policy *a, const struct policy *b,
	struct policy_ids *ret_ids);

/*
 * A device's items in an array where they lie together, ordered by its number
 * (policy_kind.grouped); it points into that array. at: of the number in an
 * item.
 */
struct policy_array policy_group(const struct policy_array *all, size_t size,
	size_t at, uint32_t device);

/*
 * The policy as if there were these devices only. What is no device's is
 * shared with the whole policy, which must outlive it.
 */
void policy_pick(const struct policy *policy, const struct policy_ids *ids,
	struct policy *ret_part);
void policy_pick_free(struct policy *part);

#endif
