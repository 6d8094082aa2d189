/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One allow line: "tcp/443 203.0.113.0/24", "udp/5000-5010 any", "any
 * device:hub". Pure.
 */
#ifndef GATEHOUSE_ISOLATION_ALLOW_H
#define GATEHOUSE_ISOLATION_ALLOW_H

#include "agent/lib/conf.h"
#include "modules/isolation/isolation_proto.h"

#define ALLOW_REASON 256

enum allow_target {
	ALLOW_TARGET_ADDRESS, /* or any */
	ALLOW_TARGET_DEVICE,
	ALLOW_TARGET_ZONE,
	ALLOW_TARGET_GATEWAY,
};

struct allow_line {
	struct isolation_allow allow; /* all but the device */
	enum allow_target target;
	char name[CONF_NAME_MAX + 1]; /* of the device or zone */
};

/*
 * Quick, since most lines are: if this is a good line, its target is an
 * address. False says nothing.
 */
bool allow_is_outside(const char *text);
/* Only "tcp/443": sets protocol and ports. -EINVAL as below. */
_must_check_ int allow_parse_service(
	const char *text, struct isolation_allow *ret_allow, char *ret_reason);
/* -EINVAL with what is wrong, in words for the owner. */
_must_check_ int allow_parse_line(
	const char *text, struct allow_line *ret_line, char *ret_reason);
/*
 * A line whose target is an address or any. Everything but the device is set. -EINVAL with what is wrong, in words
 * for the owner.
 */
_must_check_ int allow_parse(
	const char *text, struct isolation_allow *ret_allow, char *ret_reason);

#endif
