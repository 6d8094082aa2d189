/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: order of timers, removal from inside callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "agent/lib/loop.h"

#define TIMERS 200

struct tick {
	struct timer timer;
	int64_t wanted;
	bool stopped;
};

static struct loop *loop;
static int64_t last_due;
static unsigned fired;

static int set_up(void **state)
{
	(void)state;
	last_due = 0;
	fired = 0;
	return loop_new(&loop);
}

static int tear_down(void **state)
{
	(void)state;
	loop = loop_free(loop);
	return 0;
}

static void tick(struct timer *timer)
{
	struct tick *t = container_of(timer, struct tick, timer);

	assert_false(t->stopped);
	assert_true(t->timer.due_ms >= last_due);
	last_due = t->timer.due_ms;
	fired++;
}

static void test_timers_fire_in_order(void **state)
{
	static struct tick ticks[TIMERS];
	unsigned stopped = 0;

	(void)state;
	for (unsigned i = 0; i < TIMERS; i++) {
		ticks[i].timer.fired = tick;
		assert_int_equal(
			loop_set_timer(loop, &ticks[i].timer, (i * 7919) % 31),
			0);
	}
	for (unsigned i = 0; i < TIMERS; i += 3) {
		loop_stop_timer(loop, &ticks[i].timer);
		ticks[i].stopped = true;
		stopped++;
	}
	for (unsigned i = 1; i < TIMERS; i += 3) /* move some */
		loop_set_timer(loop, &ticks[i].timer, i % 17);
	while (fired < TIMERS - stopped)
		assert_int_equal(loop_turn(loop, 1000), 0);
	assert_int_equal(fired, TIMERS - stopped);
	loop_stop_timer(loop, &ticks[0].timer); /* twice is once */
}

struct pipe_end {
	struct watch watch;
	struct watch *victim;
	unsigned calls;
};

static void remove_victim(struct watch *watch, uint32_t events)
{
	struct pipe_end *end = container_of(watch, struct pipe_end, watch);

	(void)events;
	end->calls++;
	loop_remove_watch(loop, end->victim);
}

/* Two are ready in one batch; whoever comes first strikes the other out. */
static void test_removed_watch_is_not_called(void **state)
{
	struct pipe_end a = {.watch.ready = remove_victim};
	struct pipe_end b = {.watch.ready = remove_victim};
	int one[2], two[2];

	(void)state;
	a.victim = &b.watch;
	b.victim = &a.watch;
	assert_int_equal(pipe(one) | pipe(two), 0);
	assert_int_equal(loop_add_watch(loop, &a.watch, one[0], EPOLLIN), 0);
	assert_int_equal(loop_add_watch(loop, &b.watch, two[0], EPOLLIN), 0);
	assert_int_equal(write(one[1], "x", 1) + write(two[1], "x", 1), 2);
	assert_int_equal(loop_turn(loop, 1000), 0);
	assert_int_equal(a.calls + b.calls, 1);
	close(one[0]), close(one[1]), close(two[0]), close(two[1]);
}

static void stop_seven(struct timer *timer)
{
	(void)timer;
	loop_stop(loop, 7);
}

static void test_run_returns_the_code(void **state)
{
	struct timer timer = {.fired = stop_seven};

	(void)state;
	loop_set_timer(loop, &timer, 1);
	assert_int_equal(loop_run(loop), 7);
}

static void test_wall_clock_can_be_set(void **state)
{
	(void)state;
	clock_set_wall(12345);
	assert_int_equal(clock_wall(), 12345);
	clock_set_wall(-1);
	assert_true(clock_wall() > 1600000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_timers_fire_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_removed_watch_is_not_called, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_run_returns_the_code, set_up, tear_down),
		cmocka_unit_test(test_wall_clock_can_be_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
