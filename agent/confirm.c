/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trials of configurations: has what is in force kept before a trial begins
 * (confirm_files.c), and brings back what was before when nobody confirmed.
 * Touches no file itself.
 */
#include "agent/confirm.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/confirm_priv.h"

#define WARN_TRIAL "config.unconfirmed"
#define WARN_RETURNED "config.returned"

static const char *state_name(enum confirm_state state)
{
	switch (state) {
	case CONFIRM_STATE_NONE:
		return "lasting";
	case CONFIRM_STATE_TRIAL:
		return "on trial";
	case CONFIRM_STATE_RETURNING:
		return "returning";
	case CONFIRM_STATE_RETURNED:
		return "returned";
	}
	return "?";
}

static void tell_gateway(struct agent *agent)
{
	const struct confirm *confirm = &agent->confirm;
	struct record_gateway gateway = *state_gateway(agent->state);

	gateway.confirm_until = confirm->state == CONFIRM_STATE_TRIAL
					? confirm->until
					: 0;
	gateway.returned = confirm->state == CONFIRM_STATE_RETURNED;
	state_set_gateway(agent->state, &gateway);
}

/* Without the folder that all of them are in: a warning is short. */
static const char *short_names(
	const struct agent *agent, char text[static CONFIRM_FILES])
{
	const char *config = agent->options.config;
	const char *from = agent->confirm.files, *slash = strrchr(config, '/');
	size_t prefix = slash ? (size_t)(slash - config) + 1 : 0, n = 0;

	if (!from[0])
		from = config;
	while (*from && n < CONFIRM_FILES - 1) {
		if (prefix && strncmp(from, config, prefix) == 0 &&
			from[prefix])
			from += prefix;
		do
			text[n++] = *from;
		while (*from++ != ' ' && *from && n < CONFIRM_FILES - 1);
	}
	text[n] = 0;
	return text;
}

static void warn_returned(struct agent *agent)
{
	char names[CONFIRM_FILES];

	state_warn(agent->state, 0, RECORD_SEVERITY_CRITICAL, WARN_RETURNED,
		"Not confirmed in time, so the configuration before is in "
		"force. Unchanged but NOT in force: %.100s. Once more: "
		"gatehouse config apply --confirm-within 60",
		short_names(agent, names));
}

static void enter_state(struct agent *agent, enum confirm_state state)
{
	struct confirm *confirm = &agent->confirm;

	log_debug("configuration: %s -> %s", state_name(confirm->state),
		state_name(state));
	confirm->state = state;
	if (state == CONFIRM_STATE_TRIAL)
		state_warn(agent->state, 0, RECORD_SEVERITY_WARNING, WARN_TRIAL,
			"The configuration is on trial: the one before returns "
			"by itself unless somebody says: gatehouse config "
			"confirm");
	else
		state_unwarn(agent->state, 0, WARN_TRIAL);
	if (state == CONFIRM_STATE_RETURNED)
		warn_returned(agent);
	else
		state_unwarn(agent->state, 0, WARN_RETURNED);
	tell_gateway(agent);
}

const char *confirm_source(const struct agent *agent)
{
	return agent->confirm.state == CONFIRM_STATE_RETURNING
		       ? agent->confirmed
		       : agent->options.config;
}

static void return_before(struct agent *agent);

static void on_timer(struct timer *timer)
{
	struct agent *agent = container_of(timer, struct agent, confirm.timer);

	if (agent->confirm.state == CONFIRM_STATE_TRIAL)
		log_warning("the configuration was not confirmed within %u "
			    "seconds: the one before returns",
			agent->confirm.seconds);
	return_before(agent);
}

static void on_returned(void *arg, int error, const char *report)
{
	struct agent *agent = arg;

	if (error == 0)
		return;
	log_error("the configuration before could not be put back in force "
		  "(%s); trying again",
		report);
	loop_set_timer(agent->loop, &agent->confirm.timer, CONFIRM_RETRY_MS);
}

static void return_before(struct agent *agent)
{
	enter_state(agent, CONFIRM_STATE_RETURNING);
	if (transaction_reload(agent, on_returned, agent) < 0)
		on_returned(agent, -ENOMEM, "out of memory");
}

static void begin_trial(struct agent *agent, const struct conf *conf)
{
	struct confirm *confirm = &agent->confirm;

	confirm->before.beginning = false;
	confirm->until = clock_wall() + confirm->seconds;
	if (confirm->before.state == CONFIRM_STATE_NONE)
		conf_changed_files(agent->files, conf, confirm->files,
			sizeof(confirm->files));
	confirm_rewrite_marker(agent);
	tell_gateway(agent);
	loop_set_timer(
		agent->loop, &confirm->timer, (int64_t)confirm->seconds * 1000);
	log_notice("the configuration is in force for %u seconds; it stays "
		   "if somebody says: gatehouse config confirm",
		confirm->seconds);
}

void confirm_in_force(struct agent *agent, const struct conf *conf)
{
	struct confirm *confirm = &agent->confirm;

	switch (confirm->state) {
	case CONFIRM_STATE_NONE:
		return;
	case CONFIRM_STATE_TRIAL:
		if (confirm->before.beginning)
			begin_trial(agent, conf);
		return;
	case CONFIRM_STATE_RETURNING:
		if (!agent->transaction.returns)
			return; /* one that had begun before */
		enter_state(agent, CONFIRM_STATE_RETURNED);
		log_error("the configuration before is in force again; "
			  "unchanged but not in force: %s",
			confirm->files);
		return;
	case CONFIRM_STATE_RETURNED:
		/* The owner wanted the files without a trial. */
		if (confirm_forget(agent) < 0)
			log_error("%s/" CONFIRM_MARKER " cannot be removed: "
				  "remove it, or what was in force before "
				  "returns at the next start",
				agent->options.state);
		enter_state(agent, CONFIRM_STATE_NONE);
		return;
	}
}

struct trial {
	struct agent *agent;
	void (*done)(void *arg, int error, const char *report);
	void *arg;
};

/* The files were not taken: all is as it was before. */
static void give_up_trial(struct agent *agent)
{
	struct confirm *confirm = &agent->confirm;

	confirm->before.beginning = false;
	confirm->seconds = confirm->before.seconds;
	if (confirm->before.state == CONFIRM_STATE_NONE &&
		confirm_forget(agent) < 0)
		log_error("%s/" CONFIRM_MARKER " cannot be removed",
			agent->options.state);
	enter_state(agent, confirm->before.state);
}

static void on_tried(void *arg, int error, const char *report)
{
	struct trial *trial = arg;
	struct agent *agent = trial->agent;
	char text[160];

	if (error < 0)
		give_up_trial(agent);
	else
		snprintf(text, sizeof(text),
			"in force for %u seconds; it stays if you say: "
			"gatehouse config confirm",
			agent->confirm.seconds);
	if (trial->done)
		trial->done(trial->arg, error, error < 0 ? report : text);
	free(trial);
}

static int start_trial(
	struct agent *agent, uint32_t seconds, struct trial *trial)
{
	struct confirm *confirm = &agent->confirm;
	int r;

	confirm->before.state = confirm->state;
	confirm->before.seconds = confirm->seconds;
	confirm->seconds = seconds;
	confirm->until = clock_wall() + seconds;
	confirm->timer.fired = on_timer;
	r = confirm_prepare(agent);
	if (r < 0) {
		confirm->seconds = confirm->before.seconds;
		return r;
	}
	confirm->before.beginning = true;
	enter_state(agent, CONFIRM_STATE_TRIAL);
	r = transaction_reload(agent, on_tried, trial);
	if (r < 0)
		give_up_trial(agent);
	return r;
}

void agent_try(struct agent *agent, uint32_t seconds,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	struct trial *trial = NULL;
	char report[160] = "another one is being put in force; try again in a "
			   "moment";
	int r = -EBUSY;

	if (agent->confirm.before.beginning ||
		agent->confirm.state == CONFIRM_STATE_RETURNING ||
		agent->transaction.active)
		goto refuse;
	trial = malloc(sizeof(*trial));
	r = trial ? 0 : -ENOMEM;
	if (trial) {
		*trial = (struct trial){agent, done, arg};
		r = start_trial(agent, seconds, trial);
	}
	if (r == 0)
		return;
	snprintf(report, sizeof(report),
		"nothing was changed, because what is in force could not be "
		"kept in %.60s: %s",
		agent->options.state, strerror(-r));
refuse:
	free(trial);
	if (done)
		done(arg, r, report);
}

int agent_confirm(struct agent *agent)
{
	int r;

	if (agent->confirm.state != CONFIRM_STATE_TRIAL)
		return -EINVAL;
	if (agent->confirm.before.beginning || agent->transaction.active)
		return -EBUSY;
	r = confirm_forget(agent);
	if (r < 0)
		return r;
	loop_stop_timer(agent->loop, &agent->confirm.timer);
	enter_state(agent, CONFIRM_STATE_NONE);
	log_notice("the configuration was confirmed and stays in force");
	transaction_tell_applied(agent);
	return 0;
}

bool agent_on_trial(struct agent *agent)
{
	return agent->confirm.state == CONFIRM_STATE_TRIAL || agent->safe_mode;
}

void confirm_start(struct agent *agent)
{
	if (agent->confirm.state != CONFIRM_STATE_RETURNED)
		return;
	enter_state(agent, CONFIRM_STATE_RETURNED);
	log_error("the configuration was not confirmed before gatehoused "
		  "ended: the one before is in force; unchanged but not in "
		  "force: %s",
		agent->confirm.files[0] ? agent->confirm.files
					: agent->options.config);
}
