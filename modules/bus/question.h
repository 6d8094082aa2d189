/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The method Why: its arguments, and its answer. */
#ifndef GATEHOUSE_BUS_QUESTION_H
#define GATEHOUSE_BUS_QUESTION_H

#include SDBUS_HEADER

#include "modules/bus/bus_proto.h"

#define QUESTION_REFUSED                                                      \
	"protocol is tcp, udp or icmp, port 1 to 65535 (0 with icmp), to is " \
	"an address, gateway or device:ID"

/* Reads the arguments of a call, which come from any local user. -EINVAL. */
_must_check_ int question_read(
	sd_bus_message *message, struct bus_call *ret_call);

#endif
