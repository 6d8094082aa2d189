/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket that hears what devices of one interface say of themselves. */
#ifndef GATEHOUSE_DISCOVERY_EARSOCK_H
#define GATEHOUSE_DISCOVERY_EARSOCK_H

#include "modules/discovery/discovery_proto.h"

/* What the kernel may keep for a worker that does not come to read. */
#define EARSOCK_BUFFER (256 << 10)

/*
 * Its filter is locked: DHCP, DHCPv6, ARP, neighbour discovery, mDNS, SSDP
 * and LLDP of this interface, nothing that this host sends, nothing of a
 * VLAN above it. -errno.
 */
_must_check_ int earsock_open(uint32_t index, int *ret_fd);

#endif
