/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: epoll for descriptors, a binary heap for timers. Touches
 * nothing but its own epoll descriptor. A callback may free its own watch or
 * any other: what was removed is struck from the batch that is being handled.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/lib/loop.h"

#define LOOP_BATCH 64

struct loop {
	int epoll_fd;
	struct epoll_event batch[LOOP_BATCH];
	int batch_size;
	struct timer **heap;
	size_t timers, room;
	bool stopping;
	int code;
};

static int64_t pinned_wall = -1;

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall(void)
{
	struct timespec now;

	if (pinned_wall >= 0)
		return pinned_wall;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

void clock_set_wall(int64_t seconds)
{
	pinned_wall = seconds;
}

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return -errno;
	}
	*ret_loop = loop;
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	close(loop->epoll_fd);
	free(loop->heap);
	free(loop);
	return NULL;
}

int loop_add_watch(
	struct loop *loop, struct watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	assert(watch->ready && !watch->active);
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	watch->fd = fd;
	watch->events = events;
	watch->active = true;
	return 0;
}

void loop_set_events(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (!watch->active || watch->events == events)
		return;
	/* Cannot fail for a descriptor that is registered. */
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
	watch->events = events;
}

void loop_remove_watch(struct loop *loop, struct watch *watch)
{
	if (!watch->active)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->active = false;
	for (int i = 0; i < loop->batch_size; i++) {
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

/* The heap: the earliest timer is at 0; timer->slot is its place + 1. */

static void heap_place(struct loop *loop, struct timer *timer, size_t at)
{
	loop->heap[at] = timer;
	timer->slot = at + 1;
}

static void heap_up(struct loop *loop, size_t at)
{
	struct timer *timer = loop->heap[at];

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (loop->heap[parent]->due_ms <= timer->due_ms)
			break;
		heap_place(loop, loop->heap[parent], at);
		at = parent;
	}
	heap_place(loop, timer, at);
}

static void heap_down(struct loop *loop, size_t at)
{
	struct timer *timer = loop->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= loop->timers)
			break;
		if (child + 1 < loop->timers &&
			loop->heap[child + 1]->due_ms <
				loop->heap[child]->due_ms)
			child++;
		if (timer->due_ms <= loop->heap[child]->due_ms)
			break;
		heap_place(loop, loop->heap[child], at);
		at = child;
	}
	heap_place(loop, timer, at);
}

static int heap_grow(struct loop *loop)
{
	size_t room = loop->room ? loop->room * 2 : 16;
	struct timer **heap;

	if (loop->timers < loop->room)
		return 0;
	heap = reallocarray(loop->heap, room, sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	loop->heap = heap;
	loop->room = room;
	return 0;
}

int loop_set_timer(struct loop *loop, struct timer *timer, int64_t in_ms)
{
	assert(timer->fired);
	timer->due_ms = clock_ms() + (in_ms > 0 ? in_ms : 0);
	if (!timer->slot) {
		if (heap_grow(loop) < 0)
			return -ENOMEM;
		heap_place(loop, timer, loop->timers++);
	}
	heap_up(loop, timer->slot - 1);
	heap_down(loop, timer->slot - 1);
	return 0;
}

void loop_stop_timer(struct loop *loop, struct timer *timer)
{
	size_t at = timer->slot - 1;
	struct timer *last;

	if (!timer->slot)
		return;
	timer->slot = 0;
	last = loop->heap[--loop->timers];
	if (last == timer)
		return;
	heap_place(loop, last, at);
	heap_up(loop, at);
	heap_down(loop, last->slot - 1);
}

static void fire_timers(struct loop *loop)
{
	int64_t now = clock_ms();

	while (loop->timers && loop->heap[0]->due_ms <= now) {
		struct timer *timer = loop->heap[0];

		loop_stop_timer(loop, timer);
		timer->fired(timer);
		if (loop->stopping)
			return;
	}
}

static int wait_until_due(const struct loop *loop, int wait_ms)
{
	int64_t left;

	if (!loop->timers)
		return wait_ms;
	left = loop->heap[0]->due_ms - clock_ms();
	if (left < 0)
		left = 0;
	if (left > INT32_MAX)
		left = INT32_MAX;
	return wait_ms < 0 || left < wait_ms ? (int)left : wait_ms;
}

int loop_turn(struct loop *loop, int wait_ms)
{
	int n = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH,
		wait_until_due(loop, wait_ms));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	loop->batch_size = n;
	for (int i = 0; i < n && !loop->stopping; i++) {
		struct watch *watch = loop->batch[i].data.ptr;

		if (watch)
			watch->ready(watch, loop->batch[i].events);
	}
	loop->batch_size = 0;
	if (!loop->stopping)
		fire_timers(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	loop->stopping = false;
	while (!loop->stopping) {
		int r = loop_turn(loop, -1);

		if (r < 0)
			return r;
	}
	return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
	loop->stopping = true;
	loop->code = code;
}
