/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gatehouse monitor tells, as JSON objects with the keys event, text and
 * what is of that kind; words are for people. Pure but for memory: NULL when
 * there is none. Texts come from devices too and are not cleaned here.
 */
#ifndef GATEHOUSE_CTL_EVENTS_H
#define GATEHOUSE_CTL_EVENTS_H

#include <stdint.h>

#include <jansson.h>

#include "agent/ctl/view.h"

#define EVENTS_TARGETS_MAX 8 /* of one attempt that are put into words */

struct events_target {
	const char *protocol, *address;
	uint16_t port;
	uint32_t records;
};

/* Where events go; it owns the event. */
typedef void events_sink(void *arg, json_t *event);

/* monitor.started, daemon.gone, daemon.back: of no device. */
json_t *events_plain(const char *event, const char *text);
json_t *events_new(const struct view_device *device);
json_t *events_gone(const struct view_device *device);
/* One event for each thing about a device that people care for. */
void events_compare(const struct view_device *before,
	const struct view_device *after, events_sink *sink, void *arg);
/* The same of the gateway. */
void events_compare_gateway(const struct view_manager *before,
	const struct view_manager *after, events_sink *sink, void *arg);
/* device NULL: not on record. */
json_t *events_tried(const struct view_device *device, const char *mac,
	const char *reason, uint32_t records,
	const struct events_target *targets, size_t n);
json_t *events_warning(
	const struct view *view, const struct view_warning *warning);
json_t *events_warning_over(
	const struct view *view, const struct view_warning *warning);

#endif
