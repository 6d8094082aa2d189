/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may be spoken to, and what each refusal is called. Whoever is refused
 * has not seen a byte of what the device said.
 */
#include "tests/unit/proxy_world.h"

static const struct {
	const char *certificate, *name, *reason;
} refusals[] = {
	{"other", "broker.example",
		"its certificate is not for this name but for other.example"},
	{"cnonly", "broker.example",
		"its certificate is not for this name but for nobody"},
	{"good", "evil.example",
		"its certificate is not for this name but for broker.example, "
		"www.example, *.wild.example"},
	{"good", "a.b.wild.example", "its certificate is not for this name"},
	{"good", "127.0.0.1", "its certificate is not for this name"},
	{"address", "127.0.0.1",
		"its certificate is not for this name but for 192.0.2.80, "
		"2001:db8:2::80"},
	{"thief", "broker.example",
		"its certificate is not for this name but for "
		"a-rather-long-name-of-one-of-many-1.shop.example, ..."},
	{"expired", "broker.example", "its certificate has expired"},
	{"future", "broker.example", "its certificate is not yet valid"},
	{"self", "broker.example", "its certificate is self-signed"},
	{"rogue", "broker.example",
		"its certificate comes from an untrusted authority"},
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct peer peer = peer_start(
			PEER_ACT_ECHO, refusals[i].certificate);

		world_begin_known(
			PROXY_PROTOCOL_MQTT, refusals[i].name, peer.port);
		device_says(WORLD_SECRET);
		world_turn_until(w.gone);
		if (!strstr(w.reason, refusals[i].reason))
			print_error(
				"%s: %s\n", refusals[i].certificate, w.reason);
		world_expect_refusal(&peer, refusals[i].reason);
		world_teardown(state);
		world_setup(state);
	}
}

static void test_good_names(void **state)
{
	static const struct {
		const char *certificate, *name;
	} good[] = {
		{"good", "broker.example"},
		{"good", "WWW.example"},
		{"good", "a.wild.example"},
		{"chain", "broker.example"},
		{"large", "broker.example"},
		{"address", "192.0.2.80"},
		{"address", "2001:db8:2::80"},
	};
	char text[PEER_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct peer peer = peer_start(
			PEER_ACT_ECHO, good[i].certificate);

		world_begin_known(PROXY_PROTOCOL_MQTT, good[i].name, peer.port);
		device_says("x");
		assert_int_equal(device_hears(text, sizeof(text), 1), 1);
		shutdown(w.device, SHUT_WR);
		world_turn_until(w.gone);
		peer_stop(&peer, text);
		world_teardown(state);
		world_setup(state);
	}
}

static void test_not_tls(void **state)
{
	struct peer peer = peer_start(PEER_ACT_PLAIN, "good");

	(void)state;
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	device_says(WORLD_SECRET);
	world_expect_refusal(&peer, "it does not speak TLS");
}

static void test_hangs_up(void **state)
{
	struct peer peer = peer_start(PEER_ACT_HANG_UP, "good");

	(void)state;
	world_begin_known(PROXY_PROTOCOL_MQTT, "broker.example", peer.port);
	device_says(WORLD_SECRET);
	world_expect_refusal(
		&peer, "it closed the connection in the handshake");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_refusals),
		WORLD_TEST(test_good_names),
		WORLD_TEST(test_not_tls),
		WORLD_TEST(test_hangs_up),
	};

	return cmocka_run_group_tests_name(
		"verify", tests, world_group_setup, world_group_teardown);
}
