/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gatehouse-isolation --clear: the deliberate way to take the rules away. */
#ifndef GATEHOUSE_ISOLATION_CLEAR_H
#define GATEHOUSE_ISOLATION_CLEAR_H

/*
 * Removes our tables and the rules saved in the state folder; prints what
 * it did. The exit code.
 */
int clear_main(const char *folder);
/*
 * All but the rules saved for the next boot. 0; 1: the rules are still there;
 * 2: they are gone, but something else could not be undone.
 */
int clear_but_saved(const char *folder);

#endif
