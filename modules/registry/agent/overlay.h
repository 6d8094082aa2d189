/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions as sections of a configuration. */
#ifndef GATEHOUSE_REGISTRY_AGENT_OVERLAY_H
#define GATEHOUSE_REGISTRY_AGENT_OVERLAY_H

#include "agent/lib/conf.h"

/* What sections and values that come from here have for a file. */
#define OVERLAY_FILE "registry"
#define OVERLAY_PAUSE "pause"

/*
 * Adds what was decided to conf: a [device] for each that has none there
 * already, its profile's lines, and what is let through for a time. False:
 * nothing was decided.
 */
bool overlay_add(struct conf *conf, int64_t now_ms);
/* A profile that is shipped or has a [profile] section. */
bool overlay_has_profile(const struct conf *conf, const char *name);
/* The [device] of that MAC; NULL: none. */
const struct conf_section *overlay_section(
	const struct conf *conf, const struct mac *mac);

#endif
