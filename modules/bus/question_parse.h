/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a question. Pure. */
#ifndef GATEHOUSE_BUS_QUESTION_PARSE_H
#define GATEHOUSE_BUS_QUESTION_PARSE_H

#include "modules/bus/bus_proto.h"

/*
 * protocol: tcp, udp or icmp; to: an address, "gateway" or "device:ID".
 * -EINVAL for anything else.
 */
_must_check_ int question_parse(const char *protocol, uint16_t port,
	const char *to, struct bus_question *ret_question);

#endif
