/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hours in which devices may: outside of them nothing of their allow-list is
 * sent to the worker. By the gateway's local time. In the agent.
 */
#ifndef GATEHOUSE_ISOLATION_WINDOWS_H
#define GATEHOUSE_ISOLATION_WINDOWS_H

#include "agent/lib/module.h"

#define WINDOWS_EACH 16 /* of one device */
/* A week and a day: what does not change in it never does. */
#define WINDOWS_AHEAD_S (8 * 24 * 3600)

struct window {
	uint8_t days; /* on which it begins: 1 << tm_wday */
	uint16_t from, to; /* minutes of the day; to <= from: of the next day */
};

/* "mon-fri 07:00-22:00", "sat,sun 22:00-06:00", "daily 09:00-24:00". */
_must_check_ int windows_parse(const char *text, struct window *ret_window);
int windows_check_text(const char *text);
#define WINDOWS_EXPECTED                                \
	"days and hours, such as mon-fri 07:00-22:00, " \
	"sat,sun 09:00-24:00 or daily 22:00-06:00"
/* Is one of them open on this day of the week (tm_wday), this minute? */
bool windows_open_at(
	const struct window *windows, size_t n, int weekday, int minute);
/*
 * When (seconds since 1970) that changes next, by local time with all its
 * jumps; -1: not within WINDOWS_AHEAD_S.
 */
int64_t windows_next(const struct window *windows, size_t n, int64_t now);

/* Complains of more than WINDOWS_EACH. */
void windows_check(struct conf *conf);
/* Has the device hours at all? */
bool windows_has(const struct conf_section *device);
/*
 * May it now? A device without hours always; one with hours never while the
 * clock cannot be believed, because it is before the moment of the build.
 */
bool windows_open(const struct conf_section *device);

/* A configuration on its way to the worker, as struct module's sent(). */
void windows_heard(uint16_t type);
/* What configure() makes of a device with hours. */
void windows_sent(uint32_t device, bool open);
/* It is in force: from now on changes are looked for. */
void windows_applied(struct agent *agent);
/* Has something opened or closed, or the clock jumped? Then agent_refresh(). */
void windows_look(struct agent *agent);

#endif
