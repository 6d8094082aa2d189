/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes this host answer for devices (isolation_standin in the protocol):
 * which settings and proxy entries that takes, and what is undone of it.
 */
#ifndef GATEHOUSE_ISOLATION_STANDINS_H
#define GATEHOUSE_ISOLATION_STANDINS_H

#include "modules/isolation/isolation_proto.h"
#include "modules/isolation/ledger.h"

struct standins {
	struct isolation_standin rows[ISOLATION_STANDINS_MAX];
	size_t n;
};

/* -EINVAL for one that no worker sends, or too many. */
_must_check_ int standins_add(
	struct standins *standins, const struct isolation_standin *row);
/*
 * Adds to the ledger what will have to be changed; what is as it should be
 * already is not ours. 1: the ledger must be stored before anything else; 0.
 */
_must_check_ int standins_note(
	const struct standins *standins, struct ledger *ledger);
/*
 * Makes it so, and puts back what is in the ledger and not wanted any more.
 * 1: the ledger is shorter and must be stored; 0; -errno of the first that
 * failed, after all were tried.
 */
_must_check_ int standins_do(
	const struct standins *standins, struct ledger *ledger);

#endif
