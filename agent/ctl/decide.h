/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision of the owner: into the drop-in, checked, in force. */
#ifndef GATEHOUSE_CTL_DECIDE_H
#define GATEHOUSE_CTL_DECIDE_H

#include "agent/ctl/ctl.h"
#include "agent/ctl/dropin.h"
#include "agent/ctl/plan.h"

struct sd_bus;

/* Is there a [device] section of that name? -ENOENT after saying so. */
_must_check_ int decide_knows(const struct plan *plan, const char *device);
/* Opens the drop-in, or says why not; signals end nothing from then on. */
_must_check_ int decide_open(const struct ctl *ctl, struct dropin *ret_dropin);
/*
 * Writes the text, has the whole configuration checked and puts it in force.
 * Any failure is said and brings the old file back. -errno.
 */
_must_check_ int decide_put(const struct ctl *ctl, struct sd_bus *bus,
	const struct dropin *dropin, const char *text);

#endif
