/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that only start another program: config check (gatehoused) and
 * rules clear (gatehouse-isolation).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "agent/ctl/ctl.h"
#include "agent/ctl/program.h"
#include "agent/ctl/say.h"

static int become(char *path, char *const *argv)
{
	int r = program_become(path, argv);

	say_errorf("Is gatehouse installed completely?", "Cannot run %s: %s.",
		path, strerror(-r));
	free(path);
	return CTL_FAILED;
}

int ctl_config_check(const struct ctl *ctl)
{
	char *argv[] = {(char *)"gatehoused", (char *)"--check-config",
		(char *)"-f", (char *)ctl->config,
		ctl->json ? (char *)"--json" : NULL, NULL};

	return become(program_daemon(), argv);
}

int ctl_daemon_runs(const char *run)
{
	_cleanup_(cleanup_close) int fd = -1;
	char *path;

	if (asprintf(&path, "%s/gatehoused.pid", run) < 0)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : -errno;
}

int ctl_rules_clear(const struct ctl *ctl)
{
	char *argv[] = {(char *)"gatehouse-isolation", (char *)"--clear",
		(char *)ctl->state, NULL};
	int r;

	if (geteuid() != 0) {
		say_error("Only root may remove the isolation rules.",
			"Try sudo.");
		return CTL_FAILED;
	}
	r = ctl_daemon_runs(ctl->run);
	if (r < 0) {
		say_errorf(NULL, "Cannot see whether gatehoused runs: %s.",
			strerror(-r));
		return CTL_FAILED;
	}
	if (r > 0) {
		say_error("gatehoused is running and would put the rules "
			  "back at once.",
			"First: sudo systemctl stop gatehouse");
		return CTL_FAILED;
	}
	return become(program_worker("gatehouse-isolation"), argv);
}
