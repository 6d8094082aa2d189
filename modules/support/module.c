/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of support, inside the agent: the key of [device], what the worker
 * is told, and its verdicts as records and warnings. Verdicts are kept by
 * device, because they may come before the device's record does.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/support/dates.h"
#include "modules/support/support_proto.h"

#define CODE_ENDING "support.ending"
#define CODE_ENDED "support.ended"

/* What is known of a device; id 0: no verdict came. */
struct known {
	struct support_verdict verdict;
	uint16_t warned; /* the stage of the warning that stands */
	bool configured;
};

/* By device id; only the configuration makes it grow. */
static struct known *known;
static size_t n_known;

static int check_date(const char *text)
{
	int32_t day;

	return dates_parse(text, &day);
}

static const struct conf_key device_keys[] = {
	{"support-ends", check_date,
		"a day (2027-06-30), a month (2027-06) or a year (2027) from "
		"2000 to 2199",
		false,
		"The last day, month or year in which the maker gives the "
		"device security updates (UTC)."},
};

static const struct conf_schema schemas[] = {
	{"device", true, device_keys, ARRAY_SIZE(device_keys)},
};

static int make_room(uint32_t id)
{
	size_t n = (size_t)id + 64;
	struct known *bigger;

	if (id < n_known)
		return 0;
	bigger = reallocarray(known, n, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + n_known, 0, (n - n_known) * sizeof(*bigger));
	known = bigger;
	n_known = n;
	return 0;
}

static int configure(struct agent *agent, const struct conf *conf)
{
	const struct conf_section *device = NULL;

	while ((device = conf_next(conf, "device", device))) {
		const char *ends = conf_text(device, "support-ends", NULL);
		struct support_device item = {
			.id = agent_device_id(conf, device)};
		int r = make_room(item.id);

		if (r == 0 && ends) {
			snprintf(item.ends, sizeof(item.ends), "%s", ends);
			r = agent_send(agent, "support", SUPPORT_DEVICE, &item,
				sizeof(item), -1);
		}
		/* -ENOENT: the worker is away and gets it all when back. */
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static void drop_warnings(struct state *state, uint32_t id)
{
	state_unwarn(state, id, CODE_ENDING);
	state_unwarn(state, id, CODE_ENDED);
	known[id].warned = 0;
}

/* Each stage is a new warning, so that whoever waits for one hears of it. */
static void warn_ending(struct state *state, const struct record_device *record)
{
	const struct support_verdict *verdict = &known[record->id].verdict;

	if (known[record->id].warned == verdict->stage)
		return;
	drop_warnings(state, record->id);
	/* With too many warnings already, it is tried again every day. */
	if (!state_warn(state, record->id,
		    verdict->stage > 30 ? RECORD_SEVERITY_INFO
					: RECORD_SEVERITY_WARNING,
		    CODE_ENDING,
		    "the maker's support for %s ends on %s, in %u days or "
		    "fewer; ask the maker for a later date, or plan to "
		    "replace it",
		    record->name, verdict->last_day, verdict->stage))
		return;
	known[record->id].warned = verdict->stage;
	log_notice("the support for %s ends on %s", record->name,
		verdict->last_day);
}

static void warn_ended(struct state *state, const struct record_device *record)
{
	const struct support_verdict *verdict = &known[record->id].verdict;

	state_unwarn(state, record->id, CODE_ENDING);
	known[record->id].warned = 0;
	if (!state_warn(state, record->id, RECORD_SEVERITY_WARNING, CODE_ENDED,
		    "the maker's support for %s ended on %s, it gets no more "
		    "security updates; replace it, or ask the maker for a "
		    "later date and set support-ends",
		    record->name, verdict->last_day))
		return;
	log_warning("the support for %s ended on %s", record->name,
		verdict->last_day);
}

static void warn(struct state *state, const struct record_device *record)
{
	switch ((enum record_support)record->support) {
	case RECORD_SUPPORT_ENDING:
		warn_ending(state, record);
		return;
	case RECORD_SUPPORT_ENDED:
		warn_ended(state, record);
		return;
	case RECORD_SUPPORT_UNKNOWN:
	case RECORD_SUPPORT_SUPPORTED:
	case RECORD_SUPPORT_NO_CLOCK:
		drop_warnings(state, record->id);
		return;
	}
}

/* True when the verdict is about the date that is configured now. */
static bool is_about(const struct support_verdict *verdict, const char *ends)
{
	char text[DATES_TEXT];
	int32_t day;

	return verdict->id && dates_parse(ends, &day) == 0 &&
	       strcmp(dates_format(day, text), verdict->last_day) == 0;
}

/* Makes record and warnings what configuration and verdict say. */
static void publish(struct state *state, uint32_t id, const char *ends)
{
	const struct record_device *before = state_device(state, id);
	const struct support_verdict *verdict;
	struct record_device record;

	if (!before || id >= n_known)
		return;
	record = *before;
	verdict = &known[id].verdict;
	memset(record.support_ends, 0, sizeof(record.support_ends));
	snprintf(record.support_ends, sizeof(record.support_ends), "%s", ends);
	record.support = RECORD_SUPPORT_UNKNOWN;
	record.support_days = 0;
	if (is_about(verdict, ends)) {
		record.support = verdict->support;
		record.support_days = verdict->days;
	}
	/* Replacing a record needs no memory: cannot fail. */
	state_put_device(state, &record);
	warn(state, &record);
}

static void applied(struct agent *agent, const struct conf *conf)
{
	const struct conf_section *device = NULL;

	for (size_t id = 0; id < n_known; id++)
		known[id].configured = false;
	while ((device = conf_next(conf, "device", device))) {
		uint32_t id = agent_device_id(conf, device);

		if (id < n_known)
			known[id].configured = true;
		publish(agent_state(agent), id,
			conf_text(device, "support-ends", ""));
	}
	/* A device that comes back later is news again. */
	for (size_t id = 0; id < n_known; id++) {
		if (!known[id].configured)
			memset(&known[id], 0, sizeof(known[id]));
	}
}

static bool is_stage(const struct support_verdict *verdict)
{
	bool ending = verdict->support == RECORD_SUPPORT_ENDING;

	switch (verdict->stage) {
	case 0:
		return !ending;
	case 7:
	case 30:
	case 90:
	case 180:
		return ending;
	}
	return false;
}

static int on_verdict(void *owner, const void *message, int fd)
{
	const struct support_verdict *verdict = message;
	struct agent *agent = owner;
	const struct record_device *record;

	(void)fd;
	if (verdict->id == 0 || verdict->id >= n_known ||
		verdict->support < RECORD_SUPPORT_SUPPORTED ||
		verdict->support > RECORD_SUPPORT_NO_CLOCK ||
		!is_stage(verdict) ||
		!memchr(verdict->last_day, '\0', sizeof(verdict->last_day)))
		return -EPROTO;
	known[verdict->id].verdict = *verdict;
	record = state_device(agent_state(agent), verdict->id);
	/* Without a record yet, applied() will publish it. */
	if (record && record->support_ends[0])
		publish(agent_state(agent), verdict->id, record->support_ends);
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(SUPPORT_VERDICT, struct support_verdict, on_verdict),
};

const struct module support_module = {
	.name = "support",
	.files = 16,
	.schemas = schemas,
	.n_schemas = ARRAY_SIZE(schemas),
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.configure = configure,
	.applied = applied,
};
