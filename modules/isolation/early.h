/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gatehouse-isolation --early: the last rules again, before the network. */
#ifndef GATEHOUSE_ISOLATION_EARLY_H
#define GATEHOUSE_ISOLATION_EARLY_H

/*
 * Loads what the state folder's saved file says, unless rules are there
 * already or nothing was ever saved. In safe mode (boot as in safe_mode.h) it
 * takes rules away instead. The exit code.
 */
int early_main(const char *folder, const char *boot);

#endif
