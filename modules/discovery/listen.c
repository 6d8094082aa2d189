/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads frames from sockets that the agent opened: hostile bytes. Must never
 * write to one, nor tell the agent more than match/news.h allows.
 */
#include "modules/discovery/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_ROOM 2048 /* of a frame; a longer one is cut */

static void tell_first(struct listen *listen)
{
	listen->tell(&listen->held[listen->first].evidence);
	listen->first = (listen->first + 1) % LISTEN_HELD_MAX;
	listen->n_held--;
}

static void on_due(struct timer *timer)
{
	struct listen *listen = container_of(timer, struct listen, timer);
	int64_t now = clock_ms(), due = now;

	while (listen->n_held &&
		(due = listen->held[listen->first].due_ms) <= now)
		tell_first(listen);
	if (listen->n_held)
		loop_set_timer(listen->loop, timer, due - now);
}

static void hold(struct listen *listen, const struct mac *mac, unsigned kind,
	const char *value, int64_t now)
{
	struct listen_held *held;

	if (listen->n_held == LISTEN_HELD_MAX)
		tell_first(listen);
	held = &listen->held[(listen->first + listen->n_held++) %
			     LISTEN_HELD_MAX];
	*held = (struct listen_held){.due_ms = now + LISTEN_HOLD_MS,
		.evidence = {.mac = *mac, .kind = (uint8_t)kind}};
	memcpy(held->evidence.value, value, strlen(value) + 1);
	if (!listen->timer.slot)
		loop_set_timer(listen->loop, &listen->timer, LISTEN_HOLD_MS);
}

static void on_evidence(
	void *arg, const struct mac *mac, unsigned kind, const char *value)
{
	struct listen *listen = arg;
	int64_t now = clock_ms();

	if (news_is_new(&listen->news, mac, kind, value, now))
		hold(listen, mac, kind, value, now);
}

/* False when there is nothing more, or the interface went away. */
static bool read_frame(struct listen *listen, int fd)
{
	uint8_t bytes[FRAME_ROOM];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	gather_frame(&listen->gather, (struct bytes){bytes, (size_t)n});
	return true;
}

static void on_frames(struct watch *watch, uint32_t events)
{
	struct listen_ear *ear = container_of(watch, struct listen_ear, watch);

	(void)events;
	for (int i = 0; i < LISTEN_READS && read_frame(ear->listen, watch->fd);
		i++)
		;
}

static void close_ear(struct listen *listen, struct listen_ear *ear)
{
	if (ear->watch.fd < 0)
		return;
	loop_remove_watch(listen->loop, &ear->watch);
	close(ear->watch.fd);
	ear->watch.fd = -1;
}

void listen_init(struct listen *listen, struct loop *loop, uint64_t secret,
	void (*tell)(const struct discovery_evidence *evidence))
{
	listen->loop = loop;
	listen->timer.fired = on_due;
	listen->news.secret = secret;
	listen->tell = tell;
	listen->gather = (struct gather){.tell = on_evidence, .arg = listen};
	for (size_t i = 0; i < DISCOVERY_EARS_MAX; i++)
		listen->ears[i] = (struct listen_ear){
			{.fd = -1, .ready = on_frames}, listen};
}

int listen_add(struct listen *listen, const struct discovery_ear *about, int fd)
{
	struct listen_ear *ear;

	if (about->place >= DISCOVERY_EARS_MAX) {
		close(fd);
		return -EPROTO;
	}
	ear = &listen->ears[about->place];
	close_ear(listen, ear);
	ear->watch.fd = fd;
	return loop_add_watch(listen->loop, &ear->watch, fd, EPOLLIN);
}

void listen_clear(struct listen *listen)
{
	for (size_t i = 0; i < DISCOVERY_EARS_MAX; i++)
		close_ear(listen, &listen->ears[i]);
}
