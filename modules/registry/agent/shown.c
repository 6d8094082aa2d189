/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who decided about each device: a file and its line, or the registry and the
 * user. Touches the agent's state only.
 */
#include "modules/registry/agent/shown.h"

#include <string.h>

#include "modules/registry/agent/known.h"
#include "modules/registry/agent/overlay.h"

/* The wall clock moves a little; that is no news. */
static int64_t steady(int64_t before, int64_t end_ms, int64_t now_ms)
{
	int64_t until;

	if (!end_ms || end_ms <= now_ms)
		return 0;
	until = clock_wall() + (end_ms - now_ms + 999) / 1000;
	return before && until - before <= 2 && before - until <= 2 ? before
								    : until;
}

static void say_decided(struct record_device *record,
	const struct conf_section *section, const struct known *known,
	int64_t now_ms)
{
	char by[sizeof(record->decided_by)] = "";
	int64_t before = record->decision_until;
	const char *profile = "";

	record->decision_until = 0;
	if (section && strcmp(section->file, OVERLAY_FILE) != 0) {
		/* The end of a path says most. */
		size_t n = strlen(section->file), most = sizeof(by) - 16;

		snprintf(by, sizeof(by), "%s:%u",
			section->file + (n > most ? n - most : 0),
			section->line);
	} else if (known && known_verdict(known, now_ms)) {
		snprintf(by, sizeof(by), "registry: %s", known->told.actor);
		if (known_verdict(known, now_ms) == REGISTRY_VERDICT_APPROVED)
			profile = known_profile(known, now_ms);
		record->decision_until = steady(before, known->ends_ms, now_ms);
	}
	record_set_text(record->decided_by, sizeof(record->decided_by), by);
	record_set_text(record->profile, sizeof(record->profile), profile);
}

static void review(struct state *state, const struct conf *conf,
	const struct record_device *device, int64_t now_ms)
{
	const struct known *known = known_find(&device->mac);
	struct record_device record = *device;

	say_decided(&record,
		device->id < RECORD_STRANGER_BASE
			? conf_find_id(conf, device->id)
			: NULL,
		known, now_ms);
	record.paused_until = steady(
		record.paused_until, known ? known->pause_ms : 0, now_ms);
	/* A stranger that was given a name is still one. */
	if (device->id >= RECORD_STRANGER_BASE && known && known->told.name[0])
		record_set_text(
			record.name, sizeof(record.name), known->told.name);
	if (memcmp(&record, device, sizeof(record)) != 0)
		(void)state_put_device(state, &record);
}

static void review_gateway(struct state *state, int64_t now_ms)
{
	struct record_gateway gateway = *state_gateway(state);
	const struct known *all = known_all();

	gateway.paused_until = steady(
		gateway.paused_until, all ? all->pause_ms : 0, now_ms);
	state_set_gateway(state, &gateway);
	if (gateway.paused_until)
		state_warn(state, 0, RECORD_SEVERITY_WARNING, "gateway.paused",
			"Nothing is blocked for a time, whatever is "
			"configured, because somebody said: gatehouse pause "
			"--all. To end it now: gatehouse pause --all 0");
	else
		state_unwarn(state, 0, "gateway.paused");
}

void shown_review(struct agent *agent, const struct conf *conf, int64_t now_ms)
{
	struct state *state = agent_state(agent);
	const struct record_device *device;

	for (uint32_t id = 0; (device = state_device_after(state, id));) {
		id = device->id;
		review(state, conf, device, now_ms);
	}
	review_gateway(state, now_ms);
}
