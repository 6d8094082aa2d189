/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose addresses were, out of the saved file into a load. Pure. */
#ifndef GATEHOUSE_ISOLATION_RESTORE_H
#define GATEHOUSE_ISOLATION_RESTORE_H

#include "modules/isolation/rules/ruleset.h"

/*
 * Makes what is left of these rows, each of them sane, carry's bound: not of
 * who is no device any more or shares its MAC, not what is pinned, no other
 * address of who has pinned ones, and not the gateway's own.
 */
void restore_bound(const struct isolation_bound *rows, size_t n,
	const struct policy *policy, const struct topology *topology,
	struct ruleset_carry *carry);

#endif
