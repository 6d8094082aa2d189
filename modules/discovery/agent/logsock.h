/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket on which the kernel sends packets that rules logged to a group
 * of NFLOG. Binding takes CAP_NET_ADMIN, reading takes nothing.
 */
#ifndef GATEHOUSE_DISCOVERY_LOGSOCK_H
#define GATEHOUSE_DISCOVERY_LOGSOCK_H

#include <stdint.h>

#include "agent/lib/cleanup.h"

#define LOGSOCK_BUFFER (1 << 20) /* bytes that may wait for the worker */

/*
 * Bound, set up to pass on so many bytes of each packet, non-blocking. -EBUSY: another program has that group;
 * -EOPNOTSUPP and the like: the kernel has no NFLOG.
 */
_must_check_ int logsock_open(uint16_t group, uint32_t snaplen, int *ret_fd);

#endif
