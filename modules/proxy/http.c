/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP/1.x request heads as devices send them (RFC 9112), read strictly: a
 * head that this reader and the server might understand differently would
 * let a device speak to another host than the verified one. Looks at bytes
 * only; never changes or repairs a request.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/lib/net.h"
#include "modules/proxy/certname.h"
#include "modules/proxy/http.h"

/* A piece of the head. */
struct span {
	const char *at;
	size_t length;
};

/* What is seen while reading; the head is written when all is well. */
struct reader {
	struct http_head head;
	struct span authority; /* of an absolute-form target */
	bool old; /* HTTP/1.0 */
	bool absolute;
	bool has_host, has_length, has_coding;
	const char *reason;
};

static int refuse(struct reader *r, const char *reason)
{
	r->reason = reason;
	return -EBADMSG;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9110: what names and methods are made of. */
static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = lower(s.at[i]);

		if (!(c >= 'a' && c <= 'z') && !is_digit(c) &&
			(c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.length > 0;
}

static bool equals(struct span s, const char *word)
{
	if (s.length != strlen(word))
		return false;
	for (size_t i = 0; i < s.length; i++)
		if (lower(s.at[i]) != word[i])
			return false;
	return true;
}

static bool starts_with(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.length >= n && equals((struct span){s.at, n}, word);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.length > 0 && is_blank(s.at[0])) {
		s.at++;
		s.length--;
	}
	while (s.length > 0 && is_blank(s.at[s.length - 1]))
		s.length--;
	return s;
}

/* Cuts s at the first c: what stands before it, s keeps what follows. */
static bool cut(struct span *s, char c, struct span *ret_before)
{
	const char *found = memchr(s->at, c, s->length);

	if (!found)
		return false;
	*ret_before = (struct span){s->at, (size_t)(found - s->at)};
	s->length -= ret_before->length + 1;
	s->at = found + 1;
	return true;
}

/* Takes a line that ends with CR LF off s. */
static int read_line(struct reader *r, struct span *s, struct span *ret_line)
{
	struct span line;

	if (!cut(s, '\n', &line) || line.length == 0 ||
		line.at[line.length - 1] != '\r')
		return refuse(r, "has a line that does not end with CR LF");
	line.length--;
	for (size_t i = 0; i < line.length; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if (c == '\0')
			return refuse(r, "has a NUL byte in its head");
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(r, "has a control character in its head");
	}
	*ret_line = line;
	return 0;
}

static int read_port(struct reader *r, struct span s, uint16_t *ret_port)
{
	unsigned port = 0;

	if (s.length == 0 || s.length > 5)
		return refuse(r, "names a host with a port that is none");
	for (size_t i = 0; i < s.length; i++) {
		if (!is_digit(s.at[i]))
			return refuse(
				r, "names a host with a port that is none");
		port = port * 10 + (unsigned)(s.at[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return refuse(r, "names a host with a port that is none");
	*ret_port = (uint16_t)port;
	return 0;
}

static bool is_address(const char *host)
{
	struct ip ip;

	return ip_parse(host, &ip) == 0;
}

/* host[:port] into the head. */
static int read_authority(struct reader *r, struct span s)
{
	struct span host = s, port = s;
	size_t n;
	int error;

	if (s.length > 0 && s.at[0] == '[')
		return refuse(r, "names an address, not a host");
	if (cut(&port, ':', &host)) {
		error = read_port(r, port, &r->head.port);
		if (error < 0)
			return error;
	}
	n = host.length;
	if (n > 0 && host.at[n - 1] == '.')
		n--;
	if (n == 0)
		return refuse(r, "has an empty Host header");
	if (n >= sizeof(r->head.host))
		return refuse(r, "names a host that cannot exist");
	for (size_t i = 0; i < n; i++)
		r->head.host[i] = lower(host.at[i]);
	r->head.host[n] = '\0';
	if (strlen(r->head.host) == n && is_address(r->head.host))
		return refuse(r, "names an address, not a host");
	if (strlen(r->head.host) != n || !certname_is_host(r->head.host))
		return refuse(r, "names a host that cannot exist");
	return 0;
}

static int read_host(struct reader *r, struct span value)
{
	if (r->has_host)
		return refuse(r, "has two Host headers");
	r->has_host = true;
	return read_authority(r, value);
}

static int read_length(struct reader *r, struct span value)
{
	uint64_t length = 0;

	if (r->has_length)
		return refuse(r, "has two Content-Length headers");
	r->has_length = true;
	if (value.length == 0 || value.length > 18)
		return refuse(r, "has a Content-Length that is no number");
	for (size_t i = 0; i < value.length; i++) {
		if (!is_digit(value.at[i]))
			return refuse(
				r, "has a Content-Length that is no number");
		length = length * 10 + (uint64_t)(value.at[i] - '0');
	}
	r->head.length = length;
	return 0;
}

static int read_coding(struct reader *r, struct span value)
{
	if (r->has_coding)
		return refuse(r, "has two Transfer-Encoding headers");
	r->has_coding = true;
	if (!equals(value, "chunked"))
		return refuse(r, "has an unknown Transfer-Encoding");
	r->head.body = HTTP_BODY_CHUNKED;
	return 0;
}

/* After any other switch nobody could say what host is spoken to. */
static int read_upgrade(struct reader *r, struct span value)
{
	if (!equals(value, "websocket"))
		return refuse(r, "asks for a protocol other than WebSocket");
	r->head.websocket = true;
	return 0;
}

static int read_header(struct reader *r, struct span line)
{
	struct span name;

	if (is_blank(line.at[0]))
		return refuse(r, "continues a header on the next line");
	if (!cut(&line, ':', &name) || !is_token(name))
		return refuse(r, "has a line that is no header");
	line = trim(line);
	if (equals(name, "host"))
		return read_host(r, line);
	if (equals(name, "content-length"))
		return read_length(r, line);
	if (equals(name, "transfer-encoding"))
		return read_coding(r, line);
	if (equals(name, "upgrade"))
		return read_upgrade(r, line);
	return 0;
}

static int read_version(struct reader *r, struct span version)
{
	if (version.length != 8 || memcmp(version.at, "HTTP/1.", 7) != 0 ||
		(version.at[7] != '0' && version.at[7] != '1'))
		return refuse(r, "is not HTTP/1.0 or HTTP/1.1");
	r->old = version.at[7] == '0';
	return 0;
}

/* origin-form, asterisk-form, or absolute-form with its authority. */
static int read_target(struct reader *r, struct span target)
{
	struct span authority;

	if (target.length > 0 && target.at[0] == '/')
		return 0;
	if (equals(target, "*"))
		return 0;
	if (!starts_with(target, "http://"))
		return refuse(r, "asks for something that is no path");
	target.at += strlen("http://");
	target.length -= strlen("http://");
	authority = target;
	for (size_t i = 0; i < target.length; i++)
		if (strchr("/?#", target.at[i])) {
			authority.length = i;
			break;
		}
	r->authority = authority;
	r->absolute = true;
	return 0;
}

static int read_request_line(struct reader *r, struct span line)
{
	struct span method, target;
	int error;

	if (!cut(&line, ' ', &method) || !cut(&line, ' ', &target) ||
		!is_token(method))
		return refuse(r, "does not begin as HTTP does");
	error = read_version(r, line);
	if (error < 0)
		return error;
	if (method.length == 7 && memcmp(method.at, "CONNECT", 7) == 0)
		return refuse(r, "asks for a tunnel (CONNECT)");
	return read_target(r, target);
}

/* The target and Host must name one and the same host. */
static int compare_authority(struct reader *r)
{
	struct reader other = {0};
	int error;

	error = read_authority(&other, r->authority);
	if (error < 0)
		return refuse(r, other.reason);
	if (strcmp(other.head.host, r->head.host) != 0 ||
		other.head.port != r->head.port)
		return refuse(r, "names two different hosts");
	return 0;
}

static int judge(struct reader *r)
{
	if (!r->has_host)
		return refuse(r, "has no Host header");
	if (r->has_coding && r->has_length)
		return refuse(
			r, "has both Content-Length and Transfer-Encoding");
	if (r->has_coding && r->old)
		return refuse(r, "is HTTP/1.0 with a Transfer-Encoding");
	return r->absolute ? compare_authority(r) : 0;
}

static int read_head(struct reader *r, struct span rest)
{
	struct span line;
	int error;

	error = read_line(r, &rest, &line);
	if (error == 0)
		error = read_request_line(r, line);
	while (error == 0) {
		error = read_line(r, &rest, &line);
		if (error < 0 || line.length == 0)
			break;
		error = read_header(r, line);
	}
	return error < 0 ? error : judge(r);
}

int http_head_read(const char *bytes, size_t length, struct http_head *ret_head,
	const char **ret_reason)
{
	struct reader reader = {.head.body = HTTP_BODY_LENGTH};
	int error;

	error = read_head(&reader, (struct span){bytes, length});
	if (error < 0) {
		*ret_reason = reader.reason;
		return error;
	}
	*ret_head = reader.head;
	return 0;
}
