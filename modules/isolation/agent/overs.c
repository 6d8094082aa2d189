/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who went over a limit: told once, until it has been quiet for a while.
 * Touches the agent's state only; must never let a device fill the list of
 * warnings.
 */
#include <stdio.h>
#include <string.h>

#include "agent/lib/loop.h"
#include "modules/isolation/agent/limits.h"

#define SWEEP_MS (60 * 1000)
#define TEXT_MAX 96

static struct {
	struct {
		uint32_t device;
		uint8_t bandwidth;
		int64_t last_ms;
	} episodes[LIMITS_EPISODES_MAX];
	size_t n;
	struct agent *agent;
	struct timer sweep;
} self;

static const char *code_of(uint8_t bandwidth)
{
	return bandwidth ? "device.bandwidth" : "device.rate";
}

/* True: the beginning of an episode. */
static bool note(const struct isolation_over *over, int64_t now_ms)
{
	for (size_t i = 0; i < self.n; i++) {
		if (self.episodes[i].device != over->device ||
			self.episodes[i].bandwidth != over->bandwidth)
			continue;
		self.episodes[i].last_ms = now_ms;
		return false;
	}
	if (self.n == LIMITS_EPISODES_MAX)
		return false;
	self.episodes[self.n].device = over->device;
	self.episodes[self.n].bandwidth = over->bandwidth;
	self.episodes[self.n++].last_ms = now_ms;
	return true;
}

bool limits_is_over(uint32_t device, bool bandwidth, int64_t now_ms)
{
	for (size_t i = 0; i < self.n; i++)
		if (self.episodes[i].device == device &&
			self.episodes[i].bandwidth == bandwidth)
			return now_ms - self.episodes[i].last_ms <
			       LIMITS_NOW_MS;
	return false;
}

size_t limits_sweep(struct state *state, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < self.n; i++) {
		if (now_ms - self.episodes[i].last_ms < LIMITS_QUIET_MS)
			self.episodes[kept++] = self.episodes[i];
		else
			state_unwarn(state, self.episodes[i].device,
				code_of(self.episodes[i].bandwidth));
	}
	self.n = kept;
	return kept;
}

static void on_sweep(struct timer *timer)
{
	if (limits_sweep(agent_state(self.agent), clock_ms()))
		loop_set_timer(agent_loop(self.agent), timer, SWEEP_MS);
}

static const char *describe(struct agent *agent,
	const struct isolation_over *over, char text[TEXT_MAX])
{
	const struct conf *conf = agent_conf(agent);
	const struct conf_section *section = conf_find_id(conf, over->device);
	struct isolation_limit limit = {0};

	if (section)
		limits_of(conf, section, &limit);
	if (over->bandwidth) {
		snprintf(text, TEXT_MAX,
			"sent or received more than its bandwidth of %s",
			section ? conf_text(section, "bandwidth", "") : "");
		return text;
	}
	if (!limit.rate)
		return "opened too many connections";
	snprintf(text, TEXT_MAX,
		"opened more than %u connections a %s, or too many at once",
		limit.rate, limit.seconds == 1 ? "second" : "minute");
	return text;
}

static void warn(struct agent *agent, const struct record_device *known,
	const struct isolation_over *over)
{
	char text[TEXT_MAX];

	state_warn(agent_state(agent), known->id, RECORD_SEVERITY_WARNING,
		code_of(over->bandwidth),
		"%s %s. %s If it needs more, raise %s in its [device]; if "
		"not, see what it does.",
		known->name, describe(agent, over, text),
		known->mode == RECORD_MODE_OBSERVE
			? "It is only observed: all of it passed."
			: "What was more is refused.",
		over->bandwidth ? "bandwidth" : "rate");
}

void limits_over(struct agent *agent, const struct isolation_over *over)
{
	const struct record_device *known = state_device(
		agent_state(agent), over->device);

	if (!known || !note(over, clock_ms()))
		return;
	warn(agent, known, over);
	self.agent = agent;
	self.sweep.fired = on_sweep;
	if (!self.sweep.slot)
		loop_set_timer(agent_loop(agent), &self.sweep, SWEEP_MS);
}
