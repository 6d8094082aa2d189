/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests one after another on one connection. Every stream is given whole,
 * byte by byte, and cut in two at every place: the verdict and the bytes let
 * through must be the same.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "modules/proxy/track.h"

#define GET "GET /a HTTP/1.1\r\nHost: www.example\r\n\r\n"
#define OTHER "GET /b HTTP/1.1\r\nHost: other.example\r\n\r\n"
#define POST "POST /c HTTP/1.1\r\nHost: www.example\r\n"
#define UPGRADE                                    \
	"GET /s HTTP/1.1\r\nHost: www.example\r\n" \
	"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"

/* Feeds bytes in pieces as a session would; how many were let through. */
static size_t feed(struct track *t, const char *bytes, size_t length,
	size_t piece, int *ret_error, const char **ret_reason)
{
	size_t clear = 0, n;
	int r = 0;

	for (size_t end = 0; r == 0 && end < length;) {
		end = end + piece < length ? end + piece : length;
		r = track_request(
			t, bytes + clear, end - clear, &n, ret_reason);
		clear += n;
		assert_true(clear <= end);
	}
	*ret_error = r;
	return clear;
}

static const struct {
	const char *bytes;
	const char
		*refused; /* where what must not pass begins; NULL: all may */
	int error;
	const char *reason;
} streams[] = {
	{GET},
	{GET GET GET},
	{GET "\r\n" GET},
	{POST "Content-Length: 5\r\n\r\nhello" GET},
	{POST "Content-Length: 0\r\n\r\n" GET},
	{POST "Content-Length: 40\r\n\r\n" OTHER},
	{POST "Transfer-Encoding: chunked\r\n\r\n"
	      "5\r\nhello\r\n0a;x=\"y\"\r\n0123456789\r\n0\r\n\r\n" GET},
	{POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET},
	{POST "Transfer-Encoding: chunked\r\n\r\n"
	      "28\r\n" OTHER "\r\n0\r\nTrail: Host: x\r\n\r\n" GET},
	{"GET / HTTP/1.1\r\nHost: WWW.example:80\r\n\r\n" GET},
	/* another host */
	{GET OTHER, OTHER, -EXDEV,
		"is for another host than the first one of the same "
		"connection"},
	{POST "Content-Length: 5\r\n\r\nhello" OTHER, OTHER, -EXDEV, NULL},
	{POST "Content-Length: 0\r\n\r\n" OTHER, OTHER, -EXDEV, NULL},
	{POST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" OTHER,
		OTHER, -EXDEV, NULL},
	{POST "Transfer-Encoding: chunked\r\n\r\n0\r\nT: v\r\n\r\n" OTHER,
		OTHER, -EXDEV, NULL},
	{GET "\r\n" OTHER, OTHER, -EXDEV, NULL},
	/* no host any more */
	{GET "GET / HTTP/1.1\r\n\r\n", "GET / ", -EBADMSG,
		"has no Host header"},
	{GET "GET / HTTP/1.1\r\nHost: www.example:81\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: www.example:81", -EBADMSG,
		"names a host with another port"},
	{GET "garbage\r\n\r\n", "garbage", -EBADMSG,
		"does not begin as HTTP does"},
	/* broken chunks: nothing behind them */
	{POST "Transfer-Encoding: chunked\r\n\r\nx\r\n", "x\r\n", -EBADMSG,
		"has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n\r\n", "\r\n", -EBADMSG,
		"has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n 1\r\n", " 1\r\n", -EBADMSG,
		"has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n1 \r\n", "1 \r\n", -EBADMSG,
		"has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n1\nx", "1\nx", -EBADMSG,
		"has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", "y\r\n",
		-EBADMSG, "has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\ry", "y", -EBADMSG,
		"has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
		"1000000000000000", -EBADMSG, "has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n0\r\nT: v\n\r\n", "T: v",
		-EBADMSG, "has a broken chunk in its body"},
	/* lines that may end sooner for others */
	{POST "Transfer-Encoding: chunked\r\n\r\n1;\rx\r\ny\r\n0\r\n\r\n", "1;",
		-EBADMSG, "has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n0\r\nT: v\r\r\n\r\n", "T: v",
		-EBADMSG, "has a broken chunk in its body"},
	{POST "Transfer-Encoding: chunked\r\n\r\n0\r\nT: \x7f\r\n\r\n",
		"T: ", -EBADMSG, "has a broken chunk in its body"},
};

static void check_stream(size_t i, size_t piece)
{
	const char *bytes = streams[i].bytes, *reason = NULL, *from;
	size_t length = strlen(bytes), expected = length, clear;
	struct track t;
	int error;

	if (streams[i].refused) {
		/* the last place where it stands */
		from = NULL;
		for (const char *p = bytes; (p = strstr(p, streams[i].refused));
			p++)
			from = p;
		expected = (size_t)(from - bytes);
	}
	track_init(&t, 80);
	clear = feed(&t, bytes, length, piece, &error, &reason);
	if (clear != expected || error != streams[i].error)
		print_error("in pieces of %zu: %s\n", piece, bytes);
	assert_int_equal(error, streams[i].error);
	assert_int_equal(clear, expected);
	if (streams[i].reason)
		assert_string_equal(reason, streams[i].reason);
}

static void test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		for (size_t piece = 1; piece <= strlen(streams[i].bytes);
			piece++)
			check_stream(i, piece);
}

/* Not one byte of a head passes before its last one is here. */
static void test_head_is_held(void **state)
{
	struct track t;
	const char *reason;
	size_t clear = 1;

	(void)state;
	track_init(&t, 80);
	for (size_t n = 1; n < strlen(GET); n++) {
		assert_int_equal(track_request(&t, GET, n, &clear, &reason), 0);
		assert_int_equal(clear, 0);
		assert_int_equal(t.requests, 0);
	}
	assert_int_equal(
		track_request(&t, GET, strlen(GET), &clear, &reason), 0);
	assert_int_equal(clear, strlen(GET));
	assert_int_equal(t.requests, 1);
	assert_string_equal(t.host, "www.example");
}

static void test_long_head(void **state)
{
	static const char start[] =
		"GET / HTTP/1.1\r\nHost: www.example\r\nX: ";
	char head[HTTP_HEAD_MAX + 8];
	struct track t;
	const char *reason = "";
	size_t clear;

	(void)state;
	memset(head, 'x', sizeof(head));
	memcpy(head, start, sizeof(start) - 1);
	memcpy(head + HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
	track_init(&t, 80);
	assert_int_equal(
		track_request(&t, head, HTTP_HEAD_MAX, &clear, &reason), 0);
	assert_int_equal(clear, HTTP_HEAD_MAX);

	memset(head + HTTP_HEAD_MAX - 4, 'x', 4);
	track_init(&t, 80);
	assert_int_equal(
		track_request(&t, head, HTTP_HEAD_MAX - 1, &clear, &reason), 0);
	assert_int_equal(
		track_request(&t, head, HTTP_HEAD_MAX, &clear, &reason),
		-EBADMSG);
	assert_string_equal(reason, "has a head of more than 8192 bytes");
	assert_int_equal(clear, 0);
}

static void test_long_chunk_line(void **state)
{
	static const char start[] = POST "Transfer-Encoding: chunked\r\n\r\n1;";
	char text[2048];
	struct track t;
	const char *reason = "";
	size_t clear;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, start, sizeof(start) - 1);
	track_init(&t, 80);
	assert_int_equal(track_request(&t, text, sizeof(text), &clear, &reason),
		-EBADMSG);
	assert_string_equal(reason, "has an over-long line in its body");
}

static void test_many_trailers(void **state)
{
	static const char start[] = POST
		"Transfer-Encoding: chunked\r\n\r\n0\r\n";
	struct track t;
	const char *reason = "";
	size_t clear;
	int r = 0;

	(void)state;
	track_init(&t, 80);
	assert_int_equal(
		track_request(&t, start, sizeof(start) - 1, &clear, &reason),
		0);
	for (unsigned i = 0; i < TRACK_TRAILERS_MAX; i++)
		assert_int_equal(
			track_request(&t, "T: v\r\n", 6, &clear, &reason), 0);
	r = track_request(&t, "T: v\r\n", 6, &clear, &reason);
	assert_int_equal(r, -EBADMSG);
	assert_string_equal(reason, "has too many trailers");
}

/* After 101 it is no HTTP; after anything else it still is. */
static void test_websocket(void **state)
{
	static const char frames[] = "\x81\x85....\0\r\n\r\n";
	struct track t;
	const char *reason;
	size_t clear;
	int r;

	(void)state;
	track_init(&t, 80);
	r = track_request(
		&t, UPGRADE "x", strlen(UPGRADE) + 1, &clear, &reason);
	assert_int_equal(r, 0);
	assert_int_equal(clear, strlen(UPGRADE));
	assert_int_equal(t.state, TRACK_STATE_SWITCHING);
	r = track_request(&t, frames, sizeof(frames), &clear, &reason);
	assert_int_equal(r, 0);
	assert_int_equal(clear, 0);
	for (size_t i = 0; i < 11; i++)
		assert_false(track_answer(&t, &"HTTP/1.1 101"[i], 1));
	assert_true(track_answer(&t, "1 Switching\r\n", 13));
	r = track_request(&t, frames, sizeof(frames), &clear, &reason);
	assert_int_equal(r, 0);
	assert_int_equal(clear, sizeof(frames));
}

static void test_websocket_declined(void **state)
{
	struct track t;
	const char *reason;
	size_t clear;

	(void)state;
	track_init(&t, 80);
	assert_int_equal(track_request(&t, UPGRADE OTHER, strlen(UPGRADE OTHER),
				 &clear, &reason),
		0);
	assert_int_equal(clear, strlen(UPGRADE));
	assert_true(track_answer(&t, "HTTP/1.1 200 OK\r\n", 17));
	assert_int_equal(
		track_request(&t, OTHER, strlen(OTHER), &clear, &reason),
		-EXDEV);
	assert_int_equal(clear, 0);
}

/* Only the first request can switch: later answers are not told apart. */
static void test_late_websocket_stays_http(void **state)
{
	struct track t;
	const char *reason;
	size_t clear;

	(void)state;
	track_init(&t, 80);
	assert_int_equal(track_request(&t, GET UPGRADE OTHER,
				 strlen(GET UPGRADE OTHER), &clear, &reason),
		-EXDEV);
	assert_int_equal(clear, strlen(GET UPGRADE));
	assert_false(track_answer(&t, "HTTP/1.1 101 x", 14));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_head_is_held),
		cmocka_unit_test(test_long_head),
		cmocka_unit_test(test_long_chunk_line),
		cmocka_unit_test(test_many_trailers),
		cmocka_unit_test(test_websocket),
		cmocka_unit_test(test_websocket_declined),
		cmocka_unit_test(test_late_websocket_stays_http),
	};

	return cmocka_run_group_tests_name("track", tests, NULL, NULL);
}
