/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the agent: a connection to the bus in another user's name. */
#ifndef GATEHOUSE_BUS_CONNECT_H
#define GATEHOUSE_BUS_CONNECT_H

#include <sys/types.h>

#include "agent/lib/cleanup.h"

/*
 * Connects to a UNIX socket so that the other side sees uid and gid as those
 * of its peer. Never waits. -errno.
 */
_must_check_ int connect_as(
	const char *path, uid_t uid, gid_t gid, int *ret_fd);

#endif
