/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key address of [device]: what contradicts itself, and where. */
#ifndef GATEHOUSE_ISOLATION_PINS_H
#define GATEHOUSE_ISOLATION_PINS_H

#include "agent/lib/conf.h"
#include "agent/lib/net.h"

/* Is it an address of this machine? */
bool pins_own_address(const struct ip *ip);
/* Complains of what cannot be; own is pins_own_address() or a test's. */
void pins_check(struct conf *conf, bool (*own)(const struct ip *ip));

#endif
