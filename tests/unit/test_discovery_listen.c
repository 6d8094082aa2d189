/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is heard is told once, after its device, and never faster than its
 * pace; what a worker says to the agent has to be clean.
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
#include <sys/socket.h>

#include "modules/discovery/listen.h"
#include "tests/unit/packet_maker.h"

static const struct mac own = {{2, 0, 0, 0, 0, 1}};
static const struct mac other = {{2, 0, 0, 0, 0, 2}};

static void test_news(void **state)
{
	static struct news news;
	int64_t now = 1000;

	(void)state;
	news.secret = 42;
	assert_true(news_is_new(&news, &own, 3, "a", now));
	assert_false(news_is_new(&news, &own, 3, "a", now + 1));
	assert_true(news_is_new(&news, &own, 3, "b", now));
	assert_true(news_is_new(&news, &own, 4, "a", now));
	assert_true(news_is_new(&news, &other, 3, "a", now));
	assert_false(news_is_new(&news, &own, 3, "a", now + NEWS_AGAIN_MS - 1));
	assert_true(news_is_new(&news, &own, 3, "a", now + NEWS_AGAIN_MS));
}

/* Who invents values gets its pace, and takes nothing from others. */
static void test_flood(void **state)
{
	static struct news news;
	char value[16];
	int told = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(value, sizeof(value), "%d", i);
		told += news_is_new(&news, &own, 3, value, 1000 + i / 10);
	}
	assert_in_range(told, PACE_BURST, PACE_BURST + PACE_RATE + 1);
	assert_int_equal(news.paced, 10000 - told);
	assert_true(news_is_new(&news, &other, 3, "a", 2000));
	/* What was too much is new the next time. */
	assert_true(news_is_new(&news, &own, 3, "9999", 60000));
}

static struct loop *loop;
static struct listen listen_;
static struct discovery_evidence last;
static int told;

static void on_told(const struct discovery_evidence *evidence)
{
	last = *evidence;
	told++;
}

static void send_name(int fd, const char *name)
{
	struct maker m = {.used = 0};
	size_t begin;

	make_ethernet(&m, ETH_P_IP);
	begin = make_udp(&m, false, 68, 67);
	make_dhcp4(&m);
	make_option(&m, 12, name);
	make_end(&m, begin);
	assert_int_equal(send(fd, m.bytes, m.used, 0), m.used);
}

static void turn(void)
{
	for (int i = 0; i < 20; i++)
		assert_true(loop_turn(loop, 0) >= 0);
}

static void test_ears(void **state)
{
	struct discovery_ear about = {.place = 0};
	char name[16];
	int a[2], b[2];

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	listen_init(&listen_, loop, 7, on_told);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, b), 0);
	assert_int_equal(listen_add(&listen_, &about, a[0]), 0);
	send_name(a[1], "bulb");
	send_name(a[1], "bulb");
	assert_int_equal(send(a[1], "noise", 5, 0), 5);
	turn();
	/* It waits for its device to be told of. */
	assert_int_equal(told, 0);
	assert_int_equal(listen_.n_held, 1);
	listen_.held[listen_.first].due_ms = 0;
	listen_.timer.fired(&listen_.timer);
	assert_int_equal(told, 1);
	assert_string_equal(last.value, "bulb");
	assert_int_equal(last.kind, DISCOVERY_EVIDENCE_DHCP_HOSTNAME);
	assert_memory_equal(&last.mac, &own, sizeof(own));
	/* Another socket takes its place; the old one is closed. */
	assert_int_equal(listen_add(&listen_, &about, b[0]), 0);
	assert_true(send(a[1], "x", 1, MSG_NOSIGNAL) < 0);
	send_name(b[1], "plug");
	turn();
	assert_int_equal(listen_.n_held, 1);
	/* More than is held is told at once, in its order. */
	for (int i = 0; i < LISTEN_HELD_MAX; i++) {
		struct mac mac = {{2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i}};

		snprintf(name, sizeof(name), "%d", i);
		listen_.gather.tell(&listen_, &mac, 4, name);
	}
	assert_int_equal(listen_.n_held, LISTEN_HELD_MAX);
	assert_int_equal(told, 2);
	assert_string_equal(last.value, "plug");
	about.place = DISCOVERY_EARS_MAX;
	assert_int_equal(listen_add(&listen_, &about, dup(b[1])), -EPROTO);
	listen_clear(&listen_);
	assert_true(send(b[1], "x", 1, MSG_NOSIGNAL) < 0);
	loop_stop_timer(loop, &listen_.timer);
	loop_free(loop);
	close(a[1]);
	close(b[1]);
}

static void test_clean(void **state)
{
	(void)state;
	assert_true(evidence_is_clean("K\xc3\xbc"
				      "che \\x1b[2J"));
	assert_false(evidence_is_clean("\x1b[2J"));
	assert_false(evidence_is_clean("a\nb"));
	assert_false(evidence_is_clean("\xe2\x80\xae"));
	assert_false(evidence_is_clean("\xc2\x9b"));
	assert_false(evidence_is_clean("\xff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_ears),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
