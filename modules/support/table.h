/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices with a support date: those in force, and those of a
 * configuration that is still being received.
 */
#ifndef GATEHOUSE_SUPPORT_TABLE_H
#define GATEHOUSE_SUPPORT_TABLE_H

#include <stdint.h>

#include "modules/support/support_proto.h"

struct table_row {
	uint32_t id;
	int32_t last_day;
	struct support_verdict said; /* what the agent knows; id 0: nothing */
};

struct table_rows {
	struct table_row *rows;
	size_t n, room;
};

struct table {
	struct table_rows now, wanted;
};

/* Forgets what was wanted; also how a configuration begins. */
void table_begin(struct table *table);
/* -EINVAL for what the agent must not have let pass, -ENOMEM. */
_must_check_ int table_add(
	struct table *table, const struct support_device *device);
/* What is wanted is in force from now on; nothing of it was said yet. */
void table_apply(struct table *table);
/* Judges every device and tells each verdict that differs from the last. */
void table_judge(struct table *table, int64_t wall, int64_t build_time,
	void (*tell)(void *arg, const struct support_verdict *verdict),
	void *arg);
void table_clear(struct table *table);

#endif
