/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the admin addresses of the configuration. Reads it and the list
 * of this machine's addresses; changes nothing but one warning.
 */
#include "modules/isolation/agent/admins.h"

#include <ifaddrs.h>
#include <string.h>

#include "modules/isolation/agent/because.h"

#define WARN_CODE "isolation.admin-not-bound"

static bool same_prefix(
	const struct ip *a, const struct ip *b, const struct sockaddr *mask)
{
	const uint8_t *bits =
		a->family == AF_INET6
			? ((const struct sockaddr_in6 *)mask)->sin6_addr.s6_addr
			: (const uint8_t *)&((const struct sockaddr_in *)mask)
				  ->sin_addr;

	for (size_t i = 0; i < ip_bits(a) / 8u; i++)
		if ((a->b[i] ^ b->b[i]) & bits[i])
			return false;
	return true;
}

bool admins_on_link(const struct ip *ip, const char *interface)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
		struct ip own;
		uint16_t port;

		found = a->ifa_addr && a->ifa_netmask &&
			strcmp(a->ifa_name, interface) == 0 &&
			ip_from_sockaddr(a->ifa_addr, &own, &port) == 0 &&
			own.family == ip->family &&
			same_prefix(&own, ip, a->ifa_netmask);
	}
	freeifaddrs(list);
	return found;
}

static bool is_among_devices(const struct conf *conf, const struct ip *ip,
	bool (*is_among)(const struct ip *ip, const char *interface))
{
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z)) {
		const char *rest = conf_text(z, "interface", "");
		char word[16];

		const char *role = conf_text(z, "role", "devices");

		if (strcmp(role, "devices") != 0 && strcmp(role, "guest") != 0)
			continue;
		while (conf_next_word(&rest, word, sizeof(word)) == 1)
			if (is_among(ip, word))
				return true;
	}
	return false;
}

static bool is_bound(const struct conf *conf, const struct ip *ip)
{
	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d))
		if (because_has_address(d, ip))
			return true;
	return false;
}

/* The first that anybody there could take; its text. */
static bool find_loose(const struct conf *conf, char text[static IP_TEXT],
	bool (*is_among)(const struct ip *ip, const char *interface))
{
	const struct conf_section *gateway = conf_next(conf, "gateway", NULL);

	for (const struct conf_value *v = gateway ? conf_get(gateway, "admin")
						  : NULL;
		v; v = conf_get_next(v)) {
		const char *rest = v->text;
		struct ip ip;

		while (conf_next_word(&rest, text, IP_TEXT) == 1)
			if (ip_parse(text, &ip) == 0 &&
				is_among_devices(conf, &ip, is_among) &&
				!is_bound(conf, &ip))
				return true;
	}
	return false;
}

void admins_review(struct state *state, const struct conf *conf,
	bool (*is_among)(const struct ip *ip, const char *interface))
{
	char text[IP_TEXT];

	if (find_loose(conf, text, is_among))
		state_warn(state, 0, RECORD_SEVERITY_WARNING, WARN_CODE,
			"admin = %s is among the devices, and a device that "
			"takes this address reaches the gateway's own services "
			"like you. Give your computer a [device] section with "
			"address = %s: then nobody else may use it.",
			text, text);
	else
		state_unwarn(state, 0, WARN_CODE);
}
