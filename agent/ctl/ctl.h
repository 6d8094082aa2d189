/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands; each returns the exit status of the process. */
#ifndef GATEHOUSE_CTL_CTL_H
#define GATEHOUSE_CTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

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
	const char *const *words; /* of commands with several */
	const char *device; /* --device, a MAC address; NULL: all */
	const char *passphrase_file; /* NULL: ask */
	uint32_t seconds; /* how long a decision lasts; 0: for good */
	const char *profile; /* NULL: the usual one */
	bool all; /* devices */
	uint32_t confirm_within; /* seconds; 0: not on trial */
};

/* 1: a daemon holds the lock of its run folder, 0: none does, -errno. */
int ctl_daemon_runs(const char *run);
/* For commands that change what is in force; each says what goes wrong. */
struct sd_bus;
/* Would gatehoused take the files as they are? -errno. */
int ctl_check_files(const struct ctl *ctl);
/* Has them read, on trial if that was asked for. -errno. */
int ctl_put_in_force(const struct ctl *ctl, struct sd_bus *bus);
/* What to do now, if they are on trial. */
void ctl_say_trial(const struct ctl *ctl);

int ctl_status(const struct ctl *ctl);
int ctl_device_list(const struct ctl *ctl);
int ctl_device_show(const struct ctl *ctl);
int ctl_device_approve(const struct ctl *ctl);
int ctl_device_quarantine(const struct ctl *ctl);
int ctl_device_block(const struct ctl *ctl);
int ctl_device_rename(const struct ctl *ctl);
int ctl_device_set_profile(const struct ctl *ctl);
int ctl_device_forget(const struct ctl *ctl);
int ctl_pause(const struct ctl *ctl);
int ctl_warnings(const struct ctl *ctl);
int ctl_monitor(const struct ctl *ctl);
int ctl_enforce(const struct ctl *ctl);
int ctl_observe(const struct ctl *ctl);
int ctl_pin(const struct ctl *ctl);
int ctl_unpin(const struct ctl *ctl);
int ctl_update_check(const struct ctl *ctl);
int ctl_update_apply(const struct ctl *ctl);
int ctl_config_check(const struct ctl *ctl);
int ctl_config_diff(const struct ctl *ctl);
int ctl_config_apply(const struct ctl *ctl);
int ctl_config_confirm(const struct ctl *ctl);
int ctl_why(const struct ctl *ctl);
int ctl_discover(const struct ctl *ctl);
int ctl_rules_clear(const struct ctl *ctl);
int ctl_doctor(const struct ctl *ctl);
int ctl_forget(const struct ctl *ctl);
int ctl_backup(const struct ctl *ctl);
int ctl_restore(const struct ctl *ctl);
int ctl_selftest(const struct ctl *ctl);

/* 1: a daemon holds the lock in that folder, 0: none does, -errno. */
int ctl_daemon_runs(const char *run);

#endif
