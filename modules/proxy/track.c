/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where does a request end and the next begin? The tracker walks through
 * Content-Length and chunked bodies and hands every head to the reader. It
 * sees bytes of the device and the first line of the server's answer; it
 * never changes them, and lets nothing pass that it could not place.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "modules/proxy/track.h"

/* The bytes of one call. */
struct input {
	const char *bytes;
	size_t length;
	size_t clear;
	const char *reason;
};

void track_init(struct track *track, uint16_t port)
{
	*track = (struct track){.port = port};
}

static int refuse(struct input *in, const char *reason)
{
	in->reason = reason;
	return -EBADMSG;
}

static size_t min_left(const struct track *t, const struct input *in)
{
	size_t have = in->length - in->clear;

	return t->left < have ? (size_t)t->left : have;
}

/* Length of a head up to its empty line, 0 when it is not whole yet. */
static size_t find_head_end(struct track *t, const char *bytes, size_t length)
{
	static const char end[] = "\r\n\r\n";
	const char *found = NULL;

	if (length >= t->scanned + 4)
		found = memmem(bytes + t->scanned, length - t->scanned, end, 4);
	if (!found) {
		t->scanned = length > 3 ? length - 3 : 0;
		return 0;
	}
	t->scanned = 0;
	return (size_t)(found - bytes) + 4;
}

static int check_host(
	struct track *t, const struct http_head *head, struct input *in)
{
	if (head->port != 0 && head->port != t->port)
		return refuse(in, "names a host with another port");
	if (t->requests == 0)
		memcpy(t->host, head->host, sizeof(t->host));
	if (strcmp(t->host, head->host) != 0) {
		in->reason = "is for another host than the first one of the "
			     "same connection";
		return -EXDEV;
	}
	return 0;
}

static void enter_body(struct track *t, const struct http_head *head)
{
	/* Only the first answer can be told apart without following all. */
	if (head->websocket && t->requests == 1 &&
		head->body == HTTP_BODY_LENGTH && head->length == 0) {
		t->state = TRACK_STATE_SWITCHING;
		return;
	}
	t->left = head->length;
	if (head->body == HTTP_BODY_CHUNKED)
		t->state = TRACK_STATE_CHUNK_SIZE;
	else if (head->length > 0)
		t->state = TRACK_STATE_BODY;
}

/* 1 = go on, 0 = more bytes are needed; so for all take_...() here. */
static int take_head(struct track *t, struct input *in)
{
	const char *bytes = in->bytes + in->clear;
	size_t have = in->length - in->clear, length;
	struct http_head head;
	int r;

	/* Some clients end a body with a CR LF that belongs to nothing. */
	if (have >= 2 && memcmp(bytes, "\r\n", 2) == 0) {
		in->clear += 2;
		t->scanned = 0;
		return 1;
	}
	length = find_head_end(t, bytes, have);
	if (length > HTTP_HEAD_MAX || (length == 0 && have >= HTTP_HEAD_MAX))
		return refuse(in, "has a head of more than 8192 bytes");
	if (length == 0)
		return 0;
	r = http_head_read(bytes, length, &head, &in->reason);
	if (r == 0)
		r = check_host(t, &head, in);
	if (r < 0)
		return r;
	t->requests++;
	in->clear += length;
	enter_body(t, &head);
	return 1;
}

static int take_body(struct track *t, struct input *in)
{
	size_t n = min_left(t, in);

	in->clear += n;
	t->left -= n;
	if (t->left > 0)
		return 0;
	t->state = TRACK_STATE_HEAD;
	return 1;
}

/* A CR in it, say, is the end of the line to some. */
static bool has_control(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* A whole line with its CR LF; 0 when it is not there yet. */
static int find_line(struct input *in, size_t *ret_length)
{
	const char *bytes = in->bytes + in->clear, *end;
	size_t have = in->length - in->clear;

	end = memchr(bytes, '\n', have);
	if (!end && have < TRACK_LINE_MAX)
		return 0;
	if (!end || end - bytes >= TRACK_LINE_MAX)
		return refuse(in, "has an over-long line in its body");
	if (end == bytes || end[-1] != '\r' ||
		has_control(bytes, (size_t)(end - bytes) - 1))
		return refuse(in, "has a broken chunk in its body");
	*ret_length = (size_t)(end - bytes) + 1;
	return 1;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Hexadecimal digits, then the end or extensions, which say nothing here. */
static int read_chunk_size(
	struct input *in, const char *line, uint64_t *ret_size)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; hex_value(line[i]) >= 0; i++) {
		if (i >= 15)
			return refuse(in, "has a broken chunk in its body");
		size = size << 4 | (uint64_t)hex_value(line[i]);
	}
	if (i == 0 || (line[i] != '\r' && line[i] != ';'))
		return refuse(in, "has a broken chunk in its body");
	*ret_size = size;
	return 0;
}

static int take_chunk_size(struct track *t, struct input *in)
{
	size_t length;
	uint64_t size;
	int r;

	r = find_line(in, &length);
	if (r <= 0)
		return r;
	r = read_chunk_size(in, in->bytes + in->clear, &size);
	if (r < 0)
		return r;
	in->clear += length;
	t->left = size + 2;
	t->trailers = 0;
	t->state = size > 0 ? TRACK_STATE_CHUNK : TRACK_STATE_TRAILER;
	return 1;
}

/* The last two of left must be CR LF, or we count differently. */
static int take_chunk(struct track *t, struct input *in)
{
	while (t->left > 2) {
		uint64_t data = t->left - 2;
		size_t have = in->length - in->clear;
		size_t n = data < have ? (size_t)data : have;

		if (n == 0)
			return 0;
		in->clear += n;
		t->left -= n;
	}
	while (t->left > 0) {
		if (in->clear == in->length)
			return 0;
		if (in->bytes[in->clear] != (t->left == 2 ? '\r' : '\n'))
			return refuse(in, "has a broken chunk in its body");
		in->clear++;
		t->left--;
	}
	t->state = TRACK_STATE_CHUNK_SIZE;
	return 1;
}

static int take_trailer(struct track *t, struct input *in)
{
	size_t length;
	int r;

	r = find_line(in, &length);
	if (r <= 0)
		return r;
	if (length > 2 && ++t->trailers > TRACK_TRAILERS_MAX)
		return refuse(in, "has too many trailers");
	in->clear += length;
	if (length == 2)
		t->state = TRACK_STATE_HEAD;
	return 1;
}

static int take(struct track *t, struct input *in)
{
	switch (t->state) {
	case TRACK_STATE_HEAD:
		return take_head(t, in);
	case TRACK_STATE_BODY:
		return take_body(t, in);
	case TRACK_STATE_CHUNK_SIZE:
		return take_chunk_size(t, in);
	case TRACK_STATE_CHUNK:
		return take_chunk(t, in);
	case TRACK_STATE_TRAILER:
		return take_trailer(t, in);
	case TRACK_STATE_SWITCHING:
		return 0;
	case TRACK_STATE_TUNNEL:
		in->clear = in->length;
		return 0;
	}
	return 0;
}

int track_request(struct track *track, const void *bytes, size_t length,
	size_t *ret_clear, const char **ret_reason)
{
	struct input in = {.bytes = bytes, .length = length};
	int r = 1;

	while (r > 0 && in.clear < length)
		r = take(track, &in);
	*ret_clear = in.clear;
	if (r < 0)
		*ret_reason = in.reason;
	return r < 0 ? r : 0;
}

bool track_answer(struct track *t, const void *bytes, size_t length)
{
	size_t room = sizeof(t->answer) - t->answered;
	size_t n = length < room ? length : room;

	if (t->answered < sizeof(t->answer)) {
		memcpy(t->answer + t->answered, bytes, n);
		t->answered += n;
	}
	if (t->state != TRACK_STATE_SWITCHING ||
		t->answered < sizeof(t->answer))
		return false;
	t->state = memcmp(t->answer, "HTTP/1.1 101", 12) == 0
			   ? TRACK_STATE_TUNNEL
			   : TRACK_STATE_HEAD;
	return true;
}
