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

static int parse_bytes(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"kbit", 125}, {"mbit", 125000}, {"gbit", 125000000}};
	size_t digits = strspn(text, "0123456789");
	char number[WORD_MAX];
	uint64_t value;

	if (!digits || digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t most = ISOLATION_BANDWIDTH_MAX / units[i].bytes;

		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		if (conf_read_number(number, 1, most, &value) < 0 ||
			value * units[i].bytes < ISOLATION_BANDWIDTH_MIN)
			return -EINVAL;
		*ret_bytes = value * units[i].bytes;
		return 0;
	}
	return -EINVAL;
}

int limits_parse_bandwidth(
	const char *text, uint64_t *ret_up, uint64_t *ret_down)
{
	uint64_t both = 0, up = 0, down = 0;
	char word[WORD_MAX];
	int r;

	while ((r = conf_next_word(&text, word, sizeof(word))) == 1) {
		uint64_t *way = !strcmp(word, "up")     ? &up
				: !strcmp(word, "down") ? &down
							: &both;

		if (*way || both)
			return -EINVAL;
		if (way != &both &&
			conf_next_word(&text, word, sizeof(word)) != 1)
			return -EINVAL;
		if (parse_bytes(word, way) < 0)
			return -EINVAL;
	}
	if (r < 0 || (both && (up || down)) || !(both || up || down))
		return -EINVAL;
	*ret_up = both ? both : up;
	*ret_down = both ? both : down;
	return 0;
}

int limits_check_bandwidth(const char *text)
{
	uint64_t up, down;

	return limits_parse_bandwidth(text, &up, &down);
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
	const struct conf_section *section, struct limits_found *found)
{
	const struct conf_value *value = section ? conf_get(section, "rate")
						 : NULL;

	/* The check has made sure that it can be read. */
	if (value && limits_parse_rate(value->text, &found->limit.rate,
			     &found->limit.seconds) == 0)
		found->rate = value;
}

static void take_bandwidth(
	const struct conf_section *device, struct limits_found *found)
{
	const struct conf_value *value = conf_get(device, "bandwidth");

	if (value && limits_parse_bandwidth(value->text, &found->limit.up,
			     &found->limit.down) == 0)
		found->bandwidth = value;
}

static struct limits_found zone_limit(const struct conf *conf,
	const struct conf_section *device, struct limits_found gateway)
{
	const struct conf_section *own = conf_find(
		conf, "zone", conf_text(device, "zone", ""));
	struct limits_found most = gateway;
	bool first = true;

	if (own) {
		take_rate(own, &gateway);
		return gateway;
	}
	for (const struct conf_section *z = conf_next(conf, "zone", NULL); z;
		z = conf_next(conf, "zone", z)) {
		struct limits_found one = gateway;

		if (!is_devices_zone(z))
			continue;
		take_rate(z, &one);
		if (first || is_more(&one.limit, &most.limit))
			most = one;
		first = false;
	}
	return most;
}

void limits_find(const struct conf *conf, const struct conf_section *device,
	struct limits_found *ret_found)
{
	struct limits_found found = {
		.limit = {.rate = ISOLATION_RATE_DEFAULT, .seconds = 1}};

	take_rate(conf_next(conf, "gateway", NULL), &found);
	found = zone_limit(conf, device, found);
	take_rate(device, &found);
	take_bandwidth(device, &found);
	*ret_found = found;
}

void limits_of(const struct conf *conf, const struct conf_section *device,
	struct isolation_limit *ret_limit)
{
	struct limits_found found;

	limits_find(conf, device, &found);
	*ret_limit = found.limit;
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
