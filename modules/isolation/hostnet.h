/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings below /proc/sys/net and proxy neighbour entries, for those who
 * keep the ledger (ledger.h). Needs root; knows nothing of what is ours.
 */
#ifndef GATEHOUSE_ISOLATION_HOSTNET_H
#define GATEHOUSE_ISOLATION_HOSTNET_H

#include "agent/lib/net.h"

/* Of a path as ledger_is_setting() has it. -ENOENT, -EPERM, -EINVAL ... */
_must_check_ int hostnet_read(const char *path, int32_t *ret_value);
_must_check_ int hostnet_write(const char *path, int32_t value);

/* Does the interface answer for the IPv6 address already? 1, 0 or -errno. */
_must_check_ int hostnet_proxies(int32_t index, const struct ip *ip);
/* Makes it answer; it may do so already. */
_must_check_ int hostnet_proxy(int32_t index, const struct ip *ip);
/* -ENOENT: it did not. */
_must_check_ int hostnet_unproxy(int32_t index, const struct ip *ip);

#endif
