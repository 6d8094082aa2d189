/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent knows at this moment: the gateway, its devices, warnings.
 * Modules change it, observers (the bus) are told. No I/O.
 */
#ifndef GATEHOUSE_STATE_H
#define GATEHOUSE_STATE_H

#include <stdbool.h>

#include "agent/lib/record.h"

#define STATE_WARNINGS_MAX 1024

struct state;

/* Who wants to know of each change; all optional. */
struct state_observer {
	void (*gateway)(void *arg, const struct record_gateway *gateway);
	void (*device)(void *arg, const struct record_device *device);
	void (*device_gone)(void *arg, uint32_t id);
	void (*warning)(void *arg, const struct record_warning *warning);
	void (*warning_gone)(void *arg, uint32_t id);
	void *arg;
};

_must_check_ int state_new(struct state **ret_state);
struct state *state_free(struct state *state);
/* At most one; NULL to stop. The current contents are told at once. */
void state_observe(struct state *state, const struct state_observer *observer);

const struct record_gateway *state_gateway(const struct state *state);
void state_set_gateway(
	struct state *state, const struct record_gateway *gateway);

/* Adds or replaces by id. -ENOMEM, -ENOSPC past the limit of strangers. */
int state_put_device(struct state *state, const struct record_device *device);
const struct record_device *state_device(
	const struct state *state, uint32_t id);
const struct record_device *state_device_by_mac(
	const struct state *state, const struct mac *mac);
/* In the order of ids: pass 0 first. NULL at the end. */
const struct record_device *state_device_after(
	const struct state *state, uint32_t id);
/* How many of them are strangers. */
size_t state_strangers(const struct state *state);
void state_drop_device(struct state *state, uint32_t id);

/*
 * Raises a warning, or changes the text of the one with the same code and
 * device. True when it is new.
 */
bool state_warn(struct state *state, uint32_t device,
	enum record_severity severity, const char *code, const char *format,
	...) _printf_(5, 6);
/* Takes a warning back; nothing happens if there is none. */
void state_unwarn(struct state *state, uint32_t device, const char *code);
const struct record_warning *state_warning_after(
	const struct state *state, uint32_t id);

#endif
