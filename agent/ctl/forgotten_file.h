/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of who was forgotten, in the state folder. */
#ifndef GATEHOUSE_CTL_FORGOTTEN_FILE_H
#define GATEHOUSE_CTL_FORGOTTEN_FILE_H

#include "agent/ctl/forgotten.h"

/* An empty list with a fresh key when there is none. -errno. */
_must_check_ int forgotten_load(
	const char *state, struct forgotten *ret_forgotten);
/* Adds it, on the disk when it returns 0. -errno. */
_must_check_ int forgotten_note(
	const char *state, const struct mac *mac, int64_t now);

#endif
