/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gatehouse-isolation --early: the last rules again, before the network. */
#ifndef GATEHOUSE_ISOLATION_EARLY_H
#define GATEHOUSE_ISOLATION_EARLY_H

struct early {
	const char *state; /* folder of lasting state */
	const char *boot; /* as in safe_mode.h; NULL: the usual places */
	const char *config; /* NULL: the daemon's */
};

/*
 * Loads what the state folder's saved file says, unless rules are there
 * already or nothing was ever saved. If what was saved cannot be used, all
 * that the configuration's zones enforce is denied. In safe mode it takes
 * rules away instead. The exit code.
 */
int early_main(const struct early *early);

#endif
