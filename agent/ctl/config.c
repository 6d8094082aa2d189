/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config apply and config confirm: puts the files in force as they are, for
 * good or on trial. Changes no file.
 */
#include <errno.h>
#include <string.h>

#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/program.h"
#include "agent/ctl/say.h"
#include "agent/ctl/when.h"

int ctl_check_files(const struct ctl *ctl)
{
	char *path = program_daemon(), *output = NULL;
	char *argv[] = {(char *)"gatehoused", (char *)"--check-config",
		(char *)"-f", (char *)ctl->config, NULL};
	int r = program_run(path, argv, &output);

	if (r < 0)
		say_errorf("Is gatehouse installed completely?",
			"Cannot run %s: %s.", path, strerror(-r));
	else if (r > 0)
		say_errorf(output, "The configuration has problems:");
	free(output);
	free(path);
	return r == 0 ? 0 : -EINVAL;
}

int ctl_put_in_force(const struct ctl *ctl, sd_bus *bus)
{
	_cleanup_(cleanup_free) char *report = NULL;

	if (ctl->confirm_within)
		return client_apply(bus, ctl->confirm_within, &report);
	return client_reload(bus, &report);
}

void ctl_say_trial(const struct ctl *ctl)
{
	char span[WHEN_TEXT];

	if (ctl->confirm_within == 0)
		return;
	say("ON TRIAL for %s. If you can still reach this gateway and all "
	    "works, keep it: gatehouse config confirm",
		when_span(ctl->confirm_within, span));
	say("Otherwise the configuration before returns by itself, also "
	    "after a power cut. Your files stay as they are.");
}

int ctl_config_apply(const struct ctl *ctl)
{
	_cleanup_(client_close) sd_bus *bus = NULL;

	if (ctl_check_files(ctl) < 0 || client_open(&bus) < 0 ||
		ctl_put_in_force(ctl, bus) < 0)
		return CTL_FAILED;
	if (ctl->confirm_within == 0)
		say("The configuration is in force.");
	ctl_say_trial(ctl);
	return CTL_DONE;
}

int ctl_config_confirm(const struct ctl *ctl)
{
	_cleanup_(client_close) sd_bus *bus = NULL;
	_cleanup_(cleanup_free) char *report = NULL;

	(void)ctl;
	if (client_open(&bus) < 0 || client_confirm(bus, &report) < 0)
		return CTL_FAILED;
	say("Confirmed: the configuration stays in force.");
	return CTL_DONE;
}
