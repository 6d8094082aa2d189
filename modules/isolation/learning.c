/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes what devices learned. What is no device's any more, or past a limit,
 * is left out with a word in the log; must never end the worker for what a
 * device made its resolver say.
 */
#include "modules/isolation/learning.h"

#include <errno.h>

#include "agent/lib/log.h"
#include "modules/isolation/engine_learn.h"

#define TELL_MS 60000

static void on_flush(struct timer *timer)
{
	struct learning *learning = container_of(timer, struct learning, flush);

	engine_flush_learned(learning->cuts->engine);
}

void learning_init(struct learning *learning, struct cuts *cuts)
{
	*learning = (struct learning){.cuts = cuts};
	learning->flush.fired = on_flush;
}

static void refuse(struct learning *learning, const struct mac *mac)
{
	char text[MAC_TEXT];
	int64_t now_ms = clock_ms();

	learning->refused++;
	if (learning->told_ms && now_ms - learning->told_ms < TELL_MS)
		return;
	log_warning("%u addresses that names led to were not opened: %s or "
		    "all devices together have too many",
		learning->refused, mac_format(mac, text));
	learning->told_ms = now_ms;
	learning->refused = 0;
}

int learning_add(
	struct learning *learning, const struct isolation_learned *what)
{
	struct engine *engine = learning->cuts->engine;
	const struct isolation_device *d = policy_device(
		&engine->policy, what->device);
	int r;

	if (!d)
		return 0; /* it went while this was on its way */
	r = learned_add(&engine->learned, &d->mac, what, clock_ms());
	if (r == -ENOSPC) {
		refuse(learning, &d->mac);
		return 0;
	}
	if (r == 0 && !learning->flush.slot)
		r = loop_set_timer(engine->loop, &learning->flush, 0);
	return r;
}

/* At once: what is said before it, too. */
int learning_forget(
	struct learning *learning, const struct isolation_learned *what)
{
	struct engine *engine = learning->cuts->engine;
	const struct isolation_device *d = policy_device(
		&engine->policy, what->device);

	if (what->ip.family && what->ip.family != AF_INET &&
		what->ip.family != AF_INET6)
		return -EINVAL;
	if (!d || !learned_forget(&engine->learned, &d->mac, what))
		return 0;
	engine_flush_learned(engine);
	cuts_forgotten(learning->cuts, &d->mac);
	return 0;
}
