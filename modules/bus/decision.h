/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods by which the owner decides: their arguments. */
#ifndef GATEHOUSE_BUS_DECISION_H
#define GATEHOUSE_BUS_DECISION_H

#include SDBUS_HEADER

#include "modules/bus/bus_proto.h"

#define DECISION_REFUSED "a name or a profile has at most 31 letters"

/*
 * Reads a call: its object says the device, its member what is decided. It
 * comes from any local user. -EINVAL.
 */
_must_check_ int decision_read(
	sd_bus_message *message, struct bus_call *ret_call);

#endif
