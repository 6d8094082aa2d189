/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the first configuration back until modules know what they have to add
 * to it: who was let in before must not be cut off because the daemon starts.
 * The rules that are in the kernel stay until then. Never waits for long: a
 * module that says nothing adds nothing.
 */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

#define HOLD_MOST_MS 5000

static void let_go(struct agent *agent)
{
	struct conf *conf = NULL;
	int r;

	loop_stop_timer(agent->loop, &agent->hold);
	r = config_overlay(agent, agent->files, &conf);
	if (r == 0) {
		conf_free(agent->conf);
		agent->conf = conf;
		devices_publish(agent);
	} else {
		log_error("what was decided about devices cannot be added to "
			  "the configuration: %s",
			strerror(-r));
		conf_free(conf);
	}
	transaction_review(agent);
}

static void over(struct timer *timer)
{
	struct agent *agent = container_of(timer, struct agent, hold);

	log_warning("going on without what was decided about devices: it is "
		    "not known after %d seconds",
		HOLD_MOST_MS / 1000);
	let_go(agent);
}

static bool somebody_holds(void)
{
	for (size_t i = 0; i < agent_modules_count; i++)
		if (agent_modules[i]->holds && agent_modules[i]->holds())
			return true;
	return false;
}

int hold_start(struct agent *agent)
{
	agent->hold.fired = over;
	if (!somebody_holds())
		return 0;
	return loop_set_timer(agent->loop, &agent->hold, HOLD_MOST_MS);
}

bool hold_active(const struct agent *agent)
{
	return agent->hold.slot != 0;
}

void agent_release(struct agent *agent)
{
	if (hold_active(agent) && !somebody_holds())
		let_go(agent);
}
