/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys that say how addresses and ports are bound. */
#ifndef GATEHOUSE_ISOLATION_BINDING_H
#define GATEHOUSE_ISOLATION_BINDING_H

#include "agent/lib/conf.h"
#include "modules/isolation/isolation_proto.h"

int binding_check_word(const char *text);
int binding_check_roaming(const char *text);
int binding_check_shared(const char *text);

#define BINDING_ZONE_KEYS                                                 \
	{"binding", binding_check_word, "first, strict or off", false,    \
		"Whose an address is that is pinned to nobody: DHCP's "   \
		"word, else who was first; IPv4 by DHCP only; or "        \
		"anybody's."},                                            \
	{                                                                 \
		"roaming", binding_check_roaming, "bound or free", false, \
			"Whether a MAC address that is in use at one "    \
			"port of a bridge may be at another one at once." \
	}
#define BINDING_DEVICE_KEYS                                                \
	{                                                                  \
		"shared-mac", binding_check_shared, "yes or no", false,    \
			"An extender: others are behind its MAC address, " \
			"with addresses of their own."                     \
	}

/* Of a checked [zone] into its message, of a checked [device]. */
void binding_of_zone(
	const struct conf_section *section, struct isolation_zone *zone);
bool binding_is_shared(const struct conf_section *section);

#endif
