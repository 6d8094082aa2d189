/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes for the decoders of discovery, each a target of its own by
 * FUZZ_DECODER. What a decoder points to lies in what it was given; what
 * becomes evidence obeys no terminal.
 */
#include <string.h>

#include "modules/discovery/decode/arp.h"
#include "modules/discovery/decode/dhcp4.h"
#include "modules/discovery/decode/dhcp6.h"
#include "modules/discovery/decode/dnssd.h"
#include "modules/discovery/decode/hello.h"
#include "modules/discovery/decode/lldp.h"
#include "modules/discovery/decode/mqtt.h"
#include "modules/discovery/decode/nd.h"
#include "modules/discovery/decode/request.h"
#include "modules/discovery/decode/segment.h"
#include "modules/discovery/match/gather.h"
#include "tests/fuzz/fuzz.h"

static void check_inside(struct bytes part, struct bytes all)
{
	fuzz_require(!part.size ||
		     (part.at >= all.at &&
			     part.at + part.size <= all.at + all.size));
}

static void check_dhcp4(struct bytes all)
{
	static struct dhcp4 dhcp;

	if (dhcp4_decode(all, &dhcp) == 0)
		fuzz_require(dhcp.hostname.size <= DHCP4_OPTION_MAX &&
			     dhcp.mud_url.size <= DHCP4_OPTION_MAX);
}

static void check_dhcp6(struct bytes all)
{
	struct dhcp6 dhcp;

	if (dhcp6_decode(all, &dhcp) < 0)
		return;
	check_inside(dhcp.duid, all);
	check_inside(dhcp.vendor_class, all);
	check_inside(dhcp.fqdn, all);
	check_inside(dhcp.mud_url, all);
}

static void on_dnssd(void *arg, enum dnssd_kind kind, const char *service,
	struct bytes value)
{
	(void)value; /* labels stand in a copy of the message */
	fuzz_require(strlen(service) < DNSSD_SERVICE);
	fuzz_require(kind == DNSSD_KIND_HOST || strchr(service, '.'));
	++*(int *)arg;
}

/* All of a message, or nothing. */
static void check_dnssd(struct bytes all)
{
	int n = 0;
	int r = dnssd_decode(all, on_dnssd, &n);

	fuzz_require(r == 0 || !n);
}

static void check_hello(struct bytes all)
{
	struct hello hello;

	if (hello_decode(all, &hello) == 0)
		check_inside(hello.name, all);
}

static void check_lldp(struct bytes all)
{
	struct lldp lldp;

	if (lldp_decode(all, &lldp) < 0)
		return;
	check_inside(lldp.chassis, all);
	check_inside(lldp.port, all);
	check_inside(lldp.name, all);
	check_inside(lldp.description, all);
	check_inside(lldp.mud_url, all);
}

static void check_mqtt(struct bytes all)
{
	struct mqtt_connect mqtt;

	if (mqtt_decode(all, &mqtt) == 0)
		check_inside(mqtt.client_id, all);
}

static void check_neighbour(struct bytes all)
{
	struct arp arp;
	struct nd nd;

	(void)!arp_decode(all, &arp);
	(void)!nd_decode(all, &nd);
}

static void check_request(struct bytes all)
{
	struct request request;

	if (request_decode(all, &request) < 0)
		return;
	check_inside(request.host, all);
	check_inside(request.user_agent, all);
}

static void check_segment(struct bytes all)
{
	struct segment segment;

	if (segment_decode(0x0800, all, &segment) == 0)
		check_inside(segment.load, all);
	if (segment_decode(0x86dd, all, &segment) == 0)
		check_inside(segment.load, all);
}

static void on_evidence(
	void *arg, const struct mac *mac, unsigned kind, const char *value)
{
	char again[DISCOVERY_VALUE];

	fuzz_require(mac_equal(mac, arg));
	fuzz_require(evidence_name(kind) && *value);
	fuzz_require(strlen(value) < DISCOVERY_VALUE);
	/* Cleaning again changes nothing but the backslash of an escape. */
	(void)evidence_clean(
		(struct bytes){(const uint8_t *)value, strlen(value)}, again);
	for (const char *c = value; *c; c++)
		fuzz_require((unsigned char)*c >= ' ' && *c != 0x7f);
	if (!strchr(value, '\\'))
		fuzz_require(!strcmp(value, again));
}

/* The whole way: evidence is about the card whose frame it is. */
static void check_frame(struct bytes all)
{
	struct mac from = {0};
	struct gather gather = {.tell = on_evidence, .arg = &from};

	if (all.size >= 12)
		memcpy(&from, all.at + 6, sizeof(from));
	gather_frame(&gather, all);
}

static const struct {
	const char *name;
	void (*check)(struct bytes all);
} decoders[] = {
	{"dhcp4", check_dhcp4},
	{"dhcp6", check_dhcp6},
	{"dnssd", check_dnssd},
	{"frame", check_frame},
	{"hello", check_hello},
	{"lldp", check_lldp},
	{"mqtt", check_mqtt},
	{"neighbour", check_neighbour},
	{"request", check_request},
	{"segment", check_segment},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++)
		if (strcmp(decoders[i].name, FUZZ_DECODER) == 0)
			decoders[i].check((struct bytes){data, size});
	return 0;
}
