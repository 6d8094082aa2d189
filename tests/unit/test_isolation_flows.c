/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which live connections a policy allows, and reading them off netlink. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "modules/isolation/kernel/flows.h"

static struct policy policy;

static void add_line(uint32_t device, uint8_t protocol, uint16_t first,
	uint16_t last, const char *to)
{
	struct isolation_allow a = {.device = device,
		.protocol = protocol,
		.first = first,
		.last = last};

	if (to)
		assert_int_equal(ip_parse_prefix(to, &a.to, &a.length), 0);
	assert_int_equal(policy_add_allow(&policy, &a), 0);
}

static int set_up(void **state)
{
	struct isolation_address server = {0};
	char reason[POLICY_REASON];

	(void)state;
	for (uint32_t id = 1; id <= 4; id++) {
		struct isolation_device d = {
			.id = id, .mac = {{2, 0, 0, 0, 0, (uint8_t)id}}};

		assert_int_equal(policy_add_device(&policy, &d), 0);
	}
	add_line(2, IPPROTO_TCP, 443, 443, "203.0.113.10");
	add_line(2, IPPROTO_UDP, 5000, 5010, "198.51.100.0/25");
	add_line(2, IPPROTO_ICMP, 0, 65535, "2001:db8::/33");
	add_line(3, 0, 0, 65535, "10.0.0.0/8");
	add_line(4, 0, 0, 65535, NULL);
	assert_int_equal(ip_parse("192.0.2.53", &server.ip), 0);
	assert_int_equal(policy_add_name_server(&policy, &server), 0);
	assert_int_equal(policy_seal(&policy, reason), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	policy_free(&policy);
	return 0;
}

static void test_allowed(void **state)
{
	static const struct {
		uint32_t device;
		uint8_t protocol;
		uint16_t port;
		const char *to;
		bool allowed;
	} flows[] = {
		{2, IPPROTO_TCP, 443, "203.0.113.10", true},
		{2, IPPROTO_TCP, 443, "203.0.113.11", false},
		{2, IPPROTO_TCP, 444, "203.0.113.10", false},
		{2, IPPROTO_UDP, 443, "203.0.113.10", false},
		{1, IPPROTO_TCP, 443, "203.0.113.10", false},
		{3, IPPROTO_TCP, 443, "203.0.113.10", false},
		{9, IPPROTO_TCP, 443, "203.0.113.10", false},
		{2, IPPROTO_UDP, 5000, "198.51.100.127", true},
		{2, IPPROTO_UDP, 5010, "198.51.100.0", true},
		{2, IPPROTO_UDP, 5011, "198.51.100.0", false},
		{2, IPPROTO_UDP, 4999, "198.51.100.0", false},
		{2, IPPROTO_UDP, 5005, "198.51.100.128", false},
		{2, IPPROTO_ICMPV6, 0, "2001:db8::1", true},
		{2, IPPROTO_ICMPV6, 0, "2001:db8:8000::1", false},
		{2, IPPROTO_ICMP, 0, "203.0.113.10", false},
		{3, IPPROTO_ICMP, 0, "10.255.0.1", true},
		{3, 47, 0, "10.255.0.1", true},
		{3, 47, 0, "11.255.0.1", false},
		{4, IPPROTO_TCP, 1, "2001:db8::1", true},
		/* Port 53 is the name servers', whatever the lines say. */
		{4, IPPROTO_TCP, 53, "2001:db8::1", false},
		{4, IPPROTO_UDP, 53, "10.0.0.1", false},
		{1, IPPROTO_UDP, 53, "192.0.2.53", true},
		{1, IPPROTO_TCP, 53, "192.0.2.53", true},
		{1, IPPROTO_TCP, 54, "192.0.2.53", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		struct flow flow = {
			.protocol = flows[i].protocol, .port = flows[i].port};

		assert_int_equal(ip_parse(flows[i].to, &flow.to), 0);
		if (flows_allowed(&policy, flows[i].device, &flow) !=
			flows[i].allowed)
			fail_msg("line %zu: device %u, %u/%u %s", i,
				flows[i].device, flows[i].protocol,
				flows[i].port, flows[i].to);
	}
}

static char bytes[1024] __attribute__((aligned(8)));

static struct nlmsghdr *begin(uint8_t family)
{
	struct nlmsghdr *m;
	struct nfgenmsg *head;

	memset(bytes, 0, sizeof(bytes));
	m = mnl_nlmsg_put_header(bytes);
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->nfgen_family = family;
	return m;
}

/* length: of the addresses; right or wrong. */
static struct nlmsghdr *message(uint8_t family, uint16_t length)
{
	static const uint8_t from[20] = {192, 0, 2, 1}, to[20] = {10, 1};
	struct nlmsghdr *m = begin(family);
	bool six = family == AF_INET6;
	struct nlattr *tuple, *part;

	tuple = mnl_attr_nest_start(m, CTA_TUPLE_ORIG);
	part = mnl_attr_nest_start(m, CTA_TUPLE_IP);
	mnl_attr_put(m, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, length, from);
	mnl_attr_put(m, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, length, to);
	mnl_attr_nest_end(m, part);
	part = mnl_attr_nest_start(m, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(m, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(m, CTA_PROTO_DST_PORT, htons(5000));
	mnl_attr_nest_end(m, part);
	mnl_attr_nest_end(m, tuple);
	mnl_attr_put_u32(m, CTA_MARK, htonl(0x00120034));
	return m;
}

static void test_parse(void **state)
{
	struct flow flow;

	(void)state;
	assert_int_equal(flows_parse(message(AF_INET, 4), &flow), 0);
	assert_int_equal(flow.from.family, AF_INET);
	assert_int_equal(flow.from.b[0], 192);
	assert_int_equal(flow.to.b[0], 10);
	assert_int_equal(flow.protocol, IPPROTO_UDP);
	assert_int_equal(flow.port, 5000);
	assert_int_equal(flow.mark, 0x00120034);
	assert_int_equal(flows_parse(message(AF_INET6, 16), &flow), 0);
	assert_int_equal(flow.to.family, AF_INET6);
}

static void test_parse_refuses(void **state)
{
	struct flow flow;

	(void)state;
	assert_int_equal(flows_parse(message(AF_INET, 16), &flow), -EBADMSG);
	assert_int_equal(flows_parse(message(AF_INET6, 4), &flow), -EBADMSG);
	assert_int_equal(flows_parse(message(AF_INET, 3), &flow), -EBADMSG);
	assert_int_equal(flows_parse(message(AF_UNIX, 4), &flow), -EBADMSG);
	assert_int_equal(flows_parse(begin(AF_INET), &flow), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
