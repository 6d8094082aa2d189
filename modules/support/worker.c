/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-support: compares support dates with the clock and tells the
 * agent what follows. Reads typed messages and the clock, nothing else; has
 * no file, no network and no privilege.
 */
#include <errno.h>

#include "agent/lib/worker.h"
#include "modules/support/judge.h"
#include "modules/support/table.h"

static struct table table;
static struct timer again;

static void tell(void *arg, const struct support_verdict *verdict)
{
	worker_send(arg, SUPPORT_VERDICT, verdict, sizeof(*verdict));
}

static struct worker *the_worker;

static int judge_now(struct worker *worker)
{
	int64_t wall = clock_wall();

	table_judge(&table, wall, BUILD_TIME, tell, worker);
	return loop_set_timer(
		worker->loop, &again, judge_next_ms(wall, BUILD_TIME));
}

static void again_due(struct timer *timer)
{
	(void)timer;
	/* Restarting the timer that fired needs no memory: cannot fail. */
	judge_now(the_worker);
}

static int on_device(void *owner, const void *message, int fd)
{
	const struct worker *worker = owner;

	(void)fd;
	if (!worker->wanted)
		return -EPROTO;
	return table_add(&table, message);
}

static int start(struct worker *worker)
{
	the_worker = worker;
	again.fired = again_due;
	return 0;
}

static int begin(struct worker *worker)
{
	(void)worker;
	table_begin(&table);
	return 0;
}

static int apply(struct worker *worker, char *reason)
{
	(void)reason;
	table_apply(&table);
	return judge_now(worker);
}

static void abort_wanted(struct worker *worker)
{
	(void)worker;
	table_begin(&table);
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(SUPPORT_DEVICE, struct support_device, on_device),
};

static const struct worker_describe describe = {
	.name = "support",
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.start = start,
	.begin = begin,
	.apply = apply,
	.abort = abort_wanted,
};

int main(int argc, char **argv)
{
	return worker_main(&describe, argc, argv);
}
