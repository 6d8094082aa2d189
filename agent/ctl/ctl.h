/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands; each returns the exit status of the process. */
#ifndef GATEHOUSE_CTL_CTL_H
#define GATEHOUSE_CTL_CTL_H

#include <stdbool.h>

#include "agent/ctl/view.h"

enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
};

struct ctl {
	bool json, yes;
	const char *config; /* gatehouse.conf */
	const char *state, *run; /* the daemon's folders */
	const char *word; /* the command's argument; NULL: none */
};

int ctl_status(const struct ctl *ctl);
int ctl_device_list(const struct ctl *ctl);
int ctl_device_show(const struct ctl *ctl);
int ctl_warnings(const struct ctl *ctl);
int ctl_enforce(const struct ctl *ctl);
int ctl_observe(const struct ctl *ctl);
int ctl_update_check(const struct ctl *ctl);
int ctl_update_apply(const struct ctl *ctl);
int ctl_config_check(const struct ctl *ctl);
int ctl_rules_clear(const struct ctl *ctl);

#endif
