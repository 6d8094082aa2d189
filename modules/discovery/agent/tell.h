/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What devices tried, as lines of the journal and in their records. */
#ifndef GATEHOUSE_DISCOVERY_TELL_H
#define GATEHOUSE_DISCOVERY_TELL_H

#include "agent/lib/state.h"
#include "modules/discovery/discovery_proto.h"

#define TELL_LINES 30 /* of all devices together, in ... */
#define TELL_LINES_MS 10000
#define TELL_TEXT 512

/* Does the report make sense? It comes from a worker. */
bool tell_sane(const struct discovery_tried *tried);
/* "camera tried tcp/23 192.0.2.1 (3 times) ...: denied, 7 packets so far" */
const char *tell_text(const struct record_device *device,
	const struct discovery_tried *tried, char text[static TELL_TEXT]);
/* Notes when it was and writes the line, unless there were too many. */
void tell_tried(struct state *state, const struct discovery_tried *tried);
void tell_lost(const struct discovery_lost *lost);

#endif
