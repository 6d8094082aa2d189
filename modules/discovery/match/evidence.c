/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kinds of evidence, and its text. Touches memory only; must never let a
 * byte out that a terminal would obey, and of a URL never a part.
 */
#include "modules/discovery/match/evidence.h"

#include <stdio.h>
#include <string.h>

#include "agent/lib/utf8.h"

enum flag {
	FLAG_HINT = 1,
	FLAG_SINGLE = 2,
	FLAG_URL = 4, /* https, whole, or nothing */
};

static const struct {
	const char *name;
	uint8_t worth;
	uint8_t flags;
} kinds[] = {
	[DISCOVERY_EVIDENCE_MAC_ADDRESS] = {"mac.address", 30, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_MAC_VENDOR] = {"mac.vendor", 30, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_MAC_RANDOM] = {"mac.randomised", 0, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_DHCP_HOSTNAME] = {"dhcp.hostname", 60, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_DHCP_PARAMETERS] = {"dhcp.parameters", 20, 0},
	[DISCOVERY_EVIDENCE_DHCP_VENDOR] = {"dhcp.vendor-class", 60,
		FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_DHCP_CLIENT] = {"dhcp.client-id", 20, 0},
	[DISCOVERY_EVIDENCE_DHCP_USER] = {"dhcp.user-class", 40, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_DHCP_MUD] = {"dhcp.mud-url", 70,
		FLAG_SINGLE | FLAG_URL},
	[DISCOVERY_EVIDENCE_DHCP6_DUID] = {"dhcp6.duid", 0, 0},
	[DISCOVERY_EVIDENCE_DHCP6_NAME] = {"dhcp6.name", 60, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_DHCP6_VENDOR] = {"dhcp6.vendor-class", 60,
		FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_DHCP6_MUD] = {"dhcp6.mud-url", 70,
		FLAG_SINGLE | FLAG_URL},
	[DISCOVERY_EVIDENCE_ARP_ADDRESS] = {"arp.address", 0, FLAG_HINT},
	[DISCOVERY_EVIDENCE_ND_ADDRESS] = {"nd.address", 0, FLAG_HINT},
	[DISCOVERY_EVIDENCE_ND_ROUTER] = {"nd.router", 0, FLAG_HINT},
	[DISCOVERY_EVIDENCE_MDNS_SERVICE] = {"mdns.service", 30, FLAG_HINT},
	[DISCOVERY_EVIDENCE_MDNS_INSTANCE] = {"mdns.instance", 40, FLAG_HINT},
	[DISCOVERY_EVIDENCE_MDNS_TEXT] = {"mdns.txt", 50, FLAG_HINT},
	[DISCOVERY_EVIDENCE_MDNS_HOST] = {"mdns.host", 40, FLAG_HINT},
	[DISCOVERY_EVIDENCE_SSDP_SERVER] = {"ssdp.server", 40, FLAG_HINT},
	[DISCOVERY_EVIDENCE_SSDP_TYPE] = {"ssdp.type", 30, FLAG_HINT},
	[DISCOVERY_EVIDENCE_SSDP_USN] = {"ssdp.usn", 30, FLAG_HINT},
	[DISCOVERY_EVIDENCE_SSDP_LOCATION] = {"ssdp.location", 10, FLAG_HINT},
	[DISCOVERY_EVIDENCE_SSDP_AGENT] = {"ssdp.user-agent", 30, FLAG_HINT},
	[DISCOVERY_EVIDENCE_LLDP_CHASSIS] = {"lldp.chassis", 10, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_LLDP_PORT] = {"lldp.port", 0, 0},
	[DISCOVERY_EVIDENCE_LLDP_NAME] = {"lldp.name", 50, FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_LLDP_DESCRIPTION] = {"lldp.description", 50,
		FLAG_SINGLE},
	[DISCOVERY_EVIDENCE_LLDP_MUD] = {"lldp.mud-url", 70,
		FLAG_SINGLE | FLAG_URL},
	[DISCOVERY_EVIDENCE_HTTP_HOST] = {"http.host", 20, 0},
	[DISCOVERY_EVIDENCE_HTTP_AGENT] = {"http.user-agent", 40, 0},
	[DISCOVERY_EVIDENCE_MQTT_CLIENT] = {"mqtt.client-id", 40, 0},
	[DISCOVERY_EVIDENCE_MQTT_USER] = {"mqtt.user", 0, 0},
	[DISCOVERY_EVIDENCE_TLS_VERSION] = {"tls.version", 0, 0},
	[DISCOVERY_EVIDENCE_TLS_NAME] = {"tls.sni", 30, 0},
};

static bool is_kind(unsigned kind)
{
	return kind && kind < ARRAY_SIZE(kinds);
}

const char *evidence_name(unsigned kind)
{
	return is_kind(kind) ? kinds[kind].name : NULL;
}

unsigned evidence_find(const char *name, size_t length)
{
	for (unsigned i = 1; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].name) == length &&
			!memcmp(kinds[i].name, name, length))
			return i;
	return 0;
}

uint8_t evidence_worth(unsigned kind)
{
	return is_kind(kind) ? kinds[kind].worth : 0;
}

bool evidence_is_hint(unsigned kind)
{
	return !is_kind(kind) || (kinds[kind].flags & FLAG_HINT);
}

bool evidence_is_single(unsigned kind)
{
	return is_kind(kind) && (kinds[kind].flags & FLAG_SINGLE);
}

bool evidence_same_source(unsigned a, unsigned b)
{
	size_t length;

	if (!is_kind(a) || !is_kind(b))
		return false;
	length = strcspn(kinds[a].name, ".");
	return strcspn(kinds[b].name, ".") == length &&
	       !memcmp(kinds[a].name, kinds[b].name, length);
}

bool evidence_mac_is_random(const struct mac *mac)
{
	return mac->b[0] & 2;
}

static bool may_stand(int32_t c)
{
	return c >= ' ' && c != '\\' && (c < 0x7f || c >= 0xa0) &&
	       !utf8_turns_writing(c) && !utf8_is_hidden(c);
}

bool evidence_clean(struct bytes bytes, char ret_text[static DISCOVERY_VALUE])
{
	size_t used = 0, n;

	for (; bytes.size; bytes.at += n, bytes.size -= n) {
		int32_t c = utf8_next(bytes.at, bytes.size, &n);
		char one[16];
		int size;

		if (may_stand(c))
			size = snprintf(one, sizeof(one), "%.*s", (int)n,
				(const char *)bytes.at);
		else if (c < 0x80)
			size = snprintf(one, sizeof(one), "\\x%02x", *bytes.at);
		else if (c < 0x10000)
			size = snprintf(
				one, sizeof(one), "\\u%04x", (unsigned)c);
		else
			size = snprintf(
				one, sizeof(one), "\\U%08x", (unsigned)c);
		if (used + (size_t)size >= DISCOVERY_VALUE)
			break;
		memcpy(ret_text + used, one, (size_t)size);
		used += (size_t)size;
	}
	ret_text[used] = '\0';
	return !bytes.size;
}

bool evidence_is_clean(const char *text)
{
	size_t n;

	for (; *text; text += n) {
		int32_t c = utf8_next(text, strlen(text), &n);

		if (c != '\\' && !may_stand(c))
			return false;
	}
	return true;
}

/* RFC 8520 wants https; blanks and controls have no place in a URL. */
static bool is_url(struct bytes bytes)
{
	static const char scheme[] = "https://";
	const size_t own = sizeof(scheme) - 1;

	if (bytes.size <= own || memcmp(bytes.at, scheme, own) != 0)
		return false;
	for (size_t i = 0; i < bytes.size; i++)
		if (bytes.at[i] <= ' ' || bytes.at[i] >= 0x7f ||
			bytes.at[i] == '\\')
			return false;
	return true;
}

bool evidence_take(unsigned kind, struct bytes bytes,
	char ret_text[static DISCOVERY_VALUE])
{
	bool whole;

	if (!is_kind(kind))
		return false;
	/* Names are often sent with the NUL of the language. */
	while (bytes.size && !bytes.at[bytes.size - 1])
		bytes.size--;
	if (!bytes.size)
		return false;
	if (!(kinds[kind].flags & FLAG_URL)) {
		evidence_clean(bytes, ret_text);
		return true;
	}
	if (!is_url(bytes))
		return false;
	whole = evidence_clean(bytes, ret_text);
	return whole;
}
