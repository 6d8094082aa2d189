/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all commands share that write a decision into the drop-in. May write
 * that file and no other; must never leave one behind that is not in force.
 */
#include "agent/ctl/decide.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "agent/ctl/say.h"

/*
 * Ctrl-C must not leave a file behind that is not in force, nor must a
 * reader of what is said here who is gone.
 */
static void ignore_signals(void)
{
	static const int signals[] = {
		SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGTERM, SIGPIPE};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

int decide_knows(const struct plan *plan, const char *device)
{
	if (plan_find(plan, "device", device))
		return 0;
	say_errorf("Give it a [device NAME] section with its mac first.",
		"%s is not in the configuration, so nothing can be said of it "
		"there.",
		device);
	return -ENOENT;
}

int decide_open(const struct ctl *ctl, struct dropin *ret_dropin)
{
	int r = dropin_open(ctl->config, ret_dropin);

	if (r < 0)
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot write to %s.d: %s.", ctl->config, strerror(-r));
	else
		ignore_signals();
	return r;
}

int decide_put(const struct ctl *ctl, struct sd_bus *bus,
	const struct dropin *dropin, const char *text)
{
	int r = dropin_write(dropin, text);

	if (r < 0) {
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot write %s: %s.", dropin->path, strerror(-r));
		return r;
	}
	r = ctl_check_files(ctl);
	if (r == 0)
		r = ctl_put_in_force(ctl, bus);
	if (r == 0)
		return 0;
	if (dropin_restore(dropin) < 0)
		say_errorf("Look at this file.", "%s could not be restored.",
			dropin->path);
	else
		say_error("Nothing was changed: the old file is back.", NULL);
	return r;
}
