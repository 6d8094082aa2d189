/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remembers the self-tests' MAC addresses, which are random each time.
 * Touches memory only; must never take an address for one that was not seen
 * behind a port of that name.
 */
#include "modules/isolation/agent/testers.h"

#include <string.h>

#include "agent/lib/probe.h"

static struct {
	struct mac macs[TESTERS_MAX];
	size_t next, n;
} self;

bool testers_has(const struct mac *mac)
{
	for (size_t i = 0; i < self.n; i++)
		if (mac_equal(&self.macs[i], mac))
			return true;
	return false;
}

bool testers_seen(const struct isolation_seen *seen)
{
	if (strncmp(seen->interface, PROBE_PORTS, strlen(PROBE_PORTS)) != 0)
		return false;
	if (testers_has(&seen->mac))
		return true;
	self.macs[self.next] = seen->mac;
	self.next = (self.next + 1) % TESTERS_MAX;
	if (self.n < TESTERS_MAX)
		self.n++;
	return true;
}
