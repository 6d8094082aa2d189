/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames become evidence: of whom, of what, how much it is worth, and what
 * text becomes of bytes that a terminal would obey.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "modules/discovery/decode/dnssd.h"
#include "modules/discovery/decode/hello.h"
#include "modules/discovery/decode/lldp.h"
#include "modules/discovery/decode/mqtt.h"
#include "modules/discovery/decode/request.h"
#include "modules/discovery/match/gather.h"
#include "tests/unit/packet_maker.h"

static struct maker m;
static char told[4096]; /* "kind=value\n" */

static void on_evidence(
	void *arg, const struct mac *mac, unsigned kind, const char *value)
{
	size_t used = strlen(told);

	(void)arg;
	assert_int_equal(mac->b[5], 1);
	snprintf(told + used, sizeof(told) - used, "%s=%s\n",
		evidence_name(kind), value);
}

static struct gather gather = {.tell = on_evidence};

static void hear(const char *expected)
{
	told[0] = '\0';
	gather_frame(&gather, made(&m));
	assert_string_equal(told, expected);
}

static void hear_beginning(struct bytes beginning)
{
	told[0] = '\0';
	gather_frame(&gather, beginning);
}

static size_t begin_udp(bool six, unsigned from, unsigned to)
{
	m.used = 0;
	make_ethernet(&m, six ? ETH_P_IPV6 : ETH_P_IP);
	return make_udp(&m, six, from, to);
}

static size_t begin_tcp(unsigned to)
{
	m.used = 0;
	make_ethernet(&m, ETH_P_IP);
	return make_tcp(&m, 40000, to);
}

static void test_dhcp(void **state)
{
	size_t begin = begin_udp(false, 68, 67);

	(void)state;
	make_dhcp4(&m);
	make_option(&m, 12, "wemo");
	make_option(&m, 55, "\1\3\6\17");
	make_option(&m, 60, "udhcp 1.30");
	make_option(&m, 161, "https://x.example/m");
	make_number(&m, 2, 61 << 8 | 7);
	make_bytes(&m, "\1\2\0\0\0\0\1", 7);
	make_end(&m, begin);
	hear("dhcp.hostname=wemo\n"
	     "dhcp.parameters=1,3,6,15\n"
	     "dhcp.vendor-class=udhcp 1.30\n"
	     "dhcp.mud-url=https://x.example/m\n");
	each_beginning(&m, hear_beginning);
	/* Another client id is told. */
	m.bytes[m.used - 1] = 2;
	hear_beginning(made(&m));
	assert_non_null(strstr(told, "dhcp.client-id=01:02:00:00:00:00:02\n"));
	/* In the name of another card: nothing at all. */
	m.bytes[14 + 28 + 28 + 5] = 9;
	hear("");
	m.bytes[14 + 28 + 28 + 5] = 1;
	/* Through a relay: whose frame it is says nothing. */
	m.bytes[14 + 28 + 24] = 10;
	hear("");
}

static void test_mud_url_is_whole_and_https(void **state)
{
	static const char *const bad[] = {"http://x.example/m", "https://",
		"https://x.example/a b", "https://x\x1b[2J"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t begin = begin_udp(false, 68, 67);

		make_dhcp4(&m);
		make_option(&m, 161, bad[i]);
		make_end(&m, begin);
		hear("");
	}
}

static void test_dhcp6(void **state)
{
	size_t begin = begin_udp(true, 546, 547);

	(void)state;
	make_number(&m, 4, 0x01000001);
	make_number(&m, 4, 1 << 16 | 10);
	make_bytes(&m, "\0\3\0\1\2\0\0\0\0\1", 10);
	make_number(&m, 4, 39 << 16 | 12);
	make_bytes(&m, "\0\4bulb\4home\0", 12);
	make_end(&m, begin);
	hear("dhcp6.name=bulb.home\n");
	m.bytes[14 + 48 + 8 + 9] = 3;
	hear("dhcp6.duid=00:03:00:01:02:00:00:00:00:03\ndhcp6.name=bulb."
	     "home\n");
	/* A label that leads out of the option. */
	m.bytes[14 + 48 + 8 + 10 + 5] = 60;
	hear("dhcp6.duid=00:03:00:01:02:00:00:00:00:03\n");
	each_beginning(&m, hear_beginning);
}

static void test_arp(void **state)
{
	(void)state;
	m.used = 0;
	make_ethernet(&m, ETH_P_ARP);
	make_number(&m, 4, 0x00010800);
	make_number(&m, 4, 0x06040001);
	make_bytes(&m, "\2\0\0\0\0\1\12\0\0\2", 10);
	make_zeros(&m, 10);
	hear("arp.address=10.0.0.2\n");
	each_beginning(&m, hear_beginning);
	/* It says so in the name of another. */
	m.bytes[14 + 13] = 2;
	hear("");
}

static void test_nd(void **state)
{
	size_t begin;

	(void)state;
	begin = begin_udp(true, 0, 0);
	m.bytes[begin + 6] = IPPROTO_ICMPV6;
	m.used -= 8;
	make_number(&m, 4, 136u << 24);
	make_number(&m, 4, 0);
	make_bytes(&m, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\5", 16);
	make_bytes(&m, "\2\1\2\0\0\0\0\1", 8);
	make_end(&m, begin);
	hear("nd.address=fe80::5\n");
	m.bytes[m.used - 1] = 2; /* for another card */
	hear("");
	m.bytes[m.used - 1] = 1;
	m.bytes[begin + 7] = 254; /* from another link */
	hear("");
}

static void add_target(const char *name, unsigned type, const char *target)
{
	size_t at = make_record(&m, name, type);

	if (type == 33)
		make_zeros(&m, 6);
	make_name(&m, target);
	make_length(&m, at, 2);
}

static void add_text(const char *name, const char *text)
{
	size_t at = make_record(&m, name, 16);

	make_number(&m, 1, (uint32_t)strlen(text));
	make_text(&m, text);
	make_length(&m, at, 2);
}

static void test_mdns(void **state)
{
	size_t begin = begin_udp(false, 5353, 5353);

	(void)state;
	make_mdns(&m, 4);
	add_target("_googlecast._tcp.local", 12, "TV._googlecast._tcp.local");
	add_target("TV._googlecast._tcp.local", 33, "cast.local");
	add_text("TV._googlecast._tcp.local", "md=Chromecast");
	add_text("TV._googlecast._tcp.local", "fn=Anna's bedroom");
	make_end(&m, begin);
	hear("mdns.service=_googlecast._tcp\n"
	     "mdns.service=_googlecast._tcp\n"
	     "mdns.instance=TV\n"
	     "mdns.host=cast\n"
	     "mdns.service=_googlecast._tcp\n"
	     "mdns.instance=TV\n"
	     "mdns.txt=_googlecast._tcp md=Chromecast\n"
	     "mdns.service=_googlecast._tcp\n"
	     "mdns.instance=TV\n");
	each_beginning(&m, hear_beginning);
	/* One string too long, and nothing of all that is told. */
	m.bytes[m.used - 18]++;
	hear("");
	/* A question says nothing of who asks. */
	m.bytes[m.used - 18]--;
	m.bytes[14 + 28 + 2] = 0;
	hear("");
}

static void test_mdns_loops(void **state)
{
	size_t begin = begin_udp(false, 5353, 5353);
	uint64_t before = gather.unread;

	(void)state;
	make_mdns(&m, 1);
	make_number(&m, 2, 0xc00c); /* a name that is itself */
	make_number(&m, 4, 12 << 16 | 1);
	make_number(&m, 4, 120);
	make_number(&m, 4, 2 << 16 | 0xc00c);
	make_end(&m, begin);
	hear("");
	assert_int_equal(gather.unread, before + 1);
	/* More records than there are, and than there may be. */
	begin = begin_udp(false, 5353, 5353);
	make_mdns(&m, 65535);
	add_target("_hue._tcp.local", 12, "x._hue._tcp.local");
	make_end(&m, begin);
	hear("");
	assert_int_equal(gather.unread, before + 2);
}

static void test_withdrawn_service(void **state)
{
	size_t begin = begin_udp(false, 5353, 5353), at;

	(void)state;
	make_mdns(&m, 1);
	at = make_record(&m, "_hue._tcp.local", 12);
	make_name(&m, "x._hue._tcp.local");
	make_length(&m, at, 2);
	make_end(&m, begin);
	hear("mdns.service=_hue._tcp\n");
	m.bytes[at - 1] = 0; /* its time to live */
	hear("");
}

static void test_ssdp(void **state)
{
	size_t begin = begin_udp(false, 1900, 1900);

	(void)state;
	make_text(&m, "NOTIFY * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n"
		      "NT: upnp:rootdevice\r\nServer: Linux UPnP/1.0 X/2\r\n"
		      "USN: uuid:1\r\nLocation: http://10.0.0.2/d.xml\r\n"
		      "\r\n");
	make_end(&m, begin);
	hear("ssdp.server=Linux UPnP/1.0 X/2\n"
	     "ssdp.usn=uuid:1\n"
	     "ssdp.type=upnp:rootdevice\n"
	     "ssdp.location=http://10.0.0.2/d.xml\n");
	each_beginning(&m, hear_beginning);
	begin = begin_udp(false, 50000, 1900);
	make_text(&m, "M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n"
		      "USER-AGENT: Chromium/1\r\n\r\n");
	make_end(&m, begin);
	hear("ssdp.user-agent=Chromium/1\n");
	begin = begin_udp(false, 1900, 50000);
	make_text(&m, "HTTP/1.1 200 OK\r\nST: roku:ecp\r\n"
		      "Server: Roku\x1b]0;x\r\n\r\n");
	make_end(&m, begin);
	hear("");
}

static void test_lldp(void **state)
{
	(void)state;
	m.used = 0;
	make_ethernet(&m, LLDP_ETHERTYPE);
	make_number(&m, 3, (1 << 9 | 7) << 8 | 4);
	make_bytes(&m, "\2\0\0\0\0\1", 6);
	make_number(&m, 3, (2 << 9 | 5) << 8 | 5);
	make_text(&m, "eth0");
	make_number(&m, 4, 3u << 25 | 2 << 16 | 120);
	make_number(&m, 2, 5 << 9 | 6);
	make_text(&m, "camera");
	hear("lldp.chassis=02:00:00:00:00:01\nlldp.port=eth0\n"
	     "lldp.name=camera\n");
	each_beginning(&m, hear_beginning);
}

static void test_http(void **state)
{
	struct request request;
	size_t begin = begin_tcp(80);

	(void)state;
	make_text(&m, "POST /token=secret HTTP/1.1\r\nHost: a.example\r\n"
		      "User-Agent: dev/1\r\n\r\nbody: secret");
	make_end(&m, begin);
	hear("http.host=a.example\nhttp.user-agent=dev/1\n");
	each_beginning(&m, hear_beginning);
	m.used = 0;
	make_text(&m, "GET / HTTP/1.1\r\nHost: a.exa");
	assert_int_equal(request_decode(made(&m), &request), 0);
	assert_true(request.partial);
	assert_int_equal(request.host.size, 0);
	make_text(&m, "mple\r\nHost: b.example\r\n\r\n");
	assert_int_equal(request_decode(made(&m), &request), -EBADMSG);
	m.used = 0;
	make_text(&m, "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n");
	assert_int_equal(request_decode(made(&m), &request), -EBADMSG);
	m.used = 0;
	make_text(&m, "GET / HTTP/1.1\r\nHost: a\x1b[2J\r\n\r\n");
	assert_int_equal(request_decode(made(&m), &request), -EBADMSG);
	m.used = 0;
	make_text(&m, "get / HTTP/1.1\r\n\r\n");
	assert_int_equal(request_decode(made(&m), &request), -EBADMSG);
}

static void make_connect(unsigned level, const char *client)
{
	make_number(
		&m, 2, 0x1000 | (uint32_t)(12 + strlen(client) + (level == 5)));
	make_number(&m, 2, 4);
	make_text(&m, "MQTT");
	make_number(&m, 4, level << 24 | 0xc2 << 16 | 60);
	if (level == 5)
		make_number(&m, 1, 0);
	make_number(&m, 2, (uint32_t)strlen(client));
	make_text(&m, client);
}

static void test_mqtt(void **state)
{
	struct mqtt_connect mqtt;

	(void)state;
	for (unsigned level = 4; level <= 5; level++) {
		size_t begin = begin_tcp(1883);

		make_connect(level, "plug-1");
		make_text(&m, "\3secret");
		make_end(&m, begin);
		hear("mqtt.client-id=plug-1\nmqtt.user=yes\n");
		each_beginning(&m, hear_beginning);
	}
	m.used = 0;
	make_connect(4, "plug-1");
	m.bytes[8] = 6;
	assert_int_equal(mqtt_decode(made(&m), &mqtt), -EBADMSG);
	m.bytes[8] = 4;
	m.bytes[13] = 7; /* the client id is longer than the message */
	assert_int_equal(mqtt_decode(made(&m), &mqtt), -EBADMSG);
	m.bytes[13] = 6;
	assert_int_equal(mqtt_decode(made(&m), &mqtt), 0);
	m.used = 0;
	make_bytes(&m, "\x10\xff\xff\xff\xff\1", 6);
	assert_int_equal(mqtt_decode(made(&m), &mqtt), -EBADMSG);
}

/* A ClientHello; its record and handshake lengths are right at the end. */
static void make_hello(bool versions, const char *name)
{
	size_t record, handshake, extensions;

	make_number(&m, 3, 0x160301);
	record = m.used;
	make_number(&m, 2, 0);
	make_number(&m, 1, 1);
	handshake = m.used;
	make_number(&m, 3, 0);
	make_number(&m, 2, 0x0303);
	make_zeros(&m, 32);
	make_number(&m, 1, 0);
	make_number(&m, 4, 2 << 16 | 0x1301);
	make_number(&m, 2, 1 << 8);
	extensions = m.used;
	make_number(&m, 2, 0);
	if (versions) {
		make_number(&m, 4, 43 << 16 | 7);
		make_bytes(&m, "\6\x7a\x7a\3\4\3\3", 7);
	}
	make_number(&m, 4, (uint32_t)strlen(name) + 5);
	make_number(&m, 2, (uint32_t)strlen(name) + 3);
	make_number(&m, 1, 0);
	make_number(&m, 2, (uint32_t)strlen(name));
	make_text(&m, name);
	make_length(&m, extensions, 2);
	make_length(&m, handshake, 3);
	make_length(&m, record, 2);
}

static void test_tls(void **state)
{
	struct hello hello;
	size_t begin = begin_tcp(443);

	(void)state;
	make_hello(true, "cloud.example");
	make_end(&m, begin);
	hear("tls.version=1.3\ntls.sni=cloud.example\n");
	each_beginning(&m, hear_beginning);
	begin = begin_tcp(8883);
	make_hello(false, "cloud.example");
	make_end(&m, begin);
	hear("tls.version=1.2\ntls.sni=cloud.example\n");
	/* It goes on in the next segment. */
	begin = begin_tcp(443);
	make_hello(true, "cloud.example");
	m.used -= 5;
	make_end(&m, begin);
	hear("tls.version=1.3 or higher (partial)\n");

	m.used = 0;
	make_hello(true, "cloud.example");
	assert_int_equal(hello_decode(made(&m), &hello), 0);
	assert_false(hello.partial);
	m.bytes[m.used - 14]++; /* the name leads out of its extension */
	assert_int_equal(hello_decode(made(&m), &hello), -EBADMSG);
	m.bytes[m.used - 14]--;
	m.bytes[8]--; /* the handshake is shorter than its record */
	assert_int_equal(hello_decode(made(&m), &hello), -EBADMSG);
	m.bytes[8] += 2; /* ... or longer than its extensions say */
	assert_int_equal(hello_decode(made(&m), &hello), -EBADMSG);
}

static void test_other_things_say_nothing(void **state)
{
	size_t begin = begin_udp(false, 40000, 40001);

	(void)state;
	make_text(&m, "NOTIFY * HTTP/1.1\r\n");
	make_end(&m, begin);
	hear("");
	begin = begin_tcp(25);
	make_text(&m, "EHLO x\r\n");
	make_end(&m, begin);
	hear("");
	/* From a server: DHCP to a client, between relay and server. */
	begin = begin_udp(false, 67, 68);
	make_dhcp4(&m);
	make_option(&m, 12, "bulb");
	make_end(&m, begin);
	hear("");
	m.bytes[begin + 23] = 67;
	hear("");
}

static void assert_clean(const char *raw, size_t size, const char *expected)
{
	char text[DISCOVERY_VALUE];

	assert_true(evidence_clean(
		(struct bytes){(const uint8_t *)raw, size}, text));
	assert_string_equal(text, expected);
}

static void test_text(void **state)
{
	char text[DISCOVERY_VALUE];
	uint8_t many[400];

	(void)state;
	assert_clean("K\xc3\xbc"
		     "che",
		6,
		"K\xc3\xbc"
		"che");
	assert_clean("\x1b[2J\r\n\a", 7, "\\x1b[2J\\x0d\\x0a\\x07");
	assert_clean("a\0b", 3, "a\\x00b");
	assert_clean("\xc2\x9b"
		     "1m",
		4, "\\u009b1m"); /* CSI in one */
	assert_clean("\x9b\xff\xc3", 3, "\\x9b\\xff\\xc3");
	assert_clean("a\xe2\x80\xaegpj", 7, "a\\u202egpj"); /* RLO */
	assert_clean("a\xe2\x81\xa6", 4, "a\\u2066"); /* LRI */
	assert_clean("a\xe2\x80\x8b", 4, "a\\u200b"); /* no width */
	assert_clean("\xf3\xa0\x81\x81", 4, "\\U000e0041"); /* a tag */
	assert_clean("\\x1b", 4, "\\x5cx1b"); /* not to be taken for one */
	assert_clean("\xed\xa0\x80\xc0\x80", 5, "\\xed\\xa0\\x80\\xc0\\x80");
	/* Never cut in the middle of a character or of what stands for it. */
	memset(many, 'a', sizeof(many));
	memcpy(many + DISCOVERY_VALUE - 3, "\x1b", 1);
	assert_false(evidence_clean((struct bytes){many, 300}, text));
	assert_int_equal(strlen(text), DISCOVERY_VALUE - 3);
	assert_true(evidence_take(DISCOVERY_EVIDENCE_DHCP_HOSTNAME,
		(struct bytes){many, 300}, text));
	assert_false(evidence_take(DISCOVERY_EVIDENCE_DHCP_HOSTNAME,
		(struct bytes){(const uint8_t *)"\0\0", 2}, text));
	assert_false(evidence_take(0, (struct bytes){many, 3}, text));
	assert_false(evidence_take(
		DISCOVERY_EVIDENCE_KINDS, (struct bytes){many, 3}, text));
	/* Of a URL never a part. */
	memset(many, 'a', sizeof(many));
	memcpy(many, "https://", 8);
	assert_true(evidence_take(
		DISCOVERY_EVIDENCE_DHCP_MUD, (struct bytes){many, 255}, text));
	assert_false(evidence_take(
		DISCOVERY_EVIDENCE_DHCP_MUD, (struct bytes){many, 256}, text));
}

static void test_kinds(void **state)
{
	(void)state;
	for (unsigned i = 1; i < DISCOVERY_EVIDENCE_KINDS; i++) {
		const char *name = evidence_name(i);

		assert_non_null(name);
		assert_int_equal(evidence_find(name, strlen(name)), i);
	}
	assert_null(evidence_name(0));
	assert_null(evidence_name(DISCOVERY_EVIDENCE_KINDS));
	assert_int_equal(evidence_find("dhcp", 4), 0);
	/* Anybody can say it for others: an address is nobody's identity. */
	assert_int_equal(evidence_worth(DISCOVERY_EVIDENCE_ARP_ADDRESS), 0);
	assert_int_equal(evidence_worth(DISCOVERY_EVIDENCE_ND_ADDRESS), 0);
	assert_true(evidence_is_hint(DISCOVERY_EVIDENCE_MDNS_TEXT));
	assert_true(evidence_is_hint(DISCOVERY_EVIDENCE_SSDP_SERVER));
	assert_false(evidence_is_hint(DISCOVERY_EVIDENCE_DHCP_HOSTNAME));
	assert_true(evidence_same_source(
		DISCOVERY_EVIDENCE_DHCP_HOSTNAME, DISCOVERY_EVIDENCE_DHCP_MUD));
	assert_false(evidence_same_source(DISCOVERY_EVIDENCE_DHCP_HOSTNAME,
		DISCOVERY_EVIDENCE_DHCP6_NAME));
	assert_true(evidence_mac_is_random(&(struct mac){{0x12}}));
	assert_false(evidence_mac_is_random(&(struct mac){{0x10}}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp),
		cmocka_unit_test(test_mud_url_is_whole_and_https),
		cmocka_unit_test(test_dhcp6),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_nd),
		cmocka_unit_test(test_mdns),
		cmocka_unit_test(test_mdns_loops),
		cmocka_unit_test(test_withdrawn_service),
		cmocka_unit_test(test_ssdp),
		cmocka_unit_test(test_lldp),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_mqtt),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_other_things_say_nothing),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
