/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command knows of the daemon: one reading of the bus. */
#ifndef GATEHOUSE_CTL_VIEW_H
#define GATEHOUSE_CTL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "agent/lib/cleanup.h"

struct view_manager {
	char *version, *state, *mode, *support_ends, *security_contact;
	int observed;
	uint64_t generation, rules_generation;
	uint64_t denied, bridged_denied, quarantined, strangers;
	int64_t started;
	int64_t confirm_until; /* 0: nothing is on trial */
	int64_t paused_until; /* 0: devices are not let through */
	int returned;
	int safe_mode;
};

struct view_device {
	uint32_t id;
	char *name, *mac, *zone, *interface;
	char *decision, *mode, *isolation, *isolation_reason;
	char *decided_by, *profile;
	char *support, *support_ends;
	int32_t support_days;
	uint64_t tls_bytes_up, tls_bytes_down, tls_flows, tls_refused, denied;
	int64_t first_seen, last_seen, last_denied;
	int64_t decision_until, paused_until; /* 0: it is lasting; is not */
};

struct view_warning {
	uint32_t id, device;
	int64_t since;
	char *severity, *code, *text;
};

struct view_attempt {
	uint32_t device;
	char *mac, *address, *protocol;
	uint16_t port;
	uint64_t packets;
	int observed;
};

struct view {
	struct view_manager manager;
	struct view_device *devices;
	size_t n_devices;
	struct view_warning *warnings;
	size_t n_warnings;
	struct view_attempt *attempts; /* only when asked for */
	size_t n_attempts;
};

/* A property: its names on the bus and in JSON, its place in the struct. */
struct view_field {
	const char *property;
	const char *key;
	char type; /* D-Bus: s b u i t x; 'T' is an x that is a moment */
	size_t offset;
};

extern const struct view_field view_manager_fields[];
extern const size_t view_n_manager_fields;
extern const struct view_field view_device_fields[];
extern const size_t view_n_device_fields;

/* Text fields that were not given become empty. */
void view_complete(struct view *view);
void view_clear(struct view *view);
/* A copy of all its texts; -ENOMEM. The device must be complete. */
_must_check_ int view_copy_device(
	const struct view_device *device, struct view_device *ret_copy);
void view_clear_device(struct view_device *device);
/* One more, with the numbers of this one and copies of the texts. -ENOMEM. */
_must_check_ int view_add_warning(struct view *view,
	const struct view_warning *numbers, const char *severity,
	const char *code, const char *text);
/* The last one takes its place. */
void view_drop_warning(struct view *view, size_t i);

const struct view_device *view_device(const struct view *view, uint32_t id);
/*
 * The device of that name, MAC, or unique beginning of one. -ENOENT;
 * -ENOTUNIQ when several begin so.
 */
_must_check_ int view_find(const struct view *view, const char *word,
	const struct view_device **ret_device);
/* The device's name, or "gateway" for 0. */
const char *view_name(const struct view *view, uint32_t id);
/* Are the rules of this device enforced, whatever that is worth? */
bool view_enforces(const struct view_device *device);
size_t view_count_enforcing(const struct view *view);
/* Devices with that isolation ("enforced"); by decision ("approved"). */
size_t view_count_isolation(const struct view *view, const char *isolation);
size_t view_count_decision(const struct view *view, const char *decision);

/* JSON; keys as in the manual page, in their order. */
json_t *view_json_status(const struct view *view);
json_t *view_json_device(
	const struct view *view, const struct view_device *device);
json_t *view_json_attempts(const struct view *view, const char *mac);
json_t *view_json_devices(const struct view *view);
json_t *view_json_warnings(const struct view *view);

#endif
