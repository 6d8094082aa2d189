/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update check and update apply: hands both files to the daemon as open
 * descriptors, and after an apply waits until it is back as another version.
 * Success is said only then.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/package.h"
#include "agent/ctl/plan.h"
#include "agent/ctl/say.h"

#define WAIT_S 120
#define POLL_MS 250

/* The installer's last word, in the daemon's state folder. */
struct outcome {
	char *path;
	struct timespec before; /* when it last changed before we began */
};

static struct timespec changed_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct timespec){0};
	return st.st_mtim;
}

/* The new line of the installer; NULL: none yet. */
static char *new_outcome(const struct outcome *outcome)
{
	struct timespec now = changed_at(outcome->path);
	char *text = NULL;

	if (now.tv_sec == outcome->before.tv_sec &&
		now.tv_nsec == outcome->before.tv_nsec)
		return NULL;
	if (plan_read_file(outcome->path, &text) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool went_wrong(const char *line)
{
	return strncmp(line, "failed", 6) == 0 ||
	       strncmp(line, "refused", 7) == 0;
}

/* The version of whoever answers; NULL: nobody does at this moment. */
static char *version_now(void)
{
	_cleanup_(client_close) sd_bus *bus = NULL;
	char *version = NULL;

	if (sd_bus_open_system(&bus) < 0 || client_version(bus, &version) < 0)
		return NULL;
	return version;
}

static void progress(bool terminal, unsigned seconds)
{
	if (!terminal)
		return;
	printf("\rinstalling, %u s ", seconds);
	fflush(stdout);
}

/* 0 and the new version, or -errno after saying what went wrong. */
static int wait_for(
	const char *old, const struct outcome *outcome, char **ret_version)
{
	const struct timespec nap = {.tv_nsec = POLL_MS * 1000000L};
	bool terminal = isatty(STDOUT_FILENO);
	time_t begun = time(NULL);

	for (unsigned n = 0; n < WAIT_S * 1000 / POLL_MS; n++) {
		char *version, *line = new_outcome(outcome);

		if (line && went_wrong(line)) {
			say_errorf("The version that was there runs on.",
				"%sThe update was not installed: %s",
				terminal ? "\n" : "", line);
			free(line);
			return -EIO;
		}
		free(line);
		version = version_now();
		if (version && strcmp(version, old) != 0) {
			*ret_version = version;
			if (terminal)
				putchar('\r');
			return 0;
		}
		free(version);
		progress(terminal, (unsigned)(time(NULL) - begun));
		nanosleep(&nap, NULL);
	}
	say_errorf("See: journalctl -u gatehouse-install -u gatehouse",
		"gatehouse was not back as a new version within %d s.", WAIT_S);
	return -ETIMEDOUT;
}

static int hand_over(const struct ctl *ctl, sd_bus *bus, const char *method,
	char **ret_report)
{
	_cleanup_(package_close) struct package package = {
		.statement = -1, .package = -1};
	int r = package_open(ctl->word, &package);

	if (r < 0)
		return r;
	if (package.chosen && !ctl->json)
		say("Of several, the newest by name: %s", package.path);
	return client_update(
		bus, method, package.statement, package.package, ret_report);
}

static int say_verdict(bool good, const char *report)
{
	return say_json(
		json_pack("{s:b, s:s}", "good", (int)good, "report", report));
}

int ctl_update_check(const struct ctl *ctl)
{
	_cleanup_(client_close) sd_bus *bus = NULL;
	_cleanup_(cleanup_free) char *report = NULL;
	int r;

	if (client_open(&bus) < 0)
		return CTL_FAILED;
	r = hand_over(ctl, bus, "UpdateCheck", &report);
	if (report && !ctl->json && r >= 0)
		say("%s", report);
	else if (report && ctl->json && say_verdict(r >= 0, report) < 0)
		return CTL_FAILED;
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

static int say_new_version(
	const struct ctl *ctl, const char *old, const char *version)
{
	if (!ctl->json) {
		say("gatehouse %s -> %s", old, version);
		return CTL_DONE;
	}
	return say_json(json_pack(
		       "{s:s, s:s}", "before", old, "version", version)) < 0
		       ? CTL_FAILED
		       : CTL_DONE;
}

int ctl_update_apply(const struct ctl *ctl)
{
	_cleanup_(client_close) sd_bus *bus = NULL;
	_cleanup_(cleanup_free) char *report = NULL;
	_cleanup_(cleanup_free) char *old = NULL;
	_cleanup_(cleanup_free) char *version = NULL;
	struct outcome outcome;
	int r;

	if (geteuid() != 0) {
		say_error("Only root may install an update.", "Try sudo.");
		return CTL_FAILED;
	}
	if (client_open(&bus) < 0)
		return CTL_FAILED;
	if (client_version(bus, &old) < 0) {
		say_error("gatehouse is not running, and it is what judges "
			  "updates.",
			"Start it: sudo systemctl start gatehouse");
		return CTL_FAILED;
	}
	if (asprintf(&outcome.path, "%s/update/result", ctl->state) < 0)
		return CTL_FAILED;
	outcome.before = changed_at(outcome.path);
	r = hand_over(ctl, bus, "UpdateApply", &report);
	if (r >= 0 && !ctl->json)
		say("%s", report);
	if (r >= 0)
		r = wait_for(old, &outcome, &version);
	free(outcome.path);
	return r < 0 ? CTL_FAILED : say_new_version(ctl, old, version);
}
