/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the flags of bridge ports, has planned what is to change (apart.h),
 * and does it. May change the isolated flag of ports that the agent has
 * written down; must never change another port. What it set stays when it
 * dies.
 */
#include "modules/isolation/ports_sync.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/apart.h"

static struct {
	struct nl_sock *sock;
	struct apart apart;
} self;

int ports_sync_open(void)
{
	return ports_open(&self.sock);
}

static void tell(struct worker *worker, const struct apart_step *step,
	enum isolation_apart_verb verb)
{
	struct isolation_apart apart = {.verb = verb};

	if (step) {
		apart.index = step->index;
		memcpy(apart.interface, step->interface,
			sizeof(apart.interface));
	}
	worker_send(worker, ISOLATION_APART, &apart, sizeof(apart));
}

static int change(const struct apart_step *step, bool on)
{
	int r = ports_isolate(self.sock, step->index, on);

	if (r == 0)
		log_info("port %s: the bridge %s", step->interface,
			on ? "keeps it apart"
			   : "does not keep it apart any "
			     "more");
	else if (r != -ENOENT)
		log_warning("port %s: the bridge cannot %s it apart (%s); the "
			    "rules do",
			step->interface, on ? "keep" : "stop keeping",
			strerror(-r));
	return r;
}

/* True when the agent is told something. */
static bool do_step(struct worker *worker, const struct apart_step *step)
{
	switch (step->verb) {
	case APART_ASK:
		tell(worker, step, ISOLATION_APART_WISH);
		return true;
	case APART_SET:
		(void)change(step, true);
		return false;
	case APART_CLEAR:
	case APART_FORGET:
		if (step->verb == APART_CLEAR) {
			int r = change(step, false);

			if (r < 0 && r != -ENOENT)
				return false;
		}
		apart_drop(&self.apart, step->interface, step->index);
		tell(worker, step, ISOLATION_APART_BACK);
		return true;
	}
	return false;
}

int ports_sync(struct worker *worker, const struct topology *topology)
{
	struct ports_fact *facts = NULL;
	struct apart_step *steps;
	bool told = false;
	size_t n = 0, n_steps;
	int r = ports_read(self.sock, &facts, &n);

	if (r < 0) {
		log_warning("the list of bridge ports is unreadable: %s",
			strerror(-r));
		return r;
	}
	n_steps = apart_plan(&self.apart, topology, facts, n, &steps);
	for (size_t i = 0; i < n_steps; i++)
		told |= do_step(worker, &steps[i]);
	if (told)
		tell(worker, NULL, ISOLATION_APART_END);
	free(steps);
	free(facts);
	return 0;
}

/* Only what is still wanted: it may have changed while it was written. */
static void set_now(
	const struct isolation_apart *may, const struct topology *topology)
{
	const struct topology_port *port = topology_port(topology, may->index);
	struct apart_step step = {.index = may->index};

	memcpy(step.interface, may->interface, sizeof(step.interface));
	if (port && port->apart && !strcmp(port->name, may->interface))
		(void)change(&step, true);
}

int ports_sync_may(struct worker *worker, const struct isolation_apart *may,
	const struct topology *topology)
{
	int r = apart_add(&self.apart, may);

	(void)worker;
	if (r > 0 && topology)
		set_now(may, topology);
	return r < 0 ? r : 0;
}
