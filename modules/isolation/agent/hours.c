/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches the clock for devices with hours: at each minute, and when somebody
 * sets it. Touches the agent's state and a timer of the kernel's; must never
 * send anything by itself: what has changed goes the way that every
 * configuration goes.
 */
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/lib/log.h"
#include "agent/lib/loop.h"
#include "agent/lib/worker.h"
#include "modules/isolation/agent/windows.h"
#include "modules/isolation/isolation_proto.h"

#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET (1 << 1)
#endif

struct hours {
	struct {
		uint32_t device;
		bool open;
	} rows[ISOLATION_DEVICES_MAX];
	size_t n;
};

static struct {
	struct hours sent, in_force;
	bool open; /* between BEGIN and COMMIT */
	bool whole; /* sent was sent */
	struct agent *agent;
	struct watch watch;
	bool deaf; /* no timer of the kernel's */
	struct timer minute; /* without one */
} self;

void windows_heard(uint16_t type)
{
	if (type == WORKER_BEGIN)
		self.sent.n = 0;
	if (type == WORKER_BEGIN || type == WORKER_COMMIT ||
		type == WORKER_ABORT) {
		self.open = type == WORKER_BEGIN;
		self.whole = type == WORKER_COMMIT;
	}
}

/* No configuration has more devices. */
static void add(struct hours *h, uint32_t device, bool open)
{
	if (h->n == ARRAY_SIZE(h->rows))
		return;
	h->rows[h->n].device = device;
	h->rows[h->n++].open = open;
}

/* Somebody else may be sent to at this moment, not our worker. */
void windows_sent(uint32_t device, bool open)
{
	if (self.open)
		add(&self.sent, device, open);
}

/* Both ways of not knowing: a clock that was never set, and no local time. */
static void warn_of_clock(struct state *state, bool any)
{
	if (any && clock_wall() < BUILD_TIME)
		state_warn(state, 0, RECORD_SEVERITY_WARNING, "device.no-clock",
			"The clock of this gateway is wrong: it is before the "
			"day on which gatehouse was built. Devices with hours "
			"(when) reach nothing until it is set.");
	else
		state_unwarn(state, 0, "device.no-clock");
}

static const char *name_of(const struct conf *conf, uint32_t device)
{
	const struct conf_section *section = conf_find_id(conf, device);

	return section ? section->name : "";
}

static bool has_changed(const struct conf *conf)
{
	const struct hours *h = &self.in_force;
	bool changed = false;

	for (size_t i = 0; i < h->n; i++) {
		const struct conf_section *d = conf_find_id(
			conf, h->rows[i].device);
		bool open = d && windows_open(d);

		if (!d || open == h->rows[i].open)
			continue;
		log_notice("%s: its hours have %s", name_of(conf, d->id),
			open ? "begun" : "ended; its connections are cut");
		changed = true;
	}
	return changed;
}

void windows_look(struct agent *agent)
{
	const struct conf *conf = agent_conf(agent);

	if (!conf)
		return;
	tzset(); /* another zone counts at once */
	warn_of_clock(agent_state(agent), self.in_force.n > 0);
	if (has_changed(conf))
		agent_refresh(agent);
}

/* At the next minute of the local time; the kernel wakes us when it is set. */
static int set_alarm(int fd)
{
	struct itimerspec when = {{0}};
	struct timespec now;
	struct tm tm;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &now);
	t = now.tv_sec;
	if (!localtime_r(&t, &tm))
		tm.tm_sec = 0;
	when.it_value.tv_sec = t + (tm.tm_sec < 60 ? 60 - tm.tm_sec : 1);
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
		    &when, NULL) < 0)
		return -errno;
	return 0;
}

static void on_alarm(struct watch *watch, uint32_t events)
{
	uint64_t times;
	ssize_t n = read(watch->fd, &times, sizeof(times));

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0 && errno == ECANCELED)
		log_info("the clock was set");
	/* One that was set between looking and setting is cancelled again. */
	if (set_alarm(watch->fd) < 0)
		log_error("the hours of devices cannot be watched: %s",
			strerror(errno));
	windows_look(self.agent);
}

static void on_minute(struct timer *timer)
{
	loop_set_timer(agent_loop(self.agent), timer, 60000);
	windows_look(self.agent);
}

/* A kernel that has no such timer notices a clock that is set a bit later. */
static void watch_clock(struct agent *agent)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	self.watch.ready = on_alarm;
	self.minute.fired = on_minute;
	if (fd >= 0 && set_alarm(fd) == 0 &&
		loop_add_watch(agent_loop(agent), &self.watch, fd, EPOLLIN) ==
			0)
		return;
	if (fd >= 0)
		close(fd);
	self.deaf = true;
	loop_set_timer(agent_loop(agent), &self.minute, 60000);
}

void windows_applied(struct agent *agent)
{
	if (!self.whole)
		return;
	self.in_force.n = 0;
	for (size_t i = 0; i < self.sent.n; i++)
		add(&self.in_force, self.sent.rows[i].device,
			self.sent.rows[i].open);
	warn_of_clock(agent_state(agent), self.in_force.n > 0);
	self.agent = agent;
	if (self.in_force.n && !self.watch.active && !self.deaf)
		watch_clock(agent);
}
