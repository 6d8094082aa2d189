/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where did a redirected connection want to go? */
#ifndef GATEHOUSE_ORIGIN_H
#define GATEHOUSE_ORIGIN_H

#include <stdbool.h>

#include "agent/lib/net.h"

/*
 * The address a connection was sent to before the rules redirected it here.
 * -ENOENT: it was not redirected, somebody dialled the proxy itself.
 * -EADDRNOTAVAIL: it was meant for the gateway or for no single host.
 */
_must_check_ int origin_find(int fd, struct ip *ret_ip, uint16_t *ret_port);

/* False for addresses that are no single host somewhere else. Pure. */
bool origin_is_remote(const struct ip *ip);

#endif
