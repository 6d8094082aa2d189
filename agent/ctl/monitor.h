/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of gatehouse monitor share. */
#ifndef GATEHOUSE_CTL_MONITOR_H
#define GATEHOUSE_CTL_MONITOR_H

#include SDBUS_HEADER

#include <jansson.h>
#include <stdbool.h>

#include "agent/ctl/view.h"

struct monitor {
	bool json;
	bool asked; /* the view has been read once */
	bool stale; /* it has to be read again */
	sd_bus *bus;
	char *owner; /* unique name of the daemon; NULL: it is not there */
	struct view view;
};

/* Prints an event and frees it; an events_sink. */
void monitor_tell(void *monitor, json_t *event);
void monitor_tell_plain(
	struct monitor *monitor, const char *event, const char *text);

/* monitor_heard.c: from now on signals are heard. -errno. */
_must_check_ int monitor_listen(struct monitor *monitor);
/* Who is the daemon? Nobody is no error. -ENOMEM. */
_must_check_ int monitor_find_owner(struct monitor *monitor);

#endif
