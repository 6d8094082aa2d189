/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions with real sockets on both sides and a server in a process of its
 * own: bytes and ends both ways, times that are over, requests.
 */
#include <netinet/tcp.h>

#include "tests/unit/proxy_world.h"

static void test_both_ways(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ECHO, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	device_says("hello");
	assert_int_equal(device_hears(text, sizeof(text), 5), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(w.opened, 1);
	shutdown(w.device, SHUT_WR);
	assert_int_equal(device_end(), 0);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
	assert_string_equal(text, "hello");
	assert_int_equal(w.closed, 1);
	assert_int_equal(w.refused, 0);
	assert_string_equal(w.reason, "");
}

/* The device has nothing more to say and still gets its answer. */
static void test_device_ends_first(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ANSWER_AFTER_END, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_TCP, "broker.example", peer.port);
	device_says("question");
	shutdown(w.device, SHUT_WR);
	assert_int_equal(device_hears(text, sizeof(text), 11), 11);
	assert_string_equal(text, "late answer");
	assert_int_equal(device_end(), 0);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
	assert_string_equal(text, "question FIN");
}

/* The server has nothing more to say and is still told things. */
static void test_server_ends_first(void **state)
{
	struct peer peer = peer_start(PEER_ACT_END_FIRST, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_TCP, "broker.example", peer.port);
	assert_int_equal(device_hears(text, sizeof(text), 3), 3);
	assert_int_equal(device_end(), 0);
	assert_false(w.gone);
	device_says("still here");
	for (int i = 0; i < 20; i++)
		loop_turn(w.host.loop, 5);
	assert_false(w.gone);
	device_says(", and gone");
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
	assert_string_equal(text, "still here, and gone");
}

/* What a server did not end properly does not look like an end. */
static void test_server_cuts(void **state)
{
	struct peer peer = peer_start(PEER_ACT_CUT, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_TCP, "broker.example", peer.port);
	assert_int_equal(device_hears(text, sizeof(text), 14), 14);
	assert_string_equal(text, "half an answer");
	assert_int_equal(device_end(), -ECONNRESET);
	world_turn_until(w.gone);
	assert_string_equal(w.reason, "the server cut the connection");
	peer_stop(&peer, text);
}

/* A device that does not read stops the server, not the proxy's memory. */
static void test_back_pressure(void **state)
{
	struct peer peer = peer_start(PEER_ACT_POUR, "good");
	static char text[65536];
	uint64_t held, got = 0;
	ssize_t n;

	(void)state;
	world_begin_known(PROXY_PROTOCOL_TCP, "broker.example", peer.port);
	world_turn_until(w.opened);
	for (int i = 0; i < 200; i++)
		loop_turn(w.host.loop, 2);
	held = w.session->relay.down_bytes;
	assert_true(held < PEER_POUR / 2);
	for (int i = 0; i < 50; i++)
		loop_turn(w.host.loop, 2);
	assert_int_equal(w.session->relay.down_bytes, held);
	while ((n = device_hears(text, sizeof(text), 1)) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			if (text[i] != (char)(got * 7 >> 3))
				fail_msg("byte %llu is wrong",
					(unsigned long long)got);
	assert_int_equal(got, PEER_POUR);
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
}

/*
 * The server's end comes just when the session has done all that it may do
 * in one turn: nobody would wake it for that again.
 */
static void test_end_at_the_turn(void **state)
{
	struct peer peer = peer_start(PEER_ACT_EXACT, "good");
	static char text[2 * PEER_EXACT];

	(void)state;
	assert_int_equal(PEER_EXACT, RELAY_ROUNDS * RELAY_BUFFER);
	world_begin_known(PROXY_PROTOCOL_TCP, "broker.example", peer.port);
	world_turn_until(w.opened);
	usleep(300000); /* all of it waits in the kernel now */
	assert_int_equal(
		device_hears(text, sizeof(text), PEER_EXACT), PEER_EXACT);
	assert_int_equal(device_end(), 0);
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
}

/* The same the other way: a server that does not read stops the device. */
static void test_slow_server(void **state)
{
	struct peer peer = peer_start(PEER_ACT_POUR, "good");
	static char bytes[65536];
	size_t sent = 0, before;
	ssize_t n;

	(void)state;
	world_begin_known(PROXY_PROTOCOL_TCP, "broker.example", peer.port);
	world_turn_until(w.opened);
	do {
		before = sent;
		for (int i = 0; i < 50; i++) {
			n = send(w.device, bytes, sizeof(bytes),
				MSG_DONTWAIT | MSG_NOSIGNAL);
			sent += n > 0 ? (size_t)n : 0;
			loop_turn(w.host.loop, 1);
		}
	} while (sent != before && sent < (256u << 20));
	assert_true(sent < (256u << 20));
	kill(peer.pid, SIGKILL);
	/* what it had said before still arrives; then the reset */
	while (device_hears(bytes, sizeof(bytes), 1) > 0)
		;
	world_turn_until(w.gone);
	peer_stop(&peer, bytes);
}

static void test_silent_server(void **state)
{
	struct peer peer = peer_start(PEER_ACT_SILENT, "good");

	(void)state;
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	device_says(WORLD_SECRET);
	world_turn_until(w.session->state == SESSION_STATE_HANDSHAKE);
	assert_true(
		w.session->timer.due_ms - clock_ms() <= SESSION_HANDSHAKE_MS);
	world_expire();
	world_expect_refusal(&peer, "timed out in the TLS handshake");
}

static void test_nobody_listens(void **state)
{
	struct peer peer = peer_start(PEER_ACT_SILENT, "good");
	char text[PEER_TEXT];

	(void)state;
	kill(peer.pid, SIGKILL);
	peer_stop(&peer, text);
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	world_turn_until(w.gone);
	assert_int_equal(w.refused, 1);
	assert_string_equal(
		w.reason + strlen(w.reason) - 18, "connection refused" + 0);
}

static void test_connect_times_out(void **state)
{
	(void)state;
	world_begin(PROXY_PROTOCOL_MQTT, "broker.example", 9);
	/* nobody answers in the documentation's network */
	assert_int_equal(ip_parse("192.0.2.1", &w.session->target), 0);
	session_know(w.session, 1, "sensor");
	if (w.session->state != SESSION_STATE_CONNECTING)
		skip(); /* no route here */
	world_expire();
	world_turn_until(w.gone);
	assert_non_null(strstr(w.reason, "timed out while connecting"));
}

/* Before the clock is set no date can be judged: nothing is even dialled. */
static void test_clock_not_set(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ECHO, "good");
	char text[PEER_TEXT];

	(void)state;
	clock_set_wall(BUILD_TIME - 1);
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	world_turn_until(w.gone);
	assert_non_null(strstr(w.reason, "the gateway's clock is not set"));
	kill(peer.pid, SIGKILL);
	peer_stop(&peer, text);
}

static void test_unknown_device(void **state)
{
	(void)state;
	world_begin(PROXY_PROTOCOL_MQTT, "broker.example", 1);
	device_says(WORLD_SECRET);
	session_know(w.session, 0, NULL);
	assert_int_equal(w.session->upstream_watch.fd, -1);
	world_turn_until(w.gone);
	assert_int_equal(device_end(), -ECONNRESET);
	assert_string_equal(w.reason, "the gateway does not know this device");
}

static void test_nobody_answers_who(void **state)
{
	(void)state;
	world_begin(PROXY_PROTOCOL_MQTT, "broker.example", 1);
	world_expire();
	world_turn_until(w.gone);
	assert_string_equal(w.reason, "nobody could say which device it is");
}

static void test_no_name(void **state)
{
	(void)state;
	world_begin_known(PROXY_PROTOCOL_TCP, "", 1);
	world_turn_until(w.gone);
	assert_string_equal(w.reason, "no upstream-name says whom to expect");
}

static void test_device_leaves_while_connecting(void **state)
{
	struct peer peer = peer_start(PEER_ACT_SILENT, "good");
	struct linger reset = {1, 0};
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	world_turn_until(w.session->state == SESSION_STATE_HANDSHAKE);
	setsockopt(w.device, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(w.device);
	w.device = -1;
	world_turn_until(w.gone);
	assert_int_equal(w.refused, 0);
	peer_stop(&peer, text);
}

static void test_idle(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ECHO, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	world_turn_until(w.opened);
	world_expire(); /* too early: it goes on */
	assert_int_equal(w.session->state, SESSION_STATE_RELAYING);
	assert_true(w.session->timer.slot != 0);
	w.session->active_ms -= SESSION_IDLE_MS + 1;
	world_expire();
	world_turn_until(w.gone);
	assert_string_equal(w.reason, "nothing was said for too long");
	peer_stop(&peer, text);
}

#define REQUEST(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"

static void test_http_name_from_host(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ECHO, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", peer.port);
	device_says(REQUEST("WWW.example"));
	assert_true(device_hears(text, sizeof(text), 10) >= 10);
	assert_string_equal(w.session->name, "www.example");
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
	assert_string_equal(text, REQUEST("WWW.example"));
}

static void test_http_wrong_host(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ECHO, "good");

	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", peer.port);
	device_says(REQUEST("evil.example"));
	world_expect_refusal(&peer, "its certificate is not for this name");
}

/* The second request is for somebody else: not a byte of it goes on. */
static void test_http_other_host_later(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ECHO, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", peer.port);
	device_says(REQUEST("www.example"));
	assert_true(device_hears(text, sizeof(text), 10) >= 10);
	device_says(REQUEST("broker.example"));
	world_turn_until(w.gone);
	assert_int_equal(w.refused, 1);
	assert_int_equal(w.closed, 1);
	assert_non_null(strstr(w.reason, "is for another host"));
	peer_stop(&peer, text);
	assert_string_equal(text, REQUEST("www.example"));
}

static void test_http_bad_head(void **state)
{
	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", 1);
	device_says("GET / HTTP/1.1\r\n\r\n");
	world_turn_until(w.gone);
	assert_string_equal(w.reason, "the request has no Host header");
	assert_int_equal(device_end(), -ECONNRESET);
}

static void test_http_slow_head(void **state)
{
	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", 1);
	device_says("GET / HTTP/1.1\r\nHost: www.exa");
	for (int i = 0; i < 10; i++)
		loop_turn(w.host.loop, 2);
	assert_int_equal(w.session->state, SESSION_STATE_HEAD);
	assert_true(w.session->timer.due_ms - clock_ms() <= SESSION_HEAD_MS);
	world_expire();
	world_turn_until(w.gone);
	assert_string_equal(
		w.reason, "the device sent no whole request in time");
}

static void test_http_websocket(void **state)
{
	struct peer peer = peer_start(PEER_ACT_SWITCH, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", peer.port);
	device_says("GET / HTTP/1.1\r\nHost: www.example\r\n"
		    "Upgrade: websocket\r\n\r\n\x81\x02hi");
	assert_int_equal(device_hears(text, sizeof(text), 40), 40);
	assert_memory_equal(text + 36, "\x81\x02hi", 4);
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	assert_int_equal(w.refused, 0);
	peer_stop(&peer, text);
}

/* Seconds until the kernel gives up a peer that is silently gone. */
static int patience(int fd)
{
	int idle = 0, every = 0, count = 0, on = 0;
	socklen_t size = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size);
	getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size);
	getsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, &size);
	getsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, &size);
	assert_int_equal(on, 1);
	return idle + every * count;
}

static void test_gone_silently(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ECHO, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_TCP, "broker.example", peer.port);
	world_turn_until(w.opened);
	assert_int_equal(patience(w.session->device_watch.fd), 240);
	assert_int_equal(patience(w.session->upstream_watch.fd), 240);
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
}

#define SWITCH_PLEASE                             \
	"GET / HTTP/1.1\r\nHost: www.example\r\n" \
	"Upgrade: websocket\r\n\r\n"

/* The device gives up before the server says whether it switches. */
static void test_http_switch_given_up(void **state)
{
	struct peer peer = peer_start(PEER_ACT_ANSWER_AFTER_END, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", peer.port);
	device_says(SWITCH_PLEASE);
	world_turn_until(w.opened);
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
	assert_string_equal(text, SWITCH_PLEASE " FIN");
}

/* The server ends without ever saying it. */
static void test_http_switch_unanswered(void **state)
{
	struct peer peer = peer_start(PEER_ACT_END_FIRST, "good");
	char text[PEER_TEXT];

	(void)state;
	world_begin_known(PROXY_PROTOCOL_HTTP, "", peer.port);
	device_says(SWITCH_PLEASE);
	assert_int_equal(device_hears(text, sizeof(text), 3), 3);
	assert_int_equal(device_end(), 0);
	shutdown(w.device, SHUT_WR);
	world_turn_until(w.gone);
	peer_stop(&peer, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_both_ways),
		WORLD_TEST(test_device_ends_first),
		WORLD_TEST(test_server_ends_first),
		WORLD_TEST(test_server_cuts),
		WORLD_TEST(test_back_pressure),
		WORLD_TEST(test_end_at_the_turn),
		WORLD_TEST(test_slow_server),
		WORLD_TEST(test_silent_server),
		WORLD_TEST(test_nobody_listens),
		WORLD_TEST(test_connect_times_out),
		WORLD_TEST(test_clock_not_set),
		WORLD_TEST(test_unknown_device),
		WORLD_TEST(test_nobody_answers_who),
		WORLD_TEST(test_no_name),
		WORLD_TEST(test_device_leaves_while_connecting),
		WORLD_TEST(test_idle),
		WORLD_TEST(test_http_name_from_host),
		WORLD_TEST(test_http_wrong_host),
		WORLD_TEST(test_http_other_host_later),
		WORLD_TEST(test_http_bad_head),
		WORLD_TEST(test_http_slow_head),
		WORLD_TEST(test_http_websocket),
		WORLD_TEST(test_gone_silently),
		WORLD_TEST(test_http_switch_given_up),
		WORLD_TEST(test_http_switch_unanswered),
	};

	return cmocka_run_group_tests_name(
		"session", tests, world_group_setup, world_group_teardown);
}
