/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP, DHCPv6, mDNS and SSDP as evidence. Touches memory only; must never
 * note what a relay, or a card for another one, says.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "modules/discovery/decode/dhcp4.h"
#include "modules/discovery/decode/dhcp6.h"
#include "modules/discovery/decode/dnssd.h"
#include "modules/discovery/match/gather_priv.h"
#include "modules/discovery/mdns.h"
#include "modules/discovery/ssdp.h"

static struct bytes whole(const struct dhcp4_option *option)
{
	return (struct bytes){option->bytes, option->size};
}

/* "1,3,6,15": which options it asks for, in its order. */
static void tell_parameters(
	const struct about *about, const struct dhcp4_option *option)
{
	char text[DISCOVERY_VALUE];
	size_t used = 0;

	for (size_t i = 0; i < option->size && used + 5 < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
			i ? ",%u" : "%u", option->bytes[i]);
	if (used)
		gather_tell_text(
			about, DISCOVERY_EVIDENCE_DHCP_PARAMETERS, text);
}

/* Its bytes in hex; what was made from its own MAC says nothing new. */
static void tell_hex(
	const struct about *about, unsigned kind, struct bytes bytes)
{
	char text[DISCOVERY_VALUE];
	size_t used = 0;

	for (size_t i = 0; i < bytes.size && used + 3 < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
			i ? ":%02x" : "%02x", bytes.at[i]);
	if (used)
		gather_tell_text(about, kind, text);
}

static bool is_own_mac(const struct about *about, struct bytes id)
{
	return id.size == 7 && id.at[0] == 1 &&
	       !memcmp(id.at + 1, about->mac, sizeof(*about->mac));
}

static bool is_text(struct bytes bytes)
{
	for (size_t i = 0; i < bytes.size; i++)
		if (bytes.at[i] < ' ' || bytes.at[i] >= 0x7f)
			return false;
	return bytes.size;
}

/* Type 0 is followed by text, often a name. */
static void tell_client_id(const struct about *about, struct bytes id)
{
	struct bytes text = id;

	if (is_own_mac(about, id))
		return;
	if (bytes_skip(&text, 1) && !id.at[0] && is_text(text))
		gather_tell(about, DISCOVERY_EVIDENCE_DHCP_CLIENT, text);
	else
		tell_hex(about, DISCOVERY_EVIDENCE_DHCP_CLIENT, id);
}

static int take_dhcp4(const struct about *about, struct bytes load)
{
	struct dhcp4 dhcp;
	int r = dhcp4_decode(load, &dhcp);

	if (r < 0)
		return r;
	if (dhcp.relayed || !mac_equal(&dhcp.client, about->mac))
		return 0;
	gather_tell(
		about, DISCOVERY_EVIDENCE_DHCP_HOSTNAME, whole(&dhcp.hostname));
	tell_parameters(about, &dhcp.parameters);
	gather_tell(about, DISCOVERY_EVIDENCE_DHCP_VENDOR,
		whole(&dhcp.vendor_class));
	tell_client_id(about, whole(&dhcp.client_id));
	gather_tell(
		about, DISCOVERY_EVIDENCE_DHCP_USER, whole(&dhcp.user_class));
	gather_tell(about, DISCOVERY_EVIDENCE_DHCP_MUD, whole(&dhcp.mud_url));
	return 0;
}

/* Labels, of which the last may lack the root's. */
static void tell_labels(
	const struct about *about, unsigned kind, struct bytes from)
{
	uint8_t text[DISCOVERY_VALUE];
	struct bytes label;
	size_t used = 0;
	uint32_t size;

	while (bytes_number(&from, 1, &size) && size) {
		if (!bytes_take(&from, size, &label) ||
			used + size + 1 > sizeof(text))
			return;
		if (used)
			text[used++] = '.';
		memcpy(text + used, label.at, size);
		used += size;
	}
	gather_tell(about, kind, (struct bytes){text, used});
}

static int take_dhcp6(const struct about *about, struct bytes load)
{
	struct dhcp6 dhcp;
	int r = dhcp6_decode(load, &dhcp);

	if (r < 0)
		return r;
	/* It is kept for good, so the card may have been changed since. */
	if (!dhcp.has_mac || !mac_equal(&dhcp.mac, about->mac))
		tell_hex(about, DISCOVERY_EVIDENCE_DHCP6_DUID, dhcp.duid);
	tell_labels(about, DISCOVERY_EVIDENCE_DHCP6_NAME, dhcp.fqdn);
	gather_tell(about, DISCOVERY_EVIDENCE_DHCP6_VENDOR, dhcp.vendor_class);
	gather_tell(about, DISCOVERY_EVIDENCE_DHCP6_MUD, dhcp.mud_url);
	return 0;
}

/* Of the rest, much is the owner's own: names of rooms and people. */
static bool is_of_product(struct bytes text)
{
	static const char *const keys[] = {"md", "model", "modelid", "mdl",
		"ty", "usb_mfg", "usb_mdl", "product", "am", "rmodel",
		"manufacturer", "vendor", "mf", "app", "gen", "platform",
		"board", "project_name", "systype", "apiversion"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i]);

		if (text.size > n && text.at[n] == '=' &&
			!strncasecmp((const char *)text.at, keys[i], n))
			return true;
	}
	return false;
}

static void on_dnssd(void *arg, enum dnssd_kind kind, const char *service,
	struct bytes value)
{
	uint8_t text[DNSSD_SERVICE + 1 + UINT8_MAX];
	const struct about *about = arg;
	size_t n = strlen(service);

	switch (kind) {
	case DNSSD_KIND_SERVICE:
		gather_tell_text(
			about, DISCOVERY_EVIDENCE_MDNS_SERVICE, service);
		break;
	case DNSSD_KIND_INSTANCE:
		gather_tell(about, DISCOVERY_EVIDENCE_MDNS_INSTANCE, value);
		break;
	case DNSSD_KIND_HOST:
		gather_tell(about, DISCOVERY_EVIDENCE_MDNS_HOST, value);
		break;
	case DNSSD_KIND_TEXT:
		if (!is_of_product(value) || n + 1 + value.size > sizeof(text))
			break;
		memcpy(text, service, n);
		text[n] = ' ';
		memcpy(text + n + 1, value.at, value.size);
		gather_tell(about, DISCOVERY_EVIDENCE_MDNS_TEXT,
			(struct bytes){text, n + 1 + value.size});
		break;
	}
}

static int take_mdns(const struct about *about, struct bytes load)
{
	bool answer;
	int r = mdns_is_answer(load.at, load.size, &answer);

	if (r < 0 || !answer)
		return r;
	return dnssd_decode(load, on_dnssd, (void *)about);
}

static int take_ssdp(const struct about *about, struct bytes load)
{
	static const struct {
		const char *header;
		unsigned kind;
	} headers[] = {
		{"server", DISCOVERY_EVIDENCE_SSDP_SERVER},
		{"usn", DISCOVERY_EVIDENCE_SSDP_USN},
		{"nt", DISCOVERY_EVIDENCE_SSDP_TYPE},
		{"location", DISCOVERY_EVIDENCE_SSDP_LOCATION},
		{"user-agent", DISCOVERY_EVIDENCE_SSDP_AGENT},
	};
	struct ssdp_message message;
	const char *value;
	size_t size;
	int r = ssdp_read(load.at, load.size, &message);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (ssdp_header(load.at, load.size, headers[i].header, &value,
			    &size))
			gather_tell(about, headers[i].kind,
				(struct bytes){(const uint8_t *)value, size});
	/* Of an answer the ST is what it is. */
	if (message.kind == SSDP_KIND_ANSWER)
		gather_tell(about, DISCOVERY_EVIDENCE_SSDP_TYPE,
			(struct bytes){(const uint8_t *)message.target,
				message.length});
	return 0;
}

int gather_udp(const struct about *about, const struct segment *segment)
{
	switch (segment->to_port) {
	case DHCP4_SERVER_PORT:
		/* Between relay and server: of clients elsewhere. */
		if (segment->from_port == DHCP4_SERVER_PORT)
			return 0;
		return segment->cut ? -EBADMSG
				    : take_dhcp4(about, segment->load);
	case DHCP6_SERVER_PORT:
		if (segment->from_port == DHCP6_SERVER_PORT)
			return 0;
		return segment->cut ? -EBADMSG
				    : take_dhcp6(about, segment->load);
	}
	if (segment->from_port == MDNS_PORT)
		return segment->cut ? -EBADMSG
				    : take_mdns(about, segment->load);
	if (segment->to_port == SSDP_PORT || segment->from_port == SSDP_PORT)
		return segment->cut ? -EBADMSG
				    : take_ssdp(about, segment->load);
	return 0;
}
