/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for one session under test: its device's other end, and a host
 * that writes down what it is told.
 */
#ifndef GATEHOUSE_PROXY_WORLD_H
#define GATEHOUSE_PROXY_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "modules/proxy/session.h"
#include "tests/unit/tls_peer.h"

#define WORLD_PATIENCE_MS 20000
#define WORLD_SECRET "user:secret"

/* One session and all that is said about it. */
struct world {
	struct session_host host;
	struct tls_context *trust;
	struct session *session;
	int device; /* our end of the device's connection */
	bool gone;
	unsigned asked, opened, closed, refused;
	char reason[TLS_REASON];
};
extern struct world w;

int world_group_setup(void **state);
int world_group_teardown(void **state);
int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* Both ends of a TCP connection over the loopback. */
void world_connect(int *ret_client, int *ret_server);
/* A session whose upgrade leads to port, not yet known; or known. */
void world_begin(uint8_t protocol, const char *name, uint16_t port);
void world_begin_known(uint8_t protocol, const char *name, uint16_t port);

/* Turns the loop until the condition holds. */
#define world_turn_until(condition)                                    \
	do {                                                           \
		int64_t until = clock_ms() + WORLD_PATIENCE_MS;        \
		while (!(condition)) {                                 \
			loop_turn(w.host.loop, 20);                    \
			if (clock_ms() > until)                        \
				fail_msg("never: %s (%s)", #condition, \
					w.reason);                     \
		}                                                      \
	} while (0)

void device_says(const char *text);
/* What the device has got until n bytes, the end (0) or an error (-errno). */
ssize_t device_hears(char *text, size_t size, size_t n);
/* ... and then the end as the device sees it: 0 or -ECONNRESET. */
int device_end(void);
/* A state's time is over: as its timer would say. */
void world_expire(void);
/* Refused, said why, and not one byte of the device reached the server. */
void world_expect_refusal(struct peer *peer, const char *reason);

#endif
