/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoders of discovery: what is there is found, what lies about its length
 * is refused, and no beginning of a message is read past its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "modules/discovery/decode/arp.h"
#include "modules/discovery/decode/dhcp4.h"
#include "modules/discovery/decode/dhcp6.h"
#include "modules/discovery/decode/frame.h"
#include "modules/discovery/decode/lldp.h"
#include "modules/discovery/decode/nd.h"
#include "modules/discovery/decode/segment.h"
#include "tests/unit/packet_maker.h"

static struct maker m;

static void assert_text(struct bytes bytes, const char *text)
{
	assert_int_equal(bytes.size, strlen(text));
	assert_memory_equal(bytes.at, text, bytes.size);
}

static void assert_option(const struct dhcp4_option *option, const char *text)
{
	assert_text((struct bytes){option->bytes, option->size}, text);
}

static void test_frame(void **state)
{
	struct frame frame;

	(void)state;
	m.used = 0;
	make_ethernet(&m, ETH_P_8021Q);
	make_number(&m, 4, 0x2064 << 16 | ETH_P_8021Q);
	make_number(&m, 4, 5 << 16 | ETH_P_ARP);
	make_text(&m, "load");
	assert_int_equal(frame_decode(made(&m), &frame), 0);
	assert_int_equal(frame.n_tags, 2);
	assert_int_equal(frame.tags[0], 0x64);
	assert_int_equal(frame.tags[1], 5);
	assert_int_equal(frame.ethertype, ETH_P_ARP);
	assert_text(frame.load, "load");
	/* A third tag is somebody else's matter. */
	m.used = 12;
	for (int i = 0; i < 3; i++)
		make_number(&m, 4, (unsigned)ETH_P_8021AD << 16 | 7);
	make_number(&m, 2, ETH_P_IP);
	assert_int_equal(frame_decode(made(&m), &frame), 0);
	assert_int_equal(frame.ethertype, ETH_P_8021AD);
	/* Of 802.3, with a length. */
	m.used = 12;
	make_number(&m, 2, 40);
	assert_int_equal(frame_decode(made(&m), &frame), 0);
	assert_int_equal(frame.ethertype, 0);
	/* Tag without an end; nobody; a group. */
	m.used = 12;
	make_number(&m, 4, (unsigned)ETH_P_8021Q << 16 | 7);
	assert_int_equal(frame_decode(made(&m), &frame), -EBADMSG);
	memset(m.bytes + 6, 0, 6);
	m.used = 12;
	make_number(&m, 2, ETH_P_IP);
	assert_int_equal(frame_decode(made(&m), &frame), -EBADMSG);
	m.bytes[6] = 3;
	assert_int_equal(frame_decode(made(&m), &frame), -EBADMSG);
	m.bytes[6] = 2;
	assert_int_equal(frame_decode(made(&m), &frame), 0);
}

static void test_segment(void **state)
{
	struct segment segment;
	size_t begin;

	(void)state;
	for (int six = 0; six < 2; six++) {
		uint16_t ethertype = six ? ETH_P_IPV6 : ETH_P_IP;

		m.used = 0;
		begin = make_udp(&m, six, 1000, 53);
		make_text(&m, "question");
		make_end(&m, begin);
		make_text(&m, "padding");
		assert_int_equal(
			segment_decode(ethertype, made(&m), &segment), 0);
		assert_text(segment.load, "question");
		assert_int_equal(segment.from_port, 1000);
		assert_int_equal(segment.to_port, 53);
		assert_int_equal(segment.hops, six ? 255 : 64);
		assert_false(segment.cut);
		/* What was captured ends before the packet does. */
		m.used -= 10;
		assert_int_equal(
			segment_decode(ethertype, made(&m), &segment), 0);
		assert_text(segment.load, "quest");
		assert_true(segment.cut);
		/* UDP says more than IP does: a lie. */
		m.used += 10;
		m.bytes[(six ? 40 : 20) + 5]++;
		assert_int_equal(segment_decode(ethertype, made(&m), &segment),
			-EBADMSG);
		/* Less than its own head. */
		m.bytes[(six ? 40 : 20) + 5] = 7;
		assert_int_equal(segment_decode(ethertype, made(&m), &segment),
			-EBADMSG);
		assert_int_equal(segment_decode(ETH_P_ARP, made(&m), &segment),
			-EBADMSG);
	}
}

static void test_fragments(void **state)
{
	struct segment segment;
	size_t begin;

	(void)state;
	m.used = 0;
	begin = make_udp(&m, false, 1000, 53);
	make_text(&m, "question");
	make_end(&m, begin);
	m.bytes[6] = 0x20;
	assert_int_equal(segment_decode(ETH_P_IP, made(&m), &segment), 0);
	assert_true(segment.cut);
	m.bytes[7] = 1;
	assert_int_equal(
		segment_decode(ETH_P_IP, made(&m), &segment), -EBADMSG);
}

/* Options of TCP and extension headers of IPv6 are looked behind. */
static void test_heads_behind_heads(void **state)
{
	struct segment segment;
	size_t begin;

	(void)state;
	m.used = 0;
	begin = make_tcp(&m, 1000, 80);
	m.bytes[20 + 12] = 0x60;
	make_text(&m, "optsload");
	make_end(&m, begin);
	assert_int_equal(segment_decode(ETH_P_IP, made(&m), &segment), 0);
	assert_text(segment.load, "load");
	m.bytes[20 + 12] = 0xf0;
	assert_int_equal(
		segment_decode(ETH_P_IP, made(&m), &segment), -EBADMSG);
	m.bytes[20 + 12] = 0x40;
	assert_int_equal(
		segment_decode(ETH_P_IP, made(&m), &segment), -EBADMSG);

	m.used = 0;
	make_number(&m, 4, 0x60000000);
	make_number(&m, 4, 28 << 16 | IPPROTO_HOPOPTS << 8 | 1);
	make_zeros(&m, 32);
	make_number(&m, 4, (unsigned)IPPROTO_DSTOPTS << 24);
	make_zeros(&m, 4);
	make_number(&m, 4, (unsigned)IPPROTO_UDP << 24);
	make_zeros(&m, 4);
	make_number(&m, 4, 1 << 16 | 2);
	make_number(&m, 4, 12 << 16);
	make_text(&m, "load");
	assert_int_equal(segment_decode(ETH_P_IPV6, made(&m), &segment), 0);
	assert_text(segment.load, "load");
	assert_int_equal(segment.to_port, 2);
	/* An extension that is longer than the packet. */
	m.bytes[41] = 200;
	assert_int_equal(segment_decode(ETH_P_IPV6, made(&m), &segment), 0);
	assert_int_equal(segment.load.size, 0);
}

static void test_arp(void **state)
{
	static const uint8_t sender[] = {2, 0, 0, 0, 0, 1, 10, 0, 0, 2};
	struct arp arp;

	(void)state;
	m.used = 0;
	make_number(&m, 4, 0x00010800);
	make_number(&m, 4, 0x06040002);
	make_bytes(&m, sender, sizeof(sender));
	make_bytes(&m, sender, sizeof(sender));
	assert_int_equal(arp_decode(made(&m), &arp), 0);
	assert_int_equal(arp.kind, ARP_KIND_REPLY);
	assert_memory_equal(&arp.sender, sender, 6);
	assert_memory_equal(arp.from.b, sender + 6, 4);
	m.bytes[7] = 3;
	assert_int_equal(arp_decode(made(&m), &arp), -EBADMSG);
	m.bytes[7] = 1;
	m.bytes[5] = 16;
	assert_int_equal(arp_decode(made(&m), &arp), -EBADMSG);
	m.bytes[5] = 4;
	assert_int_equal(arp_decode(made(&m), &arp), 0);
	m.used--;
	assert_int_equal(arp_decode(made(&m), &arp), -EBADMSG);
}

static void make_nd(unsigned type, unsigned option)
{
	static const uint8_t target[16] = {0xfe, 0x80, [15] = 9};

	m.used = 0;
	make_number(&m, 1, type);
	make_zeros(&m, type == ND_KIND_ROUTER_ADVERTISEMENT ? 15 : 7);
	if (type >= ND_KIND_SOLICITATION)
		make_bytes(&m, target, sizeof(target));
	make_number(&m, 2, option << 8 | 1);
	make_bytes(&m, "\2\0\0\0\0\1", 6);
}

static void test_nd(void **state)
{
	struct nd nd;

	(void)state;
	for (unsigned type = ND_KIND_ROUTER_SOLICITATION;
		type <= ND_KIND_ADVERTISEMENT; type++) {
		bool advertises = type == ND_KIND_ADVERTISEMENT;

		make_nd(type, advertises ? 2 : 1);
		assert_int_equal(nd_decode(made(&m), &nd), 0);
		assert_int_equal(nd.kind, type);
		assert_true(nd.has_mac);
		assert_int_equal(nd.mac.b[5], 1);
		assert_int_equal(nd.target.family,
			type >= ND_KIND_SOLICITATION ? AF_INET6 : 0);
		/* The other option is not its own address. */
		make_nd(type, advertises ? 1 : 2);
		assert_int_equal(nd_decode(made(&m), &nd), 0);
		assert_false(nd.has_mac);
		/* Without a length one never comes to an end. */
		m.bytes[m.used - 7] = 0;
		assert_int_equal(nd_decode(made(&m), &nd), -EBADMSG);
		m.bytes[m.used - 7] = 2;
		assert_int_equal(nd_decode(made(&m), &nd), -EBADMSG);
	}
	make_nd(ND_KIND_SOLICITATION, 1);
	m.bytes[8] = 0xff; /* a group is no target */
	assert_int_equal(nd_decode(made(&m), &nd), -EBADMSG);
	make_nd(ND_KIND_SOLICITATION, 1);
	m.bytes[1] = 1;
	assert_int_equal(nd_decode(made(&m), &nd), -EBADMSG);
	/* Many options are many, and then too many. */
	make_nd(ND_KIND_SOLICITATION, 1);
	for (int i = 1; i < ND_OPTIONS_MAX; i++)
		make_bytes(&m, "\6\1\0\0\0\0\0\0", 8);
	assert_int_equal(nd_decode(made(&m), &nd), 0);
	make_bytes(&m, "\6\1\0\0\0\0\0\0", 8);
	assert_int_equal(nd_decode(made(&m), &nd), -EBADMSG);
}

static void test_dhcp4(void **state)
{
	struct dhcp4 dhcp;

	(void)state;
	m.used = 0;
	make_dhcp4(&m);
	make_option(&m, 53, "\1");
	make_option(&m, 12, "bulb");
	make_option(&m, 55, "\1\3\6");
	make_number(&m, 1, 0);
	make_option(&m, 60, "udhcp 1.30");
	make_option(&m, 61, "\1ab");
	make_option(&m, 77, "class");
	make_option(&m, 161, "https://x.example/m");
	make_number(&m, 1, 255);
	make_option(&m, 12, "behind the end");
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), 0);
	assert_int_equal(dhcp.type, 1);
	assert_int_equal(dhcp.client.b[5], 1);
	assert_false(dhcp.relayed);
	assert_option(&dhcp.hostname, "bulb");
	assert_option(&dhcp.parameters, "\1\3\6");
	assert_option(&dhcp.vendor_class, "udhcp 1.30");
	assert_option(&dhcp.client_id, "\1ab");
	assert_option(&dhcp.user_class, "class");
	assert_option(&dhcp.mud_url, "https://x.example/m");
	m.bytes[24] = 10;
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), 0);
	assert_true(dhcp.relayed);
	m.bytes[0] = 2; /* of a server */
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), -EBADMSG);
	m.bytes[0] = 1;
	m.bytes[236] = 98;
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), -EBADMSG);
}

static void test_dhcp4_parts(void **state)
{
	struct dhcp4 dhcp;
	char part[129] = "";

	(void)state;
	m.used = 0;
	make_dhcp4(&m);
	/* The name goes on in both fields that are overloaded. */
	memcpy(m.bytes + 44, "\14\6 sname\xff", 9);
	memcpy(m.bytes + 108, "\14\5 file\xff", 8);
	make_option(&m, 12, "begins");
	make_option(&m, 52, "\3");
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), 0);
	assert_option(&dhcp.hostname, "begins file sname");
	/* Overloaded again from there means nothing. */
	memcpy(m.bytes + 108, "\64\1\3\14\5 file\xff", 11);
	m.bytes[m.used - 1] = 1;
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), 0);
	assert_option(&dhcp.hostname, "begins file");
	/* A length that leads out of the field. */
	memcpy(m.bytes + 44 + 62, "\14\5", 2);
	memset(m.bytes + 44, 0, 62);
	m.bytes[m.used - 1] = 2;
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), -EBADMSG);
	/* Longer than any option has to be. */
	m.used = 0;
	make_dhcp4(&m);
	memset(part, 'a', 128);
	for (int i = 0; i < 4; i++)
		make_option(&m, 12, part);
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), 0);
	assert_int_equal(dhcp.hostname.size, DHCP4_OPTION_MAX);
	make_option(&m, 12, "a");
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), -EMSGSIZE);
	/* And one that is cut. */
	m.used -= 1;
	assert_int_equal(dhcp4_decode(made(&m), &dhcp), -EBADMSG);
}

static void make_option6(unsigned code, const void *bytes, size_t size)
{
	make_number(&m, 2, code);
	make_number(&m, 2, (uint32_t)size);
	make_bytes(&m, bytes, size);
}

static void test_dhcp6(void **state)
{
	static const char duid[] = "\0\1\0\1timE\2\0\0\0\0\7";
	struct dhcp6 dhcp;

	(void)state;
	m.used = 0;
	make_number(&m, 4, 0x01abcdef);
	make_option6(1, duid, 14);
	make_option6(16, "\0\0\1\x2c\0\5thing\0\1x", 14);
	make_option6(39, "\0\4bulb\4home\0", 12);
	make_option6(112, "https://x.example/m", 19);
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), 0);
	assert_int_equal(dhcp.type, 1);
	assert_true(dhcp.has_mac);
	assert_int_equal(dhcp.mac.b[5], 7);
	assert_int_equal(dhcp.vendor, 300);
	assert_text(dhcp.vendor_class, "thing");
	assert_int_equal(dhcp.fqdn.size, 11);
	assert_text(dhcp.mud_url, "https://x.example/m");
	/* A server's answer, a relay's message. */
	m.bytes[0] = 2;
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), -EBADMSG);
	m.bytes[0] = 12;
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), -EBADMSG);
	m.bytes[0] = 3;
	m.used--;
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), -EBADMSG);
	/* Of another kind of card there is no MAC. */
	m.used = 4;
	make_option6(1, "\0\3\0\6\2\0\0\0\0\7", 10);
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), 0);
	assert_false(dhcp.has_mac);
	/* The vendor's string is longer than the option. */
	make_option6(16, "\0\0\1\x2c\0\6thing", 11);
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), -EBADMSG);
	m.used = 4;
	for (int i = 0; i < DHCP6_OPTIONS_MAX; i++)
		make_option6(6, "", 0);
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), 0);
	make_option6(6, "", 0);
	assert_int_equal(dhcp6_decode(made(&m), &dhcp), -EBADMSG);
}

static void make_tlv(unsigned type, const char *text)
{
	make_number(&m, 2, type << 9 | (unsigned)strlen(text));
	make_text(&m, text);
}

static void make_lldp_head(void)
{
	m.used = 0;
	make_tlv(1, "\7chassis");
	make_tlv(2, "\5eth0");
	make_number(&m, 4, 3u << 25 | 2 << 16 | 120);
}

static void test_lldp(void **state)
{
	struct lldp lldp;

	(void)state;
	make_lldp_head();
	make_tlv(5, "camera");
	make_tlv(6, "Linux 3.4");
	make_number(&m, 2, 127 << 9 | 9);
	make_bytes(&m, "\0\0\x5e\1https", 9);
	make_number(&m, 2, 127 << 9 | 9);
	make_bytes(&m, "\0\0\x5f\1other", 9);
	make_number(&m, 2, 0);
	make_text(&m, "padding");
	assert_int_equal(lldp_decode(made(&m), &lldp), 0);
	assert_int_equal(lldp.chassis_kind, 7);
	assert_text(lldp.chassis, "chassis");
	assert_text(lldp.port, "eth0");
	assert_text(lldp.name, "camera");
	assert_text(lldp.description, "Linux 3.4");
	assert_text(lldp.mud_url, "https");
	/* The first three in order, and only there. */
	make_lldp_head();
	make_tlv(1, "\7other");
	assert_int_equal(lldp_decode(made(&m), &lldp), -EBADMSG);
	m.used = 0;
	make_tlv(2, "\5eth0");
	make_tlv(1, "\7chassis");
	make_number(&m, 4, 3u << 25 | 2 << 16 | 120);
	assert_int_equal(lldp_decode(made(&m), &lldp), -EBADMSG);
	m.used = 0;
	assert_int_equal(lldp_decode(made(&m), &lldp), -EBADMSG);
	/* A length that leads out. */
	make_lldp_head();
	make_number(&m, 2, 5 << 9 | 6);
	make_text(&m, "short");
	assert_int_equal(lldp_decode(made(&m), &lldp), -EBADMSG);
	make_lldp_head();
	for (int i = 3; i < LLDP_TLVS_MAX - 1; i++)
		make_tlv(8, "");
	make_number(&m, 2, 0);
	assert_int_equal(lldp_decode(made(&m), &lldp), 0);
	m.used -= 2;
	make_tlv(8, "");
	make_number(&m, 2, 0);
	assert_int_equal(lldp_decode(made(&m), &lldp), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_heads_behind_heads),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_nd),
		cmocka_unit_test(test_dhcp4),
		cmocka_unit_test(test_dhcp4_parts),
		cmocka_unit_test(test_dhcp6),
		cmocka_unit_test(test_lldp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
