/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a trial share with each other, and nobody else. */
#ifndef GATEHOUSE_CONFIRM_PRIV_H
#define GATEHOUSE_CONFIRM_PRIV_H

#include "agent/lib/cleanup.h"

struct agent;

/*
 * Keeps what is in force on the disk, then the marker that says that it
 * counts. -errno: nothing was begun.
 */
_must_check_ int confirm_prepare(const struct agent *agent);
/* The marker once more, with what is known now. Without it the old counts. */
void confirm_rewrite_marker(const struct agent *agent);
/* The trial is over. -errno: the marker is still there, and counts. */
_must_check_ int confirm_forget(const struct agent *agent);

#endif
