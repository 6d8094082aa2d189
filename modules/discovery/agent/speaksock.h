/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets by which the worker says something again: bound to one interface
 * and port, members of the group, and deaf.
 */
#ifndef GATEHOUSE_DISCOVERY_SPEAKSOCK_H
#define GATEHOUSE_DISCOVERY_SPEAKSOCK_H

#include "modules/discovery/discovery_proto.h"

/*
 * -EAFNOSUPPORT: nothing is said in that family; others: the interface is
 * not there, the port is taken ...
 */
_must_check_ int speaksock_open(const struct discovery_channel *channel,
	const char *interface, uint32_t index, bool six, int *ret_fd);

#endif
