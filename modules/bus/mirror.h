/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's copy of the agent's state, and what of it the bus has not
 * been told yet. No I/O.
 */
#ifndef GATEHOUSE_BUS_MIRROR_H
#define GATEHOUSE_BUS_MIRROR_H

#include <stdbool.h>

#include "agent/lib/record.h"

#define MIRROR_DEVICES_MAX 32768
#define MIRROR_WARNINGS_MAX 4096
#define MIRROR_PROPERTIES_MAX 32 /* bits of a dirty mask */

/* A property of the bus and the part of the record it is made of. */
struct mirror_field {
	const char *name;
	uint16_t offset, size;
};

struct mirror_device {
	struct record_device record;
	uint32_t dirty; /* 1 << place in mirror_device_fields */
	bool announced; /* the bus knows that it exists */
};

struct mirror {
	struct record_gateway gateway;
	uint32_t gateway_dirty; /* 1 << place in mirror_gateway_fields */
	bool warnings_dirty;
	struct mirror_device **devices; /* by id */
	size_t n_devices, room_devices;
	struct record_warning *warnings; /* by id */
	size_t n_warnings, room_warnings;
	uint32_t *gone; /* announced devices that went away */
	size_t n_gone, room_gone;
};

extern const struct mirror_field mirror_device_fields[];
extern const size_t mirror_n_device_fields;
extern const struct mirror_field mirror_gateway_fields[];
extern const size_t mirror_n_gateway_fields;

void mirror_clear(struct mirror *mirror);

/*
 * Each takes one message in. -EBADMSG: text without an end or a zero id;
 * -ENOSPC: more than the limit; -ENOMEM.
 */
_must_check_ int mirror_put_gateway(
	struct mirror *mirror, const struct record_gateway *gateway);
_must_check_ int mirror_put_device(
	struct mirror *mirror, const struct record_device *device);
/* 1: it is new; 0: known, perhaps with another text. */
_must_check_ int mirror_put_warning(
	struct mirror *mirror, const struct record_warning *warning);
/* Unknown ids are fine. -ENOMEM. */
_must_check_ int mirror_drop_device(struct mirror *mirror, uint32_t id);
/* True when there was one. */
bool mirror_drop_warning(struct mirror *mirror, uint32_t id);

struct mirror_device *mirror_device(const struct mirror *mirror, uint32_t id);
const struct record_warning *mirror_warning(
	const struct mirror *mirror, uint32_t id);

bool mirror_is_dirty(const struct mirror *mirror);
/* A new listener reads everything itself: nothing is left to be told. */
void mirror_forget_changes(struct mirror *mirror);
/*
 * The names of the properties in a mask, NULL-terminated; ret_names has room
 * for MIRROR_PROPERTIES_MAX + 1. How many.
 */
size_t mirror_changed_names(const struct mirror_field *fields, size_t n,
	uint32_t mask, const char **ret_names);

#endif
