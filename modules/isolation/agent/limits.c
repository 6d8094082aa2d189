/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of devices, as the configuration has them. Reads checked
 * configuration only; must never give a device more than the nearest line
 * that speaks of it says.
 */
#include "modules/isolation/agent/limits.h"

#include <errno.h>
#include <string.h>

#define WORD_MAX 32

int limits_parse_rate(
	const char *text, uint32_t *ret_rate, uint32_t *ret_seconds)
{
	char number[WORD_MAX];
	const char *slash = strchr(text, '/');
	uint64_t rate;

	if (!strcmp(text, "unlimited")) {
		*ret_rate = 0;
		*ret_seconds = 1;
		return 0;
	}
	if (!slash || (size_t)(slash - text) >= sizeof(number) ||
		(strcmp(slash, "/s") != 0 && strcmp(slash, "/m") != 0))
		return -EINVAL;
	memcpy(number, text, (size_t)(slash - text));
	number[slash - text] = '\0';
	if (conf_read_number(number, 1, ISOLATION_RATE_MAX, &rate) < 0)
		return -EINVAL;
	*ret_rate = (uint32_t)rate;
	*ret_seconds = slash[1] == 's' ? 1 : 60;
	return 0;
}

int limits_check_rate(const char *text)
{
	uint32_t rate, seconds;

	return limits_parse_rate(text, &rate, &seconds);
}

static bool is_devices_zone(const struct conf_section *zone)
{
	return !strcmp(conf_text(zone, "role", "devices"), "devices");
}

/* Is a more than b? Unlimited is more than anything. */
static bool is_more(
	const struct isolation_limit *a, const struct isolation_limit *b)
{
	if (!a->rate || !b->rate)
		return !a->rate && b->rate;
	return (uint64_t)a->rate * b->seconds > (uint64_t)b->rate * a->seconds;
}

/* Leaves the limit as it is when the section has none of its own. */
static void take_rate(
	const struct conf_section *section, struct isolation_limit *limit)
{
	const char *text = conf_text(section, "rate", "");

	/* The check has made sure that it can be read. */
	if (text[0] &&
		limits_parse_rate(text, &limit->rate, &limit->seconds) < 0)
		return;
}

static struct isolation_limit zone_limit(const struct conf *conf,
	const struct conf_section *device, struct isolation_limit gateway)
{
	const struct conf_section *own = conf_find(
		conf, "zone", conf_text(device, "zone", ""));
	struct isolation_limit most = gateway;
	bool first = true;

	if (own) {
		take_rate(own, &gateway);
		return gateway;
	}
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z)) {
		struct isolation_limit one = gateway;

		if (!is_devices_zone(z))
			continue;
		take_rate(z, &one);
		if (first || is_more(&one, &most))
			most = one;
		first = false;
	}
	return most;
}

void limits_of(const struct conf *conf, const struct conf_section *device,
	struct isolation_limit *ret_limit)
{
	struct isolation_limit limit = {
		.rate = ISOLATION_RATE_DEFAULT, .seconds = 1};

	take_rate(conf_next(conf, "gateway", NULL), &limit);
	limit = zone_limit(conf, device, limit);
	take_rate(device, &limit);
	*ret_limit = limit;
}

int limits_send(struct agent *agent, const struct conf *conf,
	const struct conf_section *device, uint32_t id)
{
	struct isolation_limit limit;

	limits_of(conf, device, &limit);
	limit.device = id;
	return agent_send(
		agent, "isolation", ISOLATION_LIMIT, &limit, sizeof(limit), -1);
}
