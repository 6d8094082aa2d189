/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NFLOG sends: messages of the kernel taken apart, heads of packets
 * decoded, records added up, and the words for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>

#include "agent/lib/loop.h"
#include "modules/discovery/agent/tell.h"
#include "modules/discovery/tries.h"
#include "modules/isolation/isolation_proto.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

struct message {
	uint8_t bytes[512];
	size_t used;
};

static void put(struct message *m, const void *data, size_t size)
{
	memcpy(m->bytes + m->used, data, size);
	m->used += (size + 3) & ~(size_t)3;
}

static void put_attr(
	struct message *m, uint16_t type, const void *data, size_t size)
{
	struct nlattr a = {(uint16_t)(NLA_HDRLEN + size), type};

	put(m, &a, sizeof(a));
	put(m, data, size);
}

/* As the kernel puts a record together. */
static void build(struct message *m, const char *prefix, uint32_t seq,
	uint16_t ethertype, const void *packet, size_t size)
{
	struct nlmsghdr head = {.nlmsg_type = NFNL_SUBSYS_ULOG << 8};
	struct nfgenmsg about = {.nfgen_family = AF_INET};
	struct nfulnl_msg_packet_hdr type = {.hw_protocol = htons(ethertype)};
	struct nfulnl_msg_packet_hw hw = {.hw_addrlen = htons(6)};
	uint32_t number = htonl(seq);
	size_t start = m->used;

	memcpy(hw.hw_addr, mac, sizeof(mac));
	put(m, &head, sizeof(head));
	put(m, &about, sizeof(about));
	put_attr(m, NFULA_PACKET_HDR, &type, sizeof(type));
	put_attr(m, NFULA_PREFIX, prefix, strlen(prefix) + 1);
	put_attr(m, NFULA_HWADDR, &hw, sizeof(hw));
	put_attr(m, NFULA_PAYLOAD, packet, size);
	put_attr(m, NFULA_SEQ, &number, sizeof(number));
	head.nlmsg_len = (uint32_t)(m->used - start);
	memcpy(m->bytes + start, &head, sizeof(head));
}

/* IPv4, UDP, to 192.0.2.1 and this port. */
static size_t udp4(uint8_t *p, uint16_t port)
{
	static const uint8_t head[] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0,
		10, 0, 0, 7, 192, 0, 2, 1, 0, 9};

	memset(p, 0, 28);
	memcpy(p, head, sizeof(head));
	p[22] = (uint8_t)(port >> 8);
	p[23] = (uint8_t)port;
	return 28;
}

static void one_record(void **state)
{
	struct nflog_record record;
	struct message m = {0};
	uint8_t packet[28];
	size_t offset = 0;

	(void)state;
	build(&m, ISOLATION_LOG_DENIED, 5, ETH_P_IP, packet, udp4(packet, 23));
	build(&m, ISOLATION_LOG_BRIDGED, 6, ETH_P_IP, packet, 28);
	assert_int_equal(nflog_next(m.bytes, m.used, &offset, &record), 1);
	assert_int_equal(record.reason, DISCOVERY_REASON_DENIED);
	assert_int_equal(record.seq, 5);
	assert_true(record.counted);
	assert_int_equal(record.ethertype, ETH_P_IP);
	assert_memory_equal(record.mac.b, mac, 6);
	assert_int_equal(record.length, 28);
	assert_memory_equal(record.payload, packet, 28);
	assert_int_equal(nflog_next(m.bytes, m.used, &offset, &record), 1);
	assert_int_equal(record.reason, DISCOVERY_REASON_BRIDGED);
	assert_int_equal(nflog_next(m.bytes, m.used, &offset, &record), 0);
}

/* Wherever it is cut, nothing behind the cut is looked at. */
static void cut_records(void **state)
{
	struct message m = {0};
	uint8_t packet[28];

	(void)state;
	build(&m, ISOLATION_LOG_DENIED, 5, ETH_P_IP, packet, udp4(packet, 23));
	for (size_t n = 1; n < m.used; n++) {
		uint8_t *copy = malloc(n);
		struct nflog_record record;
		size_t offset = 0;

		memcpy(copy, m.bytes, n);
		assert_int_equal(
			nflog_next(copy, n, &offset, &record), -EBADMSG);
		free(copy);
	}
}

static void foreign_messages(void **state)
{
	struct nlmsghdr done = {.nlmsg_len = sizeof(done), .nlmsg_type = 3};
	struct nlmsghdr tiny = {.nlmsg_len = 4};
	struct nflog_record record;
	size_t offset = 0;

	(void)state;
	assert_int_equal(nflog_next(&done, sizeof(done), &offset, &record), 0);
	offset = 0;
	assert_int_equal(
		nflog_next(&tiny, sizeof(tiny), &offset, &record), -EBADMSG);
}

static int decode(uint16_t type, const char *hex, struct packet_head *head)
{
	uint8_t bytes[256];
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		unsigned value;

		assert_int_equal(sscanf(hex, "%2x", &value), 1);
		bytes[n++] = (uint8_t)value;
	}
	return packet_decode(type, bytes, n, head);
}

static void heads_of_packets(void **state)
{
	struct packet_head h;
	char text[IP_TEXT];

	(void)state;
	/* Options before the port, then a later fragment without one. */
	assert_int_equal(decode(ETH_P_IP,
				 "4600002000000000400600000a000007c0000201"
				 "01010101"
				 "00090050",
				 &h),
		0);
	assert_int_equal(h.port, 80);
	assert_int_equal(h.protocol, IPPROTO_TCP);
	assert_string_equal(ip_format(&h.to, text), "192.0.2.1");
	assert_int_equal(decode(ETH_P_IP,
				 "4500002000000005400600000a000007c0000201"
				 "00090050",
				 &h),
		0);
	assert_int_equal(h.port, 0);
	/* Cut behind the addresses: no port; inside: nothing. */
	assert_int_equal(
		decode(ETH_P_IP, "4500002000000000400600000a000007c0000201",
			&h),
		0);
	assert_int_equal(h.port, 0);
	assert_int_equal(
		decode(ETH_P_IP, "4500002000000000400600000a000007c00002", &h),
		-EBADMSG);
	assert_int_equal(
		decode(ETH_P_IP, "4300002000000000400600000a000007c0000201",
			&h),
		-EBADMSG);
}

static void heads_of_ipv6(void **state)
{
	struct packet_head h;
	char text[IP_TEXT];

	(void)state;
	/* Hop-by-hop, then destination options, then UDP. */
	assert_int_equal(decode(ETH_P_IPV6,
				 "6000000000180040"
				 "fe800000000000000000000000000007"
				 "20010db8000000000000000000000001"
				 "3c00000000000000"
				 "1100000000000000"
				 "00091234",
				 &h),
		0);
	assert_int_equal(h.protocol, IPPROTO_UDP);
	assert_int_equal(h.port, 0x1234);
	assert_string_equal(ip_format(&h.to, text), "2001:db8::1");
	/* A later fragment: of what protocol, but no port. */
	assert_int_equal(decode(ETH_P_IPV6,
				 "6000000000182c40"
				 "fe800000000000000000000000000007"
				 "20010db8000000000000000000000001"
				 "1100001000000001"
				 "00091234",
				 &h),
		0);
	assert_int_equal(h.protocol, IPPROTO_UDP);
	assert_int_equal(h.port, 0);
	/* An extension longer than the packet. */
	assert_int_equal(decode(ETH_P_IPV6,
				 "6000000000180040"
				 "fe800000000000000000000000000007"
				 "20010db8000000000000000000000001"
				 "11ff000000000000"
				 "00091234",
				 &h),
		0);
	assert_int_equal(h.port, 0);
	/* Who has fd00:50::12? */
	assert_int_equal(decode(ETH_P_IPV6,
				 "6000000000183aff"
				 "fe800000000000000000000000000007"
				 "ff0200000000000000000001ff000012"
				 "8700000000000000"
				 "fd000050000000000000000000000012",
				 &h),
		0);
	assert_string_equal(ip_format(&h.to, text), "fd00:50::12");
}

static void heads_of_arp(void **state)
{
	static const char question[] =
		"00010800060400010200000000070a000007000000000000c0000201";
	struct packet_head h;
	char text[IP_TEXT];

	(void)state;
	assert_int_equal(decode(ETH_P_ARP, question, &h), 0);
	assert_string_equal(ip_format(&h.to, text), "192.0.2.1");
	assert_int_equal(h.protocol, PACKET_ARP);
	assert_int_equal(decode(ETH_P_ARP, question + 2, &h), -EBADMSG);
	assert_int_equal(decode(0x88cc, "", &h), 0);
	assert_int_equal(h.to.family, 0);
}

static void feed(struct tries *tries, uint8_t last, const char *prefix,
	uint32_t seq, uint16_t port)
{
	struct nflog_record record = {.counted = true,
		.seq = seq,
		.ethertype = ETH_P_IP,
		.reason = strcmp(prefix, ISOLATION_LOG_DENIED)
				  ? DISCOVERY_REASON_QUARANTINED
				  : DISCOVERY_REASON_DENIED};
	uint8_t packet[28];

	record.mac = (struct mac){{2, 0, 0, 0, last, 1}};
	record.payload = packet;
	record.length = udp4(packet, port);
	tries_add(tries, &record);
}

static void adding_up(void **state)
{
	static struct tries tries;

	(void)state;
	for (uint32_t i = 0; i < 9; i++)
		feed(&tries, 1, ISOLATION_LOG_DENIED, i, 23);
	for (uint16_t port = 100; port < 110; port++)
		feed(&tries, 1, ISOLATION_LOG_DENIED, 9u + port - 100, port);
	assert_int_equal(tries.n, 1);
	assert_int_equal(tries.devices[0].records, 19);
	assert_int_equal(tries.devices[0].n_targets, DISCOVERY_TARGETS);
	assert_int_equal(tries.devices[0].targets[0].records, 9);
	assert_int_equal(tries.devices[0].others, 7);
	assert_true(tries_any(&tries));
	assert_int_equal(tries.lost.overrun, 0);
	tries_clear(&tries);
	assert_false(tries_any(&tries));
	/* Seven did not come; over the end of the numbers as well. */
	feed(&tries, 1, ISOLATION_LOG_DENIED, 26, 23);
	assert_int_equal(tries.lost.overrun, 7);
	tries_recount(&tries);
	feed(&tries, 1, ISOLATION_LOG_DENIED, UINT32_MAX, 23);
	feed(&tries, 1, ISOLATION_LOG_DENIED, 1, 23);
	assert_int_equal(tries.lost.overrun, 8);
	tries_clear(&tries);
}

static void more_than_fits(void **state)
{
	static struct tries tries;
	const uint8_t rubbish[40] = {9};

	(void)state;
	for (unsigned i = 0; i < TRIES_DEVICES_MAX; i++)
		feed(&tries, (uint8_t)i, ISOLATION_LOG_DENIED, i, 23);
	assert_int_equal(tries.n, TRIES_DEVICES_MAX);
	feed(&tries, 1, "another", TRIES_DEVICES_MAX, 23);
	assert_int_equal(tries.n, TRIES_DEVICES_MAX);
	assert_int_equal(tries.lost.crowded, 1);
	assert_int_equal(tries.lost.overrun, 0);
	tries_read(&tries, rubbish, sizeof(rubbish));
	assert_int_equal(tries.lost.unread, 1);
}

/* A question that every host asks about itself is no attempt. */
static void probes(void **state)
{
	static struct tries tries;
	struct nflog_record record = {.ethertype = ETH_P_ARP,
		.reason = DISCOVERY_REASON_BRIDGED,
		.mac = {{2, 0, 0, 0, 0, 1}}};
	uint8_t question[28] = {0, 1, 8, 0, 6, 4, 0, 1};

	(void)state;
	record.payload = question;
	record.length = sizeof(question);
	memcpy(question + 24, "\xc0\0\2\1", 4);
	tries_add(&tries, &record);
	assert_int_equal(tries.n, 0);
	memcpy(question + 14, "\xc0\0\2\1", 4);
	tries_add(&tries, &record);
	assert_int_equal(tries.n, 0);
	question[17] = 9;
	tries_add(&tries, &record);
	assert_int_equal(tries.n, 1);
}

static struct discovery_tried sample(void)
{
	struct discovery_tried t = {.mac = {{2, 0, 0, 0, 0, 7}},
		.reason = DISCOVERY_REASON_DENIED,
		.n_targets = 2,
		.records = 6,
		.others = 2};

	t.targets[0] = (struct discovery_target){
		.to = {AF_INET, {192, 0, 2, 1}},
		.port = 23,
		.protocol = 6,
		.records = 3};
	t.targets[1] = (struct discovery_target){.port = 0x88cc, .records = 1};
	return t;
}

static void words(void **state)
{
	struct record_device camera = {
		.id = 1, .name = "camera", .mode = RECORD_MODE_ENFORCE};
	struct discovery_tried t = sample();
	char text[TELL_TEXT];

	(void)state;
	assert_string_equal(tell_text(NULL, &t, text),
		"02:00:00:00:00:07 tried tcp/23 192.0.2.1 (3 times), "
		"ethertype 0x88cc and 2 others: denied");
	camera.denied = 70;
	t.reason = DISCOVERY_REASON_QUARANTINED;
	t.n_targets = 1;
	t.others = 0;
	assert_string_equal(tell_text(&camera, &t, text),
		"camera tried tcp/23 192.0.2.1 (3 times): denied, it is in "
		"quarantine; 70 packets so far");
	camera.mode = RECORD_MODE_OBSERVE;
	assert_non_null(strstr(tell_text(&camera, &t, text), "it passed"));
}

static void what_a_worker_may_say(void **state)
{
	struct discovery_tried t = sample();

	(void)state;
	assert_true(tell_sane(&t));
	t.n_targets = DISCOVERY_TARGETS + 1;
	assert_false(tell_sane(&t));
	t = sample();
	t.n_targets = 0;
	assert_false(tell_sane(&t));
	t = sample();
	t.reason = 0;
	assert_false(tell_sane(&t));
	t = sample();
	t.targets[1].to.family = 77;
	assert_false(tell_sane(&t));
}

/* The record says when, whoever reads the journal. */
static void noted(void **state)
{
	struct record_device d = {
		.id = 3, .mac = {{2, 0, 0, 0, 0, 7}}, .name = "camera"};
	struct discovery_tried t = sample();
	struct state *s;

	(void)state;
	assert_int_equal(state_new(&s), 0);
	assert_int_equal(state_put_device(s, &d), 0);
	clock_set_wall(5000);
	tell_tried(s, &t);
	assert_int_equal(state_device(s, 3)->last_denied, 5000);
	clock_set_wall(-1);
	state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_record),
		cmocka_unit_test(cut_records),
		cmocka_unit_test(foreign_messages),
		cmocka_unit_test(heads_of_packets),
		cmocka_unit_test(heads_of_ipv6),
		cmocka_unit_test(heads_of_arp),
		cmocka_unit_test(adding_up),
		cmocka_unit_test(more_than_fits),
		cmocka_unit_test(probes),
		cmocka_unit_test(words),
		cmocka_unit_test(what_a_worker_may_say),
		cmocka_unit_test(noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
