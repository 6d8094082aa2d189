/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the interfaces that devices were seen on, and at the result of the
 * last self-test, and has all judged. Reads only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/agent/honest.h"

#define FACTS_MAX 1088 /* ports of all bridges, and the zones' interfaces */

static struct {
	struct agent *agent;
	struct timer again;
	struct honest_fact facts[FACTS_MAX];
	size_t n;
} self;

/* what: a folder that the kernel shows of an interface. */
static bool has(const char *interface, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, what);
	return access(path, F_OK) == 0;
}

static void add_fact(const char *interface)
{
	struct honest_fact *fact;

	for (size_t i = 0; i < self.n; i++)
		if (!strcmp(self.facts[i].interface, interface))
			return;
	if (!interface[0] || strchr(interface, '/') || self.n == FACTS_MAX)
		return;
	fact = &self.facts[self.n++];
	memset(fact, 0, sizeof(*fact));
	memcpy(fact->interface, interface, strnlen(interface, 15));
	fact->is_bridge = has(interface, "bridge");
	/* One that has gone is not said to be anything. */
	fact->routed = has(interface, "ifindex") && !fact->is_bridge &&
		       !has(interface, "brport");
	wifi_look("", interface, &fact->wifi);
}

static void load_probes(struct agent *agent, struct probe_results *results)
{
	_cleanup_(cleanup_close) int folder = open(
		agent_state_dir(agent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = folder < 0 ? -errno : probe_load(folder, clock_wall(), results);

	if (r < 0)
		log_debug("the result of the last self-test is not used: %s",
			strerror(-r));
}

void honest_look(struct agent *agent)
{
	const struct state *state = agent_state(agent);
	const struct record_device *d;
	struct probe_results probes = {.n = 0};

	self.n = 0;
	for (uint32_t id = 0; (d = state_device_after(state, id)); id = d->id)
		if (honest_enforces(d->isolation))
			add_fact(d->interface);
	load_probes(agent, &probes);
	honest_judge(
		agent_state(agent), self.facts, self.n, &probes, clock_wall());
}

static void on_again(struct timer *timer)
{
	honest_look(self.agent);
	if (loop_set_timer(agent_loop(self.agent), timer, HONEST_LOOK_MS) < 0)
		log_error("what isolation is worth is not looked at any more");
}

void honest_start(struct agent *agent)
{
	self.agent = agent;
	self.again.fired = on_again;
	if (!self.again.slot)
		on_again(&self.again);
	else
		honest_look(agent);
}
