/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision of the owner: into the drop-in, checked, in force. */
#ifndef GATEHOUSE_CTL_DECIDE_H
#define GATEHOUSE_CTL_DECIDE_H

#include "agent/ctl/ctl.h"
#include "agent/ctl/dropin.h"

struct sd_bus;

/* Opens the drop-in, or says why not; signals end nothing from then on. */
_must_check_ int decide_open(const struct ctl *ctl, struct dropin *ret_dropin);
/*
 * Writes the text, has the whole configuration checked and puts it in force.
 * Any failure is said and brings the old file back. -errno.
 */
_must_check_ int decide_put(const struct ctl *ctl, struct sd_bus *bus,
	const struct dropin *dropin, const char *text);

#endif
