/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command has to know of the configuration: which zones and devices
 * it names and whether they observe. Whether it is correct is gatehoused's to
 * say; this only looks.
 */
#ifndef GATEHOUSE_CTL_PLAN_H
#define GATEHOUSE_CTL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

#define PLAN_FILE_MAX (16u << 20)

/* A [zone NAME] or [device NAME]; what was not given is empty. */
struct plan_section {
	char *type, *name;
	char *mode, *role, *interface;
};

struct plan {
	struct plan_section *sections;
	size_t n_sections;
};

/* Adds one file's text; what comes later replaces. Pure. */
void plan_scan(struct plan *plan, const char *text);
/* FILE and the .conf files of FILE.d in byte order; the folder may be missing. -errno. */
_must_check_ int plan_load(const char *file, struct plan *ret_plan);
void plan_clear(struct plan *plan);

const struct plan_section *plan_find(
	const struct plan *plan, const char *type, const char *name);
/* The zone with that interface; NULL: none. */
const struct plan_section *plan_zone_of(
	const struct plan *plan, const char *interface);
/* "observe" or "enforce", the nearest given; names may be unknown. */
const char *plan_mode(
	const struct plan *plan, const char *zone, const char *device);
/* As if [type name] had that mode. */
void plan_set_mode(struct plan *plan, const char *type, const char *name,
	const char *mode);

/* A whole file as text; an empty one if there is none. -errno. */
_must_check_ int plan_read_file(const char *path, char **ret_text);

#endif
