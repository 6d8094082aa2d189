/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How numbers of records are called on the bus. Pure. */
#ifndef GATEHOUSE_BUS_NAMES_H
#define GATEHOUSE_BUS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define BUS_NAME "org.gatehouse1"
#define BUS_ROOT "/org/gatehouse1"
#define BUS_DEVICES BUS_ROOT "/device"
#define BUS_MANAGER "org.gatehouse1.Manager"
#define BUS_DEVICE_INTERFACE "org.gatehouse1.Device"
#define BUS_ERROR_NOT_ALLOWED "org.gatehouse1.Error.NotAllowed"
#define BUS_ERROR_REFUSED "org.gatehouse1.Error.Refused"
#define BUS_ERROR_FAILED "org.gatehouse1.Error.Failed"
#define BUS_ERROR_BUSY "org.gatehouse1.Error.Busy"

#define NAMES_PATH 40
#define NAMES_PROTOCOL 8

/* The word for a number of enum record_...; "unknown" for a strange one. */
const char *names_mode(uint8_t mode);
const char *names_decision(uint8_t decision);
const char *names_isolation(uint8_t isolation);
const char *names_support(uint8_t support);
const char *names_severity(uint8_t severity);
const char *names_reason(uint8_t reason); /* enum discovery_reason */
const char *names_state(uint8_t state);
/* "tcp", "udp", "icmp", "icmpv6" or the number. */
const char *names_protocol(uint8_t protocol, char text[static NAMES_PROTOCOL]);

/* The object of a device. */
const char *names_device_path(uint32_t id, char path[static NAMES_PATH]);
/* The device of an object path, as names_device_path() writes it; -EINVAL. */
_must_check_ int names_device_id(const char *path, uint32_t *ret_id);

/* The bus error for a negative errno of the agent. */
const char *names_error(int error);

/*
 * The bus refuses text that is not UTF-8 and would throw us out: replaces
 * what does not belong with '?', keeping the length. -EBADMSG when the text
 * does not end within size bytes.
 */
_must_check_ int names_clean(char *text, size_t size);

#endif
