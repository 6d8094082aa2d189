/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command's side of org.gatehouse1. */
#ifndef GATEHOUSE_CTL_CLIENT_H
#define GATEHOUSE_CTL_CLIENT_H

#include SDBUS_HEADER

#include "agent/ctl/view.h"
#include "agent/ctl/why.h"

/*
 * Each opens, asks, and tells the user on failure what happened and what to
 * do. 0 or -errno; nothing more is to be said then.
 */
_must_check_ int client_open(sd_bus **ret_bus);
/* Everything but the attempts. */
_must_check_ int client_read(sd_bus *bus, struct view *ret_view);
/*
 * From a signal, silently: the properties that changed, over those that are
 * known; the interfaces of a new object, the device at the end of the view's.
 */
_must_check_ int client_read_device(
	sd_bus_message *m, struct view_device *device);
_must_check_ int client_read_manager(
	sd_bus_message *m, struct view_manager *manager);
_must_check_ int client_read_added(sd_bus_message *m, struct view *view);
/* The device that was meant, as view_find(). */
_must_check_ int client_find(const struct view *view, const char *word,
	const struct view_device **ret_device);
/* quiet: who asks can do without them. */
_must_check_ int client_read_attempts(
	sd_bus *bus, struct view *view, bool quiet);
/* ret_report is the caller's to free. */
_must_check_ int client_reload(sd_bus *bus, char **ret_report);
/* Apply for so many seconds; Confirm. As client_reload(). */
_must_check_ int client_apply(sd_bus *bus, uint32_t seconds, char **ret_report);
_must_check_ int client_confirm(sd_bus *bus, char **ret_report);
/*
 * A decision about a device (0: all of them): the member of its object, with
 * a word, a time, or both (NULL: without). As client_reload().
 */
_must_check_ int client_decide(sd_bus *bus, uint32_t device, const char *member,
	const char *word, const uint32_t *seconds, char **ret_report);
/* A refusal comes back as a report, too. */
_must_check_ int client_update(sd_bus *bus, const char *method, int statement,
	int package, char **ret_report);
/* May the device open that? See org.gatehouse1.Manager.Why. */
_must_check_ int client_why(sd_bus *bus, uint32_t device, const char *protocol,
	uint16_t port, const char *to, struct why_answer *ret_answer);
/* The registry forgets the device; -ENOENT, silently: it knows nothing of it. */
_must_check_ int client_forget(sd_bus *bus, uint32_t device, char **ret_report);
/* The version of the daemon, silently. */
_must_check_ int client_version(sd_bus *bus, char **ret_version);

void client_close(sd_bus **bus); /* for _cleanup_ */

#endif
