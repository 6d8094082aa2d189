/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns what was caught, and who uses which address, into warnings. Touches
 * the agent's state only; one warning per device and kind, whatever it does.
 */
#include <string.h>

#include "modules/isolation/agent/observe.h"

#define CLAIM_TEXT 128

static const char *claimed(const struct state *state,
	const struct isolation_spoof *spoof, char *text, size_t size)
{
	const struct record_device *victim = state_device(state, spoof->victim);
	char ip[IP_TEXT] = "", mac[MAC_TEXT];

	if (spoof->ip.family)
		ip_format(&spoof->ip, ip);
	switch ((enum isolation_claim)spoof->claim) {
	case ISOLATION_CLAIM_GATEWAY:
		snprintf(text, size, "used %s, the gateway's own address", ip);
		return text;
	case ISOLATION_CLAIM_PINNED:
		snprintf(text, size, "used %s, which belongs to %s", ip,
			victim ? victim->name : "another device");
		return text;
	case ISOLATION_CLAIM_NOT_PINNED:
		snprintf(text, size, "used %s, none of its own addresses", ip);
		return text;
	case ISOLATION_CLAIM_MAC:
		snprintf(text, size, "sent ARP for %s by another's MAC address",
			ip);
		return text;
	case ISOLATION_CLAIM_ROUTER:
		return "announced itself as a router";
	case ISOLATION_CLAIM_REDIRECT:
		return "told others to use another way (ICMP redirect)";
	case ISOLATION_CLAIM_DHCP:
		return "answered as a DHCP server";
	case ISOLATION_CLAIM_TAGS:
		return "hid what it sent below two VLAN tags";
	case ISOLATION_CLAIM_BOUND:
		mac_format(&spoof->holder, mac);
		snprintf(text, size, "used %s, which %s has", ip,
			victim ? victim->name : mac);
		return text;
	case ISOLATION_CLAIM_UNBOUND:
		snprintf(text, size,
			"used %s, one address too many or not by DHCP", ip);
		return text;
	case ISOLATION_CLAIM_PORT:
		break;
	}
	return NULL;
}

/* The MAC is the victim's; who uses it too is known by its port only. */
static void warn_of_port(
	struct state *state, const struct isolation_spoof *spoof)
{
	const struct record_device *known = state_device_by_mac(
		state, &spoof->mac);
	char mac[MAC_TEXT];

	mac_format(&spoof->mac, mac);
	state_warn(state, known ? known->id : 0, RECORD_SEVERITY_WARNING,
		"device.two-ports",
		"The MAC address of %s (%s) came from %.15s, too, while it was "
		"at another port. Look for another device behind %.15s; if it "
		"only moved, set roaming = free in its [zone].",
		known ? known->name : "an unknown device", mac,
		spoof->interface, spoof->interface);
}

void observe_spoof(struct state *state, const struct isolation_spoof *spoof)
{
	const struct record_device *known = state_device_by_mac(
		state, &spoof->mac);
	char mac[MAC_TEXT], text[CLAIM_TEXT];
	const char *what = claimed(state, spoof, text, sizeof(text));

	if (spoof->claim == ISOLATION_CLAIM_PORT)
		warn_of_port(state, spoof);
	if (!what)
		return;
	mac_format(&spoof->mac, mac);
	state_warn(state, known ? known->id : 0, RECORD_SEVERITY_WARNING,
		"device.spoof",
		"%s (%s) %s. %s If you do not know why, take it off the "
		"network.",
		known && known->id < RECORD_STRANGER_BASE ? known->name
							  : "An unknown device",
		mac, what,
		known && known->mode == RECORD_MODE_OBSERVE
			? "It is only observed: this was not stopped."
			: "Where it is enforced, this was stopped.");
}

/* Once for all its addresses; taken back when DHCP gave it one. */
void observe_bound(struct state *state, const struct isolation_bound *bound)
{
	const struct record_device *known = state_device_by_mac(
		state, &bound->mac);
	char ip[IP_TEXT];

	if (!known || known->id >= RECORD_STRANGER_BASE)
		return;
	ip_format(&bound->ip, ip);
	if (bound->leased || bound->pinned)
		state_unwarn(state, known->id, "device.static-address");
	else
		state_warn(state, known->id, RECORD_SEVERITY_INFO,
			"device.static-address",
			"%s uses %s, and no DHCP server was seen giving it: "
			"it is fixed in the device, or older than gatehouse. "
			"To keep it this device's for good: gatehouse pin %s "
			"%s",
			known->name, ip, known->name, ip);
}
