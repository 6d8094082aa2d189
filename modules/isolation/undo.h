/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts back what was changed on this host besides our tables. */
#ifndef GATEHOUSE_ISOLATION_UNDO_H
#define GATEHOUSE_ISOLATION_UNDO_H

#include "agent/lib/cleanup.h"

/*
 * All that the ledger in this folder has; says what it does. The ledger is
 * removed when nothing is left in it. -errno when something was not put back.
 */
_must_check_ int undo_changes(const char *folder);

#endif
