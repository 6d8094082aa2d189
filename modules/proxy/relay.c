/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pump. Reads and writes the two sockets it was given and nothing else;
 * never blocks, never holds more than its two buffers, never sends a byte
 * that the tracker has not cleared. Ends are passed on one by one: FIN from
 * the device becomes close_notify and FIN, and the other way round; a server
 * that vanishes without close_notify reaches the device as a reset, so that
 * nobody takes half an answer for a whole one.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "modules/proxy/relay.h"

_Static_assert(HTTP_HEAD_MAX <= RELAY_BUFFER, "a whole head must fit");

static void compact(struct stream *s)
{
	if (s->start == 0)
		return;
	memmove(s->bytes, s->bytes + s->start, s->end - s->start);
	s->clear -= s->start;
	s->end -= s->start;
	s->start = 0;
}

static bool has_room(const struct stream *s)
{
	return s->end - s->start < sizeof(s->bytes);
}

static bool is_empty(const struct stream *s)
{
	return s->start == s->end;
}

static void drop(struct stream *s)
{
	s->start = s->clear = s->end = 0;
}

static enum relay_status break_off(struct relay *r, const char *why)
{
	if (!r->broken)
		r->broken = why;
	return RELAY_STATUS_BROKEN;
}

/* Lets on what the tracker has no objection to. */
static enum relay_status judge(struct relay *r)
{
	struct stream *s = &r->up;
	size_t clear;
	int error;

	if (!r->track) {
		s->clear = s->end;
		return RELAY_STATUS_MORE;
	}
	error = track_request(r->track, s->bytes + s->clear, s->end - s->clear,
		&clear, &r->refused);
	s->clear += clear;
	if (error == 0)
		return RELAY_STATUS_MORE;
	r->other_host = error == -EXDEV;
	return break_off(r, r->refused);
}

/* What the server has to say first whether it switches to. */
static bool is_held(const struct relay *r)
{
	return r->track && r->track->state == TRACK_STATE_SWITCHING &&
	       !r->upstream_ended && !is_empty(&r->up);
}

/* Also while it is held: the device may give up. */
static bool wants_device(const struct relay *r)
{
	return !r->device_ended && has_room(&r->up);
}

enum relay_status relay_fill(struct relay *r)
{
	struct stream *s = &r->up;
	ssize_t n;

	if (!wants_device(r))
		return RELAY_STATUS_MORE;
	compact(s);
	n = recv(r->device, s->bytes + s->end, sizeof(s->bytes) - s->end,
		MSG_DONTWAIT);
	if (n > 0) {
		s->end += (size_t)n;
		return judge(r);
	}
	if (n == 0)
		r->device_ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		return break_off(r, "the device cut the connection");
	return RELAY_STATUS_MORE;
}

void relay_lose_upstream(struct relay *r)
{
	drop(&r->up);
	r->upstream_told = true;
}

/* Nobody takes it any more; what the server said before may still come. */
static enum relay_status stop_sending(struct relay *r)
{
	relay_lose_upstream(r);
	r->write_wants = TLS_STATUS_DONE;
	return RELAY_STATUS_MORE;
}

static enum relay_status send_up(struct relay *r)
{
	struct stream *s = &r->up;
	size_t n;

	if (r->upstream_told) {
		drop(s);
		return RELAY_STATUS_MORE;
	}
	while (s->clear > s->start) {
		r->write_wants = tls_write(
			r->tls, s->bytes + s->start, s->clear - s->start, &n);
		if (r->write_wants == TLS_STATUS_WANTS_INPUT ||
			r->write_wants == TLS_STATUS_WANTS_OUTPUT)
			return RELAY_STATUS_MORE;
		if (r->write_wants != TLS_STATUS_DONE)
			return stop_sending(r);
		s->start += n;
		r->up_bytes += n;
	}
	return RELAY_STATUS_MORE;
}

/* The device has ended and all it said is sent: so do we. */
static enum relay_status end_up(struct relay *r)
{
	if (!r->device_ended || r->upstream_told || r->up.clear > r->up.start ||
		is_held(r))
		return RELAY_STATUS_MORE;
	drop(&r->up); /* half a request */
	r->write_wants = tls_end(r->tls);
	if (r->write_wants == TLS_STATUS_FAILED)
		return stop_sending(r);
	if (r->write_wants != TLS_STATUS_DONE)
		return RELAY_STATUS_MORE;
	shutdown(r->upstream, SHUT_WR);
	r->upstream_told = true;
	return RELAY_STATUS_MORE;
}

static enum relay_status send_down(struct relay *r)
{
	struct stream *s = &r->down;
	ssize_t n;

	while (!is_empty(s)) {
		n = send(r->device, s->bytes + s->start, s->end - s->start,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return RELAY_STATUS_MORE;
		if (n < 0)
			return break_off(r, "the device cut the connection");
		s->start += (size_t)n;
		r->down_bytes += (size_t)n;
	}
	return RELAY_STATUS_MORE;
}

static enum relay_status take_answer(struct relay *r, size_t length)
{
	struct stream *s = &r->down;
	bool decided = false;

	if (r->track)
		decided = track_answer(r->track, s->bytes + s->end, length);
	s->end += length;
	s->clear = s->end;
	return decided ? judge(r) : RELAY_STATUS_MORE;
}

static enum relay_status read_down(struct relay *r)
{
	struct stream *s = &r->down;
	size_t n;

	if (r->upstream_ended || !has_room(s))
		return RELAY_STATUS_MORE;
	compact(s);
	r->read_wants = tls_read(
		r->tls, s->bytes + s->end, sizeof(s->bytes) - s->end, &n);
	switch (r->read_wants) {
	case TLS_STATUS_DONE:
		return take_answer(r, n);
	case TLS_STATUS_WANTS_INPUT:
	case TLS_STATUS_WANTS_OUTPUT:
		return RELAY_STATUS_MORE;
	case TLS_STATUS_FAILED:
		r->upstream_cut = true;
		r->upstream_ended = true;
		return RELAY_STATUS_MORE;
	case TLS_STATUS_CLOSED:
		r->upstream_ended = true;
		return RELAY_STATUS_MORE;
	}
	return RELAY_STATUS_MORE;
}

/* The server has ended and all it said is delivered. */
static enum relay_status end_down(struct relay *r)
{
	if (!r->upstream_ended || r->device_told || !is_empty(&r->down))
		return RELAY_STATUS_MORE;
	if (r->upstream_cut)
		return break_off(r, tls_reason(r->tls));
	shutdown(r->device, SHUT_WR);
	r->device_told = true;
	return RELAY_STATUS_MORE;
}

static enum relay_status state_of(const struct relay *r)
{
	return r->upstream_told && r->device_told ? RELAY_STATUS_OVER
						  : RELAY_STATUS_MORE;
}

/* One round; the order lets a read byte leave in the same round. */
static enum relay_status step(struct relay *r)
{
	static enum relay_status (*const steps[])(struct relay *) = {
		relay_fill, send_up, end_up, read_down, send_down, end_down};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i](r) == RELAY_STATUS_BROKEN)
			return RELAY_STATUS_BROKEN;
	return state_of(r);
}

static bool has_moved(const struct relay *r, uint64_t bytes)
{
	return r->up_bytes + r->down_bytes != bytes;
}

enum relay_status relay_turn(struct relay *r)
{
	enum relay_status status = RELAY_STATUS_MORE;
	uint64_t before;

	for (unsigned i = 0; i < RELAY_ROUNDS; i++) {
		before = r->up_bytes + r->down_bytes;
		status = step(r);
		if (status != RELAY_STATUS_MORE || !has_moved(r, before))
			return status;
	}
	/* Decrypted bytes, or the end, wake nobody: take them in hand. */
	if (read_down(r) == RELAY_STATUS_BROKEN ||
		end_down(r) == RELAY_STATUS_BROKEN)
		return RELAY_STATUS_BROKEN;
	return state_of(r);
}

static int device_events(const struct relay *r)
{
	int events = 0;

	if (wants_device(r))
		events |= EPOLLIN;
	if (!is_empty(&r->down))
		events |= EPOLLOUT;
	/* Only to hear of a reset while the answer is still to come. */
	if (events == 0 && !(r->device_ended && !r->device_told))
		return RELAY_UNWATCHED;
	return events;
}

static bool has_to_send(const struct relay *r)
{
	if (r->upstream_told)
		return false;
	return r->up.clear > r->up.start || (r->device_ended && !is_held(r));
}

static int upstream_events(const struct relay *r)
{
	int events = 0;

	if (!r->upstream_ended && has_room(&r->down))
		events |= r->read_wants == TLS_STATUS_WANTS_OUTPUT ? EPOLLOUT
								   : EPOLLIN;
	if (has_to_send(r))
		events |= r->write_wants == TLS_STATUS_WANTS_INPUT ? EPOLLIN
								   : EPOLLOUT;
	if (events == 0 && !(r->upstream_ended && !r->upstream_told))
		return RELAY_UNWATCHED;
	return events;
}

void relay_events(const struct relay *relay, int *ret_device, int *ret_upstream)
{
	*ret_device = device_events(relay);
	*ret_upstream = upstream_events(relay);
}
