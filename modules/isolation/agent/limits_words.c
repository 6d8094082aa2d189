/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What limits a device, as sentences for its owner. Touches memory only; must
 * never name a line that does not hold for this device.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/loop.h"
#include "modules/isolation/agent/limits.h"

#define PLACE_MAX 256

static _printf_(3, 4) void add(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

static const char *place_of(
	const struct conf_value *value, char place[PLACE_MAX])
{
	if (!value)
		return "nobody says otherwise";
	snprintf(place, PLACE_MAX, "%.100s:%u: %s = %.60s", value->file,
		value->line, value->key->name, value->text);
	return place;
}

static void explain_rate(
	const struct limits_found *found, char *text, size_t size)
{
	char place[PLACE_MAX];

	if (found->limit.rate)
		add(text, size, "%u new connections a %s", found->limit.rate,
			found->limit.seconds == 1 ? "second" : "minute");
	else
		add(text, size, "any rate of new connections");
	add(text, size, " (%s), %d at once", place_of(found->rate, place),
		ISOLATION_CONNECTIONS_MAX);
}

void limits_explain(const struct conf *conf, const struct conf_section *device,
	uint32_t id, bool observed, char *ret_text, size_t size)
{
	const char *more = observed ? "what is more passes, because it is only "
				      "observed"
				    : "what is more is refused";
	int64_t now_ms = clock_ms();
	struct limits_found found;
	char place[PLACE_MAX];

	limits_find(conf, device, &found);
	ret_text[0] = 0;
	explain_rate(&found, ret_text, size);
	if (found.bandwidth)
		add(ret_text, size, "; its bandwidth (%s)",
			place_of(found.bandwidth, place));
	if (limits_is_over(id, false, now_ms))
		add(ret_text, size, ". It is over its connections now: %s",
			more);
	if (limits_is_over(id, true, now_ms))
		add(ret_text, size, ". It is over its bandwidth now: %s", more);
}
