/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The owner's way in, where it leads through a zone of devices. */
#ifndef GATEHOUSE_ISOLATION_ADMINS_H
#define GATEHOUSE_ISOLATION_ADMINS_H

#include "agent/lib/conf.h"
#include "agent/lib/state.h"

/*
 * Warns of admin addresses among the devices that any of these could take:
 * those that are no device's own (address =). is_among: is it on a link of
 * that interface?
 */
void admins_review(struct state *state, const struct conf *conf,
	bool (*is_among)(const struct ip *ip, const char *interface));
/* By the addresses of this machine. */
bool admins_on_link(const struct ip *ip, const char *interface);

#endif
