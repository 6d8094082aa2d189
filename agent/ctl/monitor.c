/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse monitor: what the daemon tells by signals, a line each, until
 * Ctrl-C. Survives that the daemon or the bus goes. Changes nothing; what is
 * printed is cleaned here.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/events.h"
#include "agent/ctl/monitor.h"
#include "agent/ctl/say.h"
#include "agent/ctl/text.h"
#include "agent/ctl/when.h"

#define AGAIN_S 2 /* until what failed is tried again */

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static void print_text(const json_t *event)
{
	const char *raw = json_string_value(json_object_get(event, "text"));
	char *clean = text_clean(raw ? raw : "");
	char date[32] = "?";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s  %s\n", date, clean);
	free(clean);
}

static void print_json(json_t *event)
{
	char when[WHEN_TEXT];

	json_object_set_new(
		event, "time", json_string(when_utc(time(NULL), when)));
	json_dumpf(event, stdout, JSON_COMPACT);
	putchar('\n');
}

void monitor_tell(void *arg, json_t *event)
{
	const struct monitor *monitor = arg;

	if (event == NULL)
		return;
	if (monitor->json)
		print_json(event);
	else
		print_text(event);
	json_decref(event);
	if (fflush(stdout) != 0)
		stopped = 1; /* nobody reads it */
}

void monitor_tell_plain(
	struct monitor *monitor, const char *event, const char *text)
{
	monitor_tell(monitor, events_plain(event, text));
}

static struct view_device *device_by_mac(struct view *view, const char *mac)
{
	for (size_t i = 0; i < view->n_devices; i++)
		if (strcmp(view->devices[i].mac, mac) == 0)
			return &view->devices[i];
	return NULL;
}

/* What is different from what was known before the daemon went. */
static void compare_all(struct monitor *monitor, struct view *fresh)
{
	for (size_t i = 0; i < fresh->n_devices; i++) {
		const struct view_device *after = &fresh->devices[i];
		const struct view_device *before = device_by_mac(
			&monitor->view, after->mac);

		if (before)
			events_compare(before, after, monitor_tell, monitor);
		else
			monitor_tell(monitor, events_new(after));
	}
}

/* Everything, once the daemon is there. */
static int read_all(struct monitor *monitor)
{
	struct view fresh = {0};
	int r = client_read(monitor->bus, &fresh);

	if (r < 0) {
		view_clear(&fresh);
		return r;
	}
	if (monitor->asked)
		compare_all(monitor, &fresh);
	view_clear(&monitor->view);
	monitor->view = fresh;
	monitor->asked = true;
	monitor->stale = false;
	return 0;
}

/* Waits for the bus, or a signal of the kernel. */
static int wait_for(struct monitor *monitor)
{
	struct pollfd fd = {.fd = sd_bus_get_fd(monitor->bus)};
	sigset_t none;
	uint64_t until;
	struct timespec far = {.tv_sec = monitor->stale ? AGAIN_S : 3600};

	sigemptyset(&none);
	fd.events = (short)sd_bus_get_events(monitor->bus);
	if (sd_bus_get_timeout(monitor->bus, &until) < 0)
		return -EIO;
	if (until == 0)
		far.tv_sec = 0;
	if (ppoll(&fd, 1, &far, &none) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int run(struct monitor *monitor)
{
	int r = 0;

	while (!stopped && r >= 0) {
		r = sd_bus_process(monitor->bus, NULL);
		if (r == 0 && monitor->stale && monitor->owner)
			(void)read_all(monitor); /* says what is wrong */
		if (r == 0)
			r = wait_for(monitor);
	}
	return stopped ? 0 : r;
}

/* From the bus being there until it goes. 0: the user has enough. */
static int session(struct monitor *monitor)
{
	int r = monitor_listen(monitor);

	if (r >= 0)
		r = monitor_find_owner(monitor);
	if (r < 0)
		return r;
	if (monitor->owner && read_all(monitor) < 0)
		return -EACCES;
	monitor_tell_plain(monitor, "monitor.started",
		monitor->owner ? "watching; Ctrl-C ends it"
			       : "gatehouse is not running; waiting for it. "
				 "Ctrl-C ends it");
	return run(monitor);
}

/* 0 when it is there again, -EINTR. */
static int reopen(struct monitor *monitor)
{
	const struct timespec pause = {.tv_sec = AGAIN_S};
	sigset_t none;

	sigemptyset(&none);
	monitor_tell_plain(
		monitor, "bus.gone", "the system bus is gone; waiting");
	client_close(&monitor->bus);
	monitor->bus = NULL;
	while (!stopped) {
		(void)ppoll(NULL, 0, &pause, &none);
		if (!stopped && sd_bus_open_system(&monitor->bus) >= 0)
			return 0;
	}
	return -EINTR;
}

/* Only while we wait, so that none is missed. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = stop};
	sigset_t caught;

	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	sigprocmask(SIG_BLOCK, &caught, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int ctl_monitor(const struct ctl *ctl)
{
	struct monitor monitor = {.json = ctl->json};
	int r;

	if (client_open(&monitor.bus) < 0)
		return CTL_FAILED;
	catch_signals();
	view_complete(&monitor.view);
	do {
		r = session(&monitor);
	} while (r < 0 && r != -EACCES && reopen(&monitor) == 0);
	client_close(&monitor.bus);
	view_clear(&monitor.view);
	free(monitor.owner);
	return r == -EACCES ? CTL_FAILED : CTL_DONE;
}
