/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Request heads that must be read, and those that must be refused, why. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "modules/proxy/http.h"

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST /x HTTP/1.1\r\n"
#define HOST "Host: www.example\r\n"

struct good {
	const char *head;
	const char *host;
	uint16_t port;
	enum http_body body;
	uint64_t length;
	bool websocket;
};

static const struct good goods[] = {
	{GET HOST "\r\n", "www.example"},
	{"GET / HTTP/1.0\r\n" HOST "\r\n", "www.example"},
	{GET "hOsT:WWW.Example\r\n\r\n", "www.example"},
	{GET "Host: \t www.example \t \r\n\r\n", "www.example"},
	{GET "Host: www.example.\r\n\r\n", "www.example"},
	{GET "Host: www.example:8080\r\n\r\n", "www.example", 8080},
	{GET "Host: localhost\r\n\r\n", "localhost"},
	{GET HOST "X-Host: other.example\r\nHostx: a\r\n\r\n", "www.example"},
	{GET HOST "X-Empty:\r\n\r\n", "www.example"},
	{"GET http://www.example/a?b HTTP/1.1\r\n" HOST "\r\n", "www.example"},
	{"GET HTTP://WWW.example HTTP/1.1\r\n" HOST "\r\n", "www.example"},
	{"GET http://www.example:80/ HTTP/1.1\r\n"
	 "Host: www.example:80\r\n\r\n",
		"www.example", 80},
	{"GET http://www.example?q HTTP/1.1\r\n" HOST "\r\n", "www.example"},
	{"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "www.example"},
	{POST HOST "Content-Length: 0\r\n\r\n", "www.example"},
	{POST HOST "content-length: 12345\r\n\r\n", "www.example", 0,
		HTTP_BODY_LENGTH, 12345},
	{POST HOST "Content-Length: 999999999999999999\r\n\r\n", "www.example",
		0, HTTP_BODY_LENGTH, 999999999999999999},
	{POST HOST "Transfer-Encoding: Chunked\r\n\r\n", "www.example", 0,
		HTTP_BODY_CHUNKED},
	{GET HOST "Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n",
		"www.example", 0, HTTP_BODY_LENGTH, 0, true},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
		const struct good *g = &goods[i];
		struct http_head head;
		const char *reason = "";
		int r = http_head_read(
			g->head, strlen(g->head), &head, &reason);

		if (r < 0)
			print_error("%s: %s\n", g->head, reason);
		assert_int_equal(r, 0);
		assert_string_equal(head.host, g->host);
		assert_int_equal(head.port, g->port);
		assert_int_equal(head.body, g->body);
		assert_int_equal(head.length, g->length);
		assert_int_equal(head.websocket, g->websocket);
	}
}

static const struct {
	const char *head, *reason;
} bads[] = {
	/* no host, or more than one */
	{GET "\r\n", "has no Host header"},
	{"GET / HTTP/1.0\r\n\r\n", "has no Host header"},
	{GET HOST HOST "\r\n", "has two Host headers"},
	{GET HOST "host: other.example\r\n\r\n", "has two Host headers"},
	{GET "Host:\r\n\r\n", "has an empty Host header"},
	{GET "Host: .\r\n\r\n", "has an empty Host header"},
	{GET "Host: :80\r\n\r\n", "has an empty Host header"},
	/* no host name */
	{GET "Host: 192.0.2.1\r\n\r\n", "names an address, not a host"},
	{GET "Host: 192.0.2.1:80\r\n\r\n", "names an address, not a host"},
	{GET "Host: [2001:db8::1]\r\n\r\n", "names an address, not a host"},
	{GET "Host: 2001:db8::1\r\n\r\n",
		"names a host with a port that is none"},
	{GET "Host: 127.1\r\n\r\n", "names a host that cannot exist"},
	{GET "Host: a b\r\n\r\n", "names a host that cannot exist"},
	{GET "Host: a,b\r\n\r\n", "names a host that cannot exist"},
	{GET "Host: u@www.example\r\n\r\n", "names a host that cannot exist"},
	{GET "Host: www..example\r\n\r\n", "names a host that cannot exist"},
	{GET "Host: www.example/x\r\n\r\n", "names a host that cannot exist"},
	{GET "Host: *.example\r\n\r\n", "names a host that cannot exist"},
	{GET "Host: w\xc3\xb6.example\r\n\r\n",
		"names a host that cannot exist"},
	/* ports */
	{GET "Host: www.example:\r\n\r\n",
		"names a host with a port that is none"},
	{GET "Host: www.example:0\r\n\r\n",
		"names a host with a port that is none"},
	{GET "Host: www.example:65536\r\n\r\n",
		"names a host with a port that is none"},
	{GET "Host: www.example:8x\r\n\r\n",
		"names a host with a port that is none"},
	{GET "Host: www.example:80:81\r\n\r\n",
		"names a host with a port that is none"},
	{GET "Host: www.example:000080\r\n\r\n",
		"names a host with a port that is none"},
	/* the target says something else */
	{"GET http://other.example/ HTTP/1.1\r\n" HOST "\r\n",
		"names two different hosts"},
	{"GET http://www.example:81/ HTTP/1.1\r\n" HOST "\r\n",
		"names two different hosts"},
	{"GET http://u@www.example/ HTTP/1.1\r\n" HOST "\r\n",
		"names a host that cannot exist"},
	{"GET http:/// HTTP/1.1\r\n" HOST "\r\n", "has an empty Host header"},
	{"GET https://www.example/ HTTP/1.1\r\n" HOST "\r\n",
		"asks for something that is no path"},
	{"GET www.example/ HTTP/1.1\r\n" HOST "\r\n",
		"asks for something that is no path"},
	{"CONNECT www.example:443 HTTP/1.1\r\n" HOST "\r\n",
		"asks for a tunnel (CONNECT)"},
	/* shape */
	{"GET /\r\n" HOST "\r\n", "does not begin as HTTP does"},
	{"GET  / HTTP/1.1\r\n" HOST "\r\n", "is not HTTP/1.0 or HTTP/1.1"},
	{"GET / a HTTP/1.1\r\n" HOST "\r\n", "is not HTTP/1.0 or HTTP/1.1"},
	{"GET / HTTP/2.0\r\n" HOST "\r\n", "is not HTTP/1.0 or HTTP/1.1"},
	{"GET / HTTP/1.2\r\n" HOST "\r\n", "is not HTTP/1.0 or HTTP/1.1"},
	{"GET / http/1.1\r\n" HOST "\r\n", "is not HTTP/1.0 or HTTP/1.1"},
	{"PRI * HTTP/2.0\r\n\r\n", "is not HTTP/1.0 or HTTP/1.1"},
	{" GET / HTTP/1.1\r\n" HOST "\r\n", "does not begin as HTTP does"},
	{"G(T / HTTP/1.1\r\n" HOST "\r\n", "does not begin as HTTP does"},
	{"\x16\x03\x01\r\n\r\n", "has a control character in its head"},
	{GET HOST " folded\r\n\r\n", "continues a header on the next line"},
	{GET "X: a\r\n\tHost: b\r\n" HOST "\r\n",
		"continues a header on the next line"},
	{GET "Host : www.example\r\n\r\n", "has a line that is no header"},
	{GET HOST "nonsense\r\n\r\n", "has a line that is no header"},
	{GET HOST ": empty\r\n\r\n", "has a line that is no header"},
	{"GET / HTTP/1.1\n" HOST "\r\n",
		"has a line that does not end with CR LF"},
	{GET "X: a\nHost: evil.example\r\n" HOST "\r\n",
		"has a line that does not end with CR LF"},
	{GET "X: a\rHost: evil.example\r\n" HOST "\r\n",
		"has a control character in its head"},
	{GET "X: \x7f\r\n" HOST "\r\n", "has a control character in its head"},
	/* where does it end? */
	{POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
		"has two Content-Length headers"},
	{POST HOST "Content-Length: 5, 5\r\n\r\n",
		"has a Content-Length that is no number"},
	{POST HOST "Content-Length: +5\r\n\r\n",
		"has a Content-Length that is no number"},
	{POST HOST "Content-Length: 0x5\r\n\r\n",
		"has a Content-Length that is no number"},
	{POST HOST "Content-Length:\r\n\r\n",
		"has a Content-Length that is no number"},
	{POST HOST "Content-Length: 9999999999999999999\r\n\r\n",
		"has a Content-Length that is no number"},
	{POST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"has both Content-Length and Transfer-Encoding"},
	{POST HOST "Transfer-Encoding: chunked\r\n"
		   "Transfer-Encoding: chunked\r\n\r\n",
		"has two Transfer-Encoding headers"},
	{POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"has an unknown Transfer-Encoding"},
	{POST HOST "Transfer-Encoding: xchunked\r\n\r\n",
		"has an unknown Transfer-Encoding"},
	{"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
		"is HTTP/1.0 with a Transfer-Encoding"},
	{GET HOST "Upgrade: h2c\r\n\r\n",
		"asks for a protocol other than WebSocket"},
	{GET HOST "Upgrade: websocket, h2c\r\n\r\n",
		"asks for a protocol other than WebSocket"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		struct http_head head;
		const char *reason = "was read";
		int r = http_head_read(
			bads[i].head, strlen(bads[i].head), &head, &reason);

		if (r == 0 || strcmp(reason, bads[i].reason) != 0)
			print_error("%s", bads[i].head);
		assert_int_equal(r, -EBADMSG);
		assert_string_equal(reason, bads[i].reason);
	}
}

static void test_nul(void **state)
{
	static const char hidden[] = GET "Host: www.example\0.evil\r\n\r\n";
	static const char value[] = GET HOST "X: \0\r\n\r\n";
	struct http_head head;
	const char *reason = "";

	(void)state;
	assert_int_equal(
		http_head_read(hidden, sizeof(hidden) - 1, &head, &reason),
		-EBADMSG);
	assert_string_equal(reason, "has a NUL byte in its head");
	assert_int_equal(
		http_head_read(value, sizeof(value) - 1, &head, &reason),
		-EBADMSG);
	assert_string_equal(reason, "has a NUL byte in its head");
}

/* A head that is not whole is refused, wherever it ends. */
static void test_cut(void **state)
{
	static const char whole[] = POST HOST "Content-Length: 5\r\n\r\n";
	struct http_head head;
	const char *reason;

	(void)state;
	assert_int_equal(
		http_head_read(whole, sizeof(whole) - 1, &head, &reason), 0);
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		assert_int_equal(
			http_head_read(whole, n, &head, &reason), -EBADMSG);
}

static void test_long_host(void **state)
{
	char text[1024], host[HTTP_HOST_SIZE + 1];
	struct http_head head;
	const char *reason;

	(void)state;
	for (size_t i = 0; i < sizeof(host); i++)
		host[i] = i % 2 ? '.' : 'a';
	host[HTTP_HOST_SIZE - 1] = '\0';
	snprintf(text, sizeof(text), GET "Host: %s\r\n\r\n", host);
	assert_int_equal(http_head_read(text, strlen(text), &head, &reason), 0);
	assert_string_equal(head.host, host);
	host[HTTP_HOST_SIZE - 1] = 'a';
	host[HTTP_HOST_SIZE] = '\0';
	snprintf(text, sizeof(text), GET "Host: %s\r\n\r\n", host);
	assert_int_equal(
		http_head_read(text, strlen(text), &head, &reason), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_long_host),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
