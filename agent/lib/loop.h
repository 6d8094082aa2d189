/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: descriptors and one-shot timers on epoll. One loop per
 * process, no threads. Callbacks may add and remove anything, themselves too.
 */
#ifndef GATEHOUSE_LOOP_H
#define GATEHOUSE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "agent/lib/cleanup.h"

struct loop;

/* A watched descriptor; lives in its owner, which keeps the descriptor. */
struct watch {
	int fd;
	uint32_t events; /* EPOLLIN | EPOLLOUT ... */
	void (*ready)(struct watch *watch, uint32_t events);
	bool active;
};

/* A one-shot timer; lives in its owner. Zeroed memory is a stopped timer. */
struct timer {
	int64_t due_ms;
	size_t slot; /* place in the heap + 1; 0 = not running */
	void (*fired)(struct timer *timer);
};

/* -errno when the kernel gives no epoll descriptor. */
_must_check_ int loop_new(struct loop **ret_loop);
struct loop *loop_free(struct loop *loop);

/* Watches fd; watch->ready must be set. -errno from epoll_ctl(). */
_must_check_ int loop_add_watch(
	struct loop *loop, struct watch *watch, int fd, uint32_t events);
/* Changes the events of an active watch; nothing to do is free. */
void loop_set_events(struct loop *loop, struct watch *watch, uint32_t events);
/* After this, ready() is not called again; the descriptor stays open. */
void loop_remove_watch(struct loop *loop, struct watch *watch);

/* Starts or restarts the timer. -ENOMEM; restarting never fails. */
int loop_set_timer(struct loop *loop, struct timer *timer, int64_t in_ms);
void loop_stop_timer(struct loop *loop, struct timer *timer);

/* Runs until loop_stop(); returns its code, or -errno. */
int loop_run(struct loop *loop);
/* Handles what is due and ready, waiting at most wait_ms; for tests. */
int loop_turn(struct loop *loop, int wait_ms);
void loop_stop(struct loop *loop, int code);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_ms(void);
/* Seconds since 1970 by the wall clock; only where dates are the subject. */
int64_t clock_wall(void);
/* From now on clock_wall() answers this; negative: the real time again. */
void clock_set_wall(int64_t seconds);

#endif
