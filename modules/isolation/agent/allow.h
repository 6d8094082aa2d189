/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One allow line: "tcp/443 203.0.113.0/24", "udp/5000-5010 any". Pure. */
#ifndef GATEHOUSE_ISOLATION_ALLOW_H
#define GATEHOUSE_ISOLATION_ALLOW_H

#include "modules/isolation/isolation_proto.h"

#define ALLOW_REASON 160

/*
 * Everything but the device is set. -EINVAL with what is wrong, in words
 * for the owner.
 */
_must_check_ int allow_parse(
	const char *text, struct isolation_allow *ret_allow, char *ret_reason);

#endif
