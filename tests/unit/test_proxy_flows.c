/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All sessions together: limits, who may come in, and what a change of the
 * configuration does to sessions that live. Nothing here gets as far as TLS.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/lib/log.h"
#include "modules/proxy/flows.h"
#include "modules/proxy/origin.h"

#define CLIENTS_MAX (FLOWS_MAX + 64)

static struct fixture {
	struct loop *loop;
	struct flows flows;
	struct flows_ops ops;
	uint16_t port; /* of the listening socket */
	int listener;
	int clients[CLIENTS_MAX];
	size_t n_clients;
	int origin_says;
	unsigned asked, refused, closed;
	struct proxy_who who; /* the last question */
	struct proxy_flow told; /* the last report */
} f;

static void ask(void *arg, const struct proxy_who *who)
{
	(void)arg;
	f.asked++;
	f.who = *who;
}

static void tell(void *arg, const struct proxy_flow *flow)
{
	(void)arg;
	f.refused += flow->outcome == PROXY_OUTCOME_REFUSED;
	f.closed += flow->outcome == PROXY_OUTCOME_CLOSED;
	f.told = *flow;
}

static int find_origin(int fd, struct ip *ret_ip, uint16_t *ret_port)
{
	(void)fd;
	*ret_port = 1883;
	if (f.origin_says == 0)
		return ip_parse("192.0.2.1", ret_ip);
	return f.origin_says;
}

static int listen_local(uint16_t *ret_port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t size = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, size), 0);
	assert_int_equal(listen(fd, 1024), 0);
	getsockname(fd, (struct sockaddr *)&sa, &size);
	*ret_port = ntohs(sa.sin_port);
	return fd;
}

static struct proxy_upgrade make_upgrade(uint16_t index, const char *name)
{
	struct proxy_upgrade u = {.index = index,
		.port = 80,
		.upstream_port = 443,
		.protocol = PROXY_PROTOCOL_HTTP};

	snprintf(u.name, sizeof(u.name), "%s", name);
	return u;
}

static struct proxy_device make_device(uint32_t id, uint64_t upgrades)
{
	struct proxy_device d = {.id = id, .upgrades = upgrades};

	snprintf(d.name, sizeof(d.name), "device%u", id);
	return d;
}

/* The upgrade "web" at place index, for devices 1 to n. */
static struct wanted *make_wanted(uint16_t index, uint32_t n, uint64_t uses)
{
	struct proxy_listener listener = {0};
	struct wanted *wanted;
	uint16_t unused;

	assert_int_equal(wanted_new(&wanted), 0);
	for (uint16_t i = 0; i <= index; i++) {
		struct proxy_upgrade u = make_upgrade(
			i, i == index ? "web" : "other");

		assert_int_equal(wanted_add_upgrade(wanted, &u), 0);
		listener.upgrade = index - i;
		assert_int_equal(
			wanted_add_listener(wanted, &listener,
				i ? listen_local(&unused) : dup(f.listener)),
			0);
	}
	for (uint32_t id = n; id > 0; id--) {
		struct proxy_device d = make_device(id, uses);

		assert_int_equal(wanted_add_device(wanted, &d), 0);
	}
	/* nobody to trust: fine as long as nothing is connected */
	assert_int_equal(wanted_close(wanted), -ENOENT);
	return wanted;
}

static int setup(void **state)
{
	struct rlimit limit;

	(void)state;
	log_open("test", LOG_LEVEL_ERROR);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	memset(&f, 0, sizeof(f));
	f.ops = (struct flows_ops){
		.ask = ask, .tell = tell, .origin = find_origin};
	assert_int_equal(loop_new(&f.loop), 0);
	flows_init(&f.flows, f.loop, &f.ops);
	f.listener = listen_local(&f.port);
	return flows_apply(&f.flows, make_wanted(0, 20, 1));
}

static int teardown(void **state)
{
	(void)state;
	flows_clear(&f.flows);
	loop_free(f.loop);
	close(f.listener);
	for (size_t i = 0; i < f.n_clients; i++)
		close(f.clients[i]);
	return 0;
}

static void turn(void)
{
	for (int i = 0; i < 8; i++)
		loop_turn(f.loop, 0);
}

/* A device with the address 127.0.0.N connects. */
static int dial(unsigned number)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + number)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons(f.port);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	f.clients[f.n_clients++] = fd;
	turn();
	return fd;
}

static bool is_cut(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

/* The last question is answered. */
static void answer(uint32_t device)
{
	struct proxy_who is = f.who;

	is.device = device;
	flows_know(&f.flows, &is);
	turn();
}

static void test_asks_and_knows(void **state)
{
	int fd = dial(7);
	struct ip expected;

	(void)state;
	assert_int_equal(ip_parse("127.0.0.7", &expected), 0);
	assert_int_equal(f.asked, 1);
	assert_true(ip_equal(&f.who.ip, &expected));
	answer(3);
	assert_false(is_cut(fd));
	assert_int_equal(f.flows.count, 1);
	assert_int_equal(f.refused, 0);
}

static void test_unknown(void **state)
{
	int fd = dial(1);

	(void)state;
	answer(0);
	assert_true(is_cut(fd));
	assert_string_equal(
		f.told.reason, "the gateway does not know this device");
	fd = dial(1);
	answer(99); /* isolation knows it, we do not */
	assert_true(is_cut(fd));
	assert_int_equal(f.flows.count, 0);
}

static void test_wrong_cookie(void **state)
{
	int fd = dial(1);

	(void)state;
	f.who.cookie += 7;
	answer(1);
	assert_false(is_cut(fd));
	assert_int_equal(f.refused, 0);
}

static void test_device_without_the_upgrade(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(flows_apply(&f.flows, make_wanted(0, 1, 2)), 0);
	fd = dial(1);
	answer(1);
	assert_true(is_cut(fd));
	assert_string_equal(
		f.told.reason, "this device does not use this upgrade");
}

static void test_not_redirected(void **state)
{
	int fd;

	(void)state;
	f.origin_says = -ENOENT;
	fd = dial(1);
	assert_true(is_cut(fd));
	f.origin_says = -EADDRNOTAVAIL;
	fd = dial(1);
	assert_true(is_cut(fd));
	assert_int_equal(f.asked, 0);
	assert_int_equal(f.flows.count, 0);
}

static void test_limit_of_an_address(void **state)
{
	int fd;

	(void)state;
	for (unsigned i = 0; i < FLOWS_PER_DEVICE; i++)
		assert_false(is_cut(dial(1)));
	fd = dial(1);
	assert_true(is_cut(fd));
	assert_false(is_cut(dial(2)));
	answer(0); /* the other one leaves: that makes no room here */
	assert_int_equal(f.flows.count, FLOWS_PER_DEVICE);
	assert_true(is_cut(dial(1)));
}

/* Many addresses of one device count together. */
static void test_limit_of_a_device(void **state)
{
	int fd = -1;

	(void)state;
	for (unsigned i = 0; i < FLOWS_PER_DEVICE; i++) {
		fd = dial(1 + i);
		answer(5);
		assert_false(is_cut(fd));
	}
	fd = dial(100);
	answer(5);
	assert_true(is_cut(fd));
	assert_string_equal(
		f.told.reason, "the device has too many connections");
	fd = dial(100);
	answer(6);
	assert_false(is_cut(fd));
}

static void test_limit_of_all(void **state)
{
	int fd;

	(void)state;
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		assert_false(is_cut(dial(1 + i % 100)));
	fd = dial(101);
	assert_true(is_cut(fd));
	assert_int_equal(f.flows.count, FLOWS_MAX);
}

/* Under whatever number its upgrade comes back. */
static void test_reload_keeps(void **state)
{
	int fd = dial(1), waiting = dial(2);

	(void)state;
	answer(1); /* the last question was of the second */
	assert_int_equal(flows_apply(&f.flows, make_wanted(3, 20, 8)), 0);
	turn();
	assert_false(is_cut(fd));
	assert_false(is_cut(waiting));
	assert_int_equal(f.flows.count, 2);
	assert_false(is_cut(dial(3)));
	assert_int_equal(f.asked, 3);
}

static void test_reload_cuts(void **state)
{
	int fd = dial(1);

	(void)state;
	answer(1);
	assert_int_equal(flows_apply(&f.flows, make_wanted(0, 20, 2)), 0);
	turn();
	assert_true(is_cut(fd)); /* its device does not use it any more */
	fd = dial(1);
	assert_int_equal(flows_apply(&f.flows, make_wanted(0, 20, 1)), 0);
	answer(20);
	assert_int_equal(flows_apply(&f.flows, make_wanted(0, 19, 1)), 0);
	turn();
	assert_true(is_cut(fd)); /* its device is gone */
	assert_int_equal(f.flows.count, 0);
	assert_int_equal(f.refused, 0);
}

static void test_reload_cuts_a_changed_upgrade(void **state)
{
	int fd = dial(1);
	struct wanted *wanted = make_wanted(0, 20, 1);

	(void)state;
	answer(1);
	wanted->upgrades[0].upstream_port++;
	assert_int_equal(flows_apply(&f.flows, wanted), 0);
	turn();
	assert_true(is_cut(fd));
}

/* A real socket that nobody redirected. */
static void test_origin_of_a_direct_connection(void **state)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct ip target;
	uint16_t port;
	int client = socket(AF_INET, SOCK_STREAM, 0), fd;

	(void)state;
	f.flows.ops = &f.ops;
	sa.sin_port = htons(f.port);
	assert_int_equal(
		connect(client, (struct sockaddr *)&sa, sizeof(sa)), 0);
	fd = accept(f.listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(origin_find(fd, &target, &port), -ENOENT);
	close(fd);
	close(client);
}

static void test_remote_addresses(void **state)
{
	static const struct {
		const char *ip;
		bool remote;
	} cases[] = {
		{"203.0.113.1", true},
		{"10.0.0.1", true},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"127.0.0.1", false},
		{"127.255.0.1", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"2001:db8::1", true},
		{"fd00::1", true},
		{"::", false},
		{"::1", false},
		{"::192.0.2.1", false},
		{"fe80::1", false},
		{"febf::1", false},
		{"ff02::1", false},
	};
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(ip_parse(cases[i].ip, &ip), 0);
		assert_int_equal(origin_is_remote(&ip), cases[i].remote);
	}
}

static void test_every_upgrade_listens(void **state)
{
	struct proxy_listener listener = {.upgrade = 1};
	struct proxy_upgrade u = make_upgrade(0, "first");
	struct wanted *wanted;

	(void)state;
	assert_int_equal(wanted_new(&wanted), 0);
	assert_int_equal(wanted_close(wanted), 0); /* nothing: fine */
	assert_int_equal(wanted_add_upgrade(wanted, &u), 0);
	u = make_upgrade(1, "second");
	assert_int_equal(wanted_add_upgrade(wanted, &u), 0);
	assert_int_equal(
		wanted_add_listener(wanted, &listener, dup(f.listener)), 0);
	assert_int_equal(wanted_close(wanted), -EADDRINUSE);
	assert_string_equal(wanted_deaf(wanted), "first");
	listener.upgrade = 0;
	assert_int_equal(
		wanted_add_listener(wanted, &listener, dup(f.listener)), 0);
	assert_int_equal(
		wanted_close(wanted), -ENOENT); /* but whom to trust? */
	listener.upgrade = 2;
	assert_int_equal(
		wanted_add_listener(wanted, &listener, dup(f.listener)), 0);
	assert_int_equal(wanted_close(wanted), -EPROTO);
	wanted_free(wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_upgrade_listens),
		TEST(test_asks_and_knows),
		TEST(test_unknown),
		TEST(test_wrong_cookie),
		TEST(test_device_without_the_upgrade),
		TEST(test_not_redirected),
		TEST(test_limit_of_an_address),
		TEST(test_limit_of_a_device),
		TEST(test_limit_of_all),
		TEST(test_reload_keeps),
		TEST(test_reload_cuts),
		TEST(test_reload_cuts_a_changed_upgrade),
		TEST(test_origin_of_a_direct_connection),
		cmocka_unit_test(test_remote_addresses),
	};

	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
