/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How conversations begin, as evidence: HTTP, MQTT, TLS. Touches memory only;
 * must never note what is asked for, a password, or anything behind a head.
 */
#include <stdio.h>
#include <string.h>

#include "modules/discovery/decode/hello.h"
#include "modules/discovery/decode/mqtt.h"
#include "modules/discovery/decode/request.h"
#include "modules/discovery/match/gather_priv.h"

static void tell_request(
	const struct about *about, const struct request *request)
{
	gather_tell(about, DISCOVERY_EVIDENCE_HTTP_HOST, request->host);
	gather_tell(about, DISCOVERY_EVIDENCE_HTTP_AGENT, request->user_agent);
}

static void tell_mqtt(
	const struct about *about, const struct mqtt_connect *mqtt)
{
	gather_tell(about, DISCOVERY_EVIDENCE_MQTT_CLIENT, mqtt->client_id);
	gather_tell_text(about, DISCOVERY_EVIDENCE_MQTT_USER,
		mqtt->has_user ? "yes" : "no");
}

static void tell_hello(const struct about *about, const struct hello *hello)
{
	static const char *const versions[] = {
		"SSL 3.0", "1.0", "1.1", "1.2", "1.3"};
	char text[32];

	snprintf(text, sizeof(text), "%s%s",
		versions[(hello->version & 0xff) % ARRAY_SIZE(versions)],
		hello->partial ? " or higher (partial)" : "");
	gather_tell_text(about, DISCOVERY_EVIDENCE_TLS_VERSION, text);
	gather_tell(about, DISCOVERY_EVIDENCE_TLS_NAME, hello->name);
}

/* The first byte tells them apart, whatever the port. */
void gather_tcp(const struct about *about, const struct segment *segment)
{
	struct request request;
	struct mqtt_connect mqtt;
	struct hello hello;

	if (!segment->load.size)
		return;
	if (hello_decode(segment->load, &hello) == 0)
		tell_hello(about, &hello);
	else if (segment->to_port == MQTT_PORT &&
		 mqtt_decode(segment->load, &mqtt) == 0)
		tell_mqtt(about, &mqtt);
	else if (request_decode(segment->load, &request) == 0)
		tell_request(about, &request);
}
