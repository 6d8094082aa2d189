/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which interfaces lead outside: default routes, and what is no tunnel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/kernel/routes.h"
#include "modules/isolation/uplinks.h"

static char bytes[1024] __attribute__((aligned(8)));

static struct nlmsghdr *route(uint8_t family, uint8_t length, int32_t index)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct rtmsg *head;

	m->nlmsg_type = RTM_NEWROUTE;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->rtm_family = family;
	head->rtm_dst_len = length;
	head->rtm_table = RT_TABLE_MAIN;
	head->rtm_type = RTN_UNICAST;
	if (index)
		mnl_attr_put_u32(m, RTA_OIF, (uint32_t)index);
	return m;
}

static struct rtmsg *head_of(struct nlmsghdr *m)
{
	return mnl_nlmsg_get_payload(m);
}

static void test_routes(void **state)
{
	struct routes_found found = {.n = 0};
	struct nlmsghdr *m;
	struct rtnexthop ways[2] = {
		{sizeof(ways[0]), 0, 0, 5}, {sizeof(ways[0]), 0, 0, 6}};

	(void)state;
	assert_true(routes_take(route(AF_INET, 0, 3), &found));
	assert_true(routes_take(route(AF_INET6, 0, 3), &found));
	assert_int_equal(found.n, 1);
	assert_true(routes_take(route(AF_INET6, 0, 4), &found));
	m = route(AF_INET, 0, 0);
	mnl_attr_put(m, RTA_MULTIPATH, sizeof(ways), ways);
	assert_true(routes_take(m, &found));
	assert_int_equal(found.n, 4);
	assert_int_equal(found.index[3], 6);
	/* A way that says it is longer than all of them. */
	ways[1].rtnh_len = 400;
	ways[1].rtnh_ifindex = 9;
	m = route(AF_INET, 0, 0);
	mnl_attr_put(m, RTA_MULTIPATH, sizeof(ways), ways);
	assert_true(routes_take(m, &found));
	assert_int_equal(found.n, 4);
	/* Half of the world, another table, what is no way, others. */
	assert_false(routes_take(route(AF_INET, 1, 7), &found));
	m = route(AF_INET, 0, 7);
	head_of(m)->rtm_table = 100;
	assert_false(routes_take(m, &found));
	m = route(AF_INET, 0, 7);
	head_of(m)->rtm_type = RTN_UNREACHABLE;
	assert_false(routes_take(m, &found));
	m = route(AF_INET6, 0, 7);
	head_of(m)->rtm_src_len = 64;
	assert_false(routes_take(m, &found));
	assert_false(routes_take(route(AF_MPLS, 0, 7), &found));
	m = route(AF_INET, 0, 7);
	m->nlmsg_type = RTM_NEWADDR;
	assert_false(routes_take(m, &found));
	assert_int_equal(found.n, 4);
	for (int32_t i = 1; i < 2 * ROUTES_MAX; i++)
		assert_true(routes_take(route(AF_INET, 0, i), &found));
	assert_int_equal(found.n, ROUTES_MAX);
}

static void test_kinds(void **state)
{
	static const char *const tunnels[] = {"tun", "wireguard", "ipip", "sit",
		"gre", "ip6tnl", "vti", "xfrm", "vxlan", "ovpn", "geneve"};
	static const char *const real[] = {
		"vlan", "bridge", "bond", "veth", "macvlan", "dsa", "wwan"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++)
		assert_int_equal(
			uplinks_kind(tunnels[i], false), UPLINKS_TUNNEL);
	for (size_t i = 0; i < ARRAY_SIZE(real); i++)
		assert_int_equal(uplinks_kind(real[i], false), UPLINKS_REAL);
	assert_int_equal(uplinks_kind("ppp", true), UPLINKS_DIALLED);
	/* A card, a modem; and what nobody has heard of. */
	assert_int_equal(uplinks_kind(NULL, false), UPLINKS_REAL);
	assert_int_equal(uplinks_kind(NULL, true), UPLINKS_REAL);
	assert_int_equal(uplinks_kind("wwan", true), UPLINKS_REAL);
	assert_int_equal(uplinks_kind("newvpn", true), UPLINKS_TUNNEL);
}

static void find(struct topology *t, const struct policy *policy,
	struct topology_fact *facts, size_t n, const char *wanted)
{
	int32_t indexes[TOPOLOGY_UPLINKS_MAX + 8];
	char text[512] = "";

	for (size_t i = 0; i < n; i++)
		facts[i].index = indexes[i] = (int32_t)(n - i);
	uplinks_find(t, policy, facts, n, indexes, n);
	for (size_t i = 0; i < t->n_uplinks && i < 4; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"%s ", t->uplinks[i]);
	assert_string_equal(text, wanted);
}

static void test_found(void **state)
{
	static const struct isolation_zone lan = {
		"lan0", ISOLATION_ROLE_OWNER, RECORD_MODE_ENFORCE, 1};
	struct topology_fact facts[] = {
		{.name = "ppp0", .kind = UPLINKS_DIALLED},
		{.name = "wan1"},
		{.name = "wan0"},
		{.name = "lan0"},
		{.name = "lo", .loopback = true},
		{.name = "port", .bridged = true},
		{.name = "wg0", .kind = UPLINKS_TUNNEL},
	};
	struct topology_fact many[TOPOLOGY_UPLINKS_MAX + 4] = {0};
	struct policy p = {0};
	struct topology t = {0};
	char reason[POLICY_REASON] = "";

	(void)state;
	assert_int_equal(policy_add_zone(&p, &lan), 0);
	assert_int_equal(policy_seal(&p, reason), 0);
	find(&t, &p, facts, ARRAY_SIZE(facts), "wan0 wan1 ");
	/* It was dialled through one of those, perhaps. */
	find(&t, &p, facts, 2, "wan1 ");
	find(&t, &p, facts, 1, "ppp0 ");
	find(&t, &p, facts + 3, 4, "");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		snprintf(many[i].name, sizeof(many[i].name), "w%02zu", i);
	find(&t, &p, many, ARRAY_SIZE(many), "w00 w01 w02 w03 ");
	assert_int_equal(t.n_uplinks, TOPOLOGY_UPLINKS_MAX);
	policy_free(&p);
}

static void test_messages(void **state)
{
	static const struct isolation_outside good = {RECORD_MODE_ENFORCE},
					      bad[] = {{0}, {9},
						      {RECORD_MODE_OBSERVE,
							      {1}}};
	struct policy p = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(policy_add_outside(&p, &bad[i]), -EINVAL);
	assert_int_equal(policy_add_outside(&p, &good), 0);
	assert_int_equal(policy_add_outside(&p, &good), -ENOSPC);
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
