/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From where people are logged in at this moment, so that no new rule cuts
 * off who is just typing it.
 */
#ifndef GATEHOUSE_ISOLATION_LOGINS_H
#define GATEHOUSE_ISOLATION_LOGINS_H

#include <stddef.h>

#include "agent/lib/net.h"

struct utmpx;

/*
 * Adds the address of one entry if it is a person's login from elsewhere and
 * not in the list yet. Pure. The new length of the list.
 */
size_t logins_add(
	const struct utmpx *entry, struct ip *list, size_t n, size_t most);
/* Reads the system's list. How many addresses were found. */
size_t logins_read(struct ip *ret_list, size_t most);

#endif
