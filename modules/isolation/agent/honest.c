/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges what isolation is worth. Touches the state only, and looks at /sys
 * and hostapd's configuration for it; must never call a device isolated
 * whose frames may reach its neighbours without passing this gateway.
 */
#include "modules/isolation/agent/honest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/loop.h"

#define NAMED 3 /* neighbours that a reason names */

bool honest_enforces(uint8_t isolation)
{
	return isolation != RECORD_ISOLATION_NONE &&
	       isolation != RECORD_ISOLATION_OBSERVED;
}

uint8_t honest_isolation(
	const struct state *state, uint8_t mode, uint8_t before)
{
	if (!state_gateway(state)->rules_generation)
		return RECORD_ISOLATION_NONE;
	if (mode != RECORD_MODE_ENFORCE)
		return RECORD_ISOLATION_OBSERVED;
	return honest_enforces(before) ? before : RECORD_ISOLATION_UNVERIFIED;
}

/* Devices that were seen of late, in order of their interfaces. */
struct crowd {
	const struct record_device **devices;
	size_t n;
};

static int by_interface(const void *a, const void *b)
{
	const struct record_device *x = *(struct record_device *const *)a;
	const struct record_device *y = *(struct record_device *const *)b;
	int order = strcmp(x->interface, y->interface);

	return order ? order : (x->id > y->id) - (x->id < y->id);
}

static bool is_there(const struct record_device *d, int64_t now_s)
{
	return d->interface[0] && now_s - d->last_seen <= HONEST_FRESH_S;
}

static int gather(
	const struct state *state, int64_t now_s, struct crowd *ret_crowd)
{
	const struct record_device *d;
	size_t n = 0, at = 0;

	for (uint32_t id = 0; (d = state_device_after(state, id)); id = d->id)
		n += is_there(d, now_s);
	ret_crowd->devices = calloc(n + 1, sizeof(d));
	if (!ret_crowd->devices)
		return -ENOMEM;
	for (uint32_t id = 0; (d = state_device_after(state, id)); id = d->id)
		if (is_there(d, now_s))
			ret_crowd->devices[at++] = d;
	ret_crowd->n = at;
	if (at)
		qsort(ret_crowd->devices, at, sizeof(d), by_interface);
	return 0;
}

static const struct honest_fact *fact_of(
	const struct honest_fact *facts, size_t n, const char *interface)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(facts[i].interface, interface))
			return &facts[i];
	return NULL;
}

/* "sensor, lamp and 2 others", all of them but who reads it. */
static void name_others(const struct record_device *const *group, size_t n,
	const struct record_device *self, char *text, size_t size)
{
	size_t named = 0, others = n - 1, used = 0;

	text[0] = 0;
	for (size_t i = 0; i < n && named < NAMED; i++) {
		if (group[i] == self)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s",
			named ? ", " : "", group[i]->name);
		named++;
	}
	if (others > named)
		snprintf(text + used, size - used, " and %zu more",
			others - named);
}

#define OTHERS (NAMED * (RECORD_NAME + 2) + 32)

static void put(struct state *state, const struct record_device *old,
	enum record_isolation isolation, const char *reason)
{
	struct record_device record = *old;

	record.isolation = (uint8_t)isolation;
	memset(record.isolation_reason, 0, sizeof(record.isolation_reason));
	snprintf(record.isolation_reason, sizeof(record.isolation_reason), "%s",
		reason);
	(void)state_put_device(state, &record);
}

/* What a self-test found on a zone's bridge is not true of what is none. */
static void judge_probe(struct state *state, const struct record_device *d,
	const struct honest_fact *fact, const struct probe_results *probes)
{
	int held = probe_of(probes, d->zone);

	if (held != 0 && fact && fact->routed)
		put(state, d, RECORD_ISOLATION_UNVERIFIED,
			"the rules are in force, but where no bridge is, a "
			"self-test cannot send; try from a device of your own");
	else if (held > 0)
		put(state, d, RECORD_ISOLATION_ENFORCED,
			"real packets were tried and did not get through");
	else if (held == 0)
		put(state, d, RECORD_ISOLATION_PARTIAL,
			"packets of the last self-test got through; what: sudo "
			"gatehouse self-test");
	else
		put(state, d, RECORD_ISOLATION_UNVERIFIED,
			"the rules are in force, no real packet was tried; to "
			"try: sudo gatehouse self-test");
}

/* True when the access point itself settles it, for good or bad. */
static bool judge_wifi(struct state *state, const struct record_device *d,
	const struct honest_fact *fact, const struct probe_results *probes)
{
	char reason[sizeof(d->isolation_reason)];

	switch (fact ? fact->wifi.verdict : WIFI_WIRED) {
	case WIFI_CANNOT:
		put(state, d, RECORD_ISOLATION_IMPOSSIBLE,
			"this radio forwards between its stations by itself "
			"and cannot be told not to");
		return true;
	case WIFI_OPEN:
		snprintf(reason, sizeof(reason),
			"%s forwards between its stations: ap_isolate=1 is "
			"missing in %.80s",
			d->interface, fact->wifi.file);
		put(state, d, RECORD_ISOLATION_PARTIAL, reason);
		return true;
	case WIFI_APART:
		judge_probe(state, d, fact, probes);
		return true;
	case WIFI_UNKNOWN:
	case WIFI_WIRED:
		return false;
	}
	return false;
}

static void judge_one(struct state *state, const struct record_device *d,
	const struct record_device *const *group, size_t n,
	const struct honest_fact *fact, const struct probe_results *probes)
{
	char others[OTHERS], reason[sizeof(d->isolation_reason)];

	if (judge_wifi(state, d, fact, probes))
		return;
	if (n > 1 && !(fact && fact->is_bridge)) {
		name_others(group, n, d, others, sizeof(others));
		snprintf(reason, sizeof(reason),
			"behind %s it reaches %s without this gateway",
			d->interface, others);
		put(state, d, RECORD_ISOLATION_PARTIAL, reason);
	} else if (fact && fact->wifi.verdict == WIFI_UNKNOWN) {
		put(state, d, RECORD_ISOLATION_UNVERIFIED,
			"no configuration of hostapd was found that says "
			"whether stations are kept apart");
	} else {
		judge_probe(state, d, fact, probes);
	}
}

/* One sentence for each kind, with the first place it is seen in. */
struct tell {
	char shared[OTHERS + 64], open[WIFI_PATH], cannot[16];
	unsigned open_line;
	size_t n_shared;
};

static void note(struct tell *tell, const struct record_device *const *group,
	size_t n, const struct honest_fact *fact)
{
	enum wifi_verdict wifi = fact ? fact->wifi.verdict : WIFI_WIRED;
	char others[OTHERS];

	if (wifi == WIFI_OPEN && !tell->open[0]) {
		snprintf(tell->open, sizeof(tell->open), "%s", fact->wifi.file);
		tell->open_line = fact->wifi.line;
	} else if (wifi == WIFI_CANNOT) {
		memcpy(tell->cannot, fact->interface, sizeof(tell->cannot));
	} else if ((wifi == WIFI_WIRED || wifi == WIFI_UNKNOWN) && n > 1 &&
		   !(fact && fact->is_bridge) && !tell->n_shared++) {
		name_others(group, n, group[0], others, sizeof(others));
		snprintf(tell->shared, sizeof(tell->shared), "%s, %s (%s)",
			group[0]->name, others, group[0]->interface);
	}
}

static void say(struct state *state, const struct tell *tell)
{
	if (tell->n_shared)
		state_warn(state, 0, RECORD_SEVERITY_WARNING,
			"isolation.shared-port",
			"Behind one port, devices reach each other without "
			"this gateway: %s%s. Give each a port of its own, or "
			"turn on port or client isolation in that switch or "
			"access point.",
			tell->shared, tell->n_shared > 1 ? ", and more" : "");
	else
		state_unwarn(state, 0, "isolation.shared-port");
	if (tell->open[0])
		state_warn(state, 0, RECORD_SEVERITY_WARNING, "wifi.open",
			"Stations of one Wi-Fi reach each other without this "
			"gateway. Set ap_isolate=1 in %s (line %u) and restart "
			"hostapd.",
			tell->open, tell->open_line);
	else
		state_unwarn(state, 0, "wifi.open");
	if (tell->cannot[0])
		state_warn(state, 0, RECORD_SEVERITY_WARNING, "wifi.cannot",
			"The radio of %s, such as those built into Raspberry "
			"Pi 3B+ and 4, cannot keep its stations apart. Use a "
			"Wi-Fi adapter or access point with client isolation.",
			tell->cannot);
	else
		state_unwarn(state, 0, "wifi.cannot");
}

/* Who is observed, or under no rules, has no promise to be judged. */
static void judge_rest(struct state *state, int64_t now_s)
{
	const struct record_device *d;

	for (uint32_t id = 0; (d = state_device_after(state, id)); id = d->id) {
		if (!honest_enforces(d->isolation)) {
			if (d->isolation_reason[0])
				put(state, d, d->isolation, "");
		} else if (!is_there(d, now_s)) {
			put(state, d, RECORD_ISOLATION_UNVERIFIED,
				d->last_seen ? "it is not there at this moment"
					     : "it was not seen yet");
		}
	}
}

void honest_judge(struct state *state, const struct honest_fact *facts,
	size_t n_facts, const struct probe_results *probes, int64_t now_s)
{
	struct crowd crowd = {0};
	struct tell tell = {0};

	judge_rest(state, now_s);
	if (gather(state, now_s, &crowd) < 0)
		return;
	for (size_t i = 0, n; i < crowd.n; i += n) {
		const struct record_device *const *group =
			(const void *)&crowd.devices[i];
		const struct honest_fact *fact = fact_of(
			facts, n_facts, group[0]->interface);
		bool any = false;

		for (n = 0; i + n < crowd.n &&
			    !strcmp(group[n]->interface, group[0]->interface);
			n++)
			any |= honest_enforces(group[n]->isolation);
		if (any)
			note(&tell, group, n, fact);
		for (size_t k = 0; k < n; k++)
			if (honest_enforces(group[k]->isolation))
				judge_one(state, group[k], group, n, fact,
					probes);
	}
	say(state, &tell);
	free(crowd.devices);
}
