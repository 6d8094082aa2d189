/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much devices may, from the configuration to the worker, and what the
 * owner hears of those who wanted more. In the agent.
 */
#ifndef GATEHOUSE_ISOLATION_LIMITS_H
#define GATEHOUSE_ISOLATION_LIMITS_H

#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"

/* Devices that are over a limit at the same time; more are only counted. */
#define LIMITS_EPISODES_MAX 256
/* So long within its limits, and the next time is news again. */
#define LIMITS_QUIET_MS (10 * 60 * 1000)
/* Over a limit so long ago is over it now: the worker counts sometimes only. */
#define LIMITS_NOW_MS (60 * 1000)

/* "200/s", "30/m" or "unlimited" (rate 0). -EINVAL. */
_must_check_ int limits_parse_rate(
	const char *text, uint32_t *ret_rate, uint32_t *ret_seconds);
int limits_check_rate(const char *text);
#define LIMITS_RATE_EXPECTED                          \
	"connections in a second or minute, such as " \
	"200/s or 30/m, or unlimited"

/*
 * "2mbit" both ways, or "up 500kbit down 2mbit", or one of them; in bytes a
 * second, 0 where nothing is said. -EINVAL.
 */
_must_check_ int limits_parse_bandwidth(
	const char *text, uint64_t *ret_up, uint64_t *ret_down);
int limits_check_bandwidth(const char *text);
#define LIMITS_BANDWIDTH_EXPECTED                                            \
	"64kbit to 10gbit, such as 2mbit for both ways, or up 500kbit down " \
	"2mbit"

/*
 * How much the device may: its own rate, its zone's, the gateway's, or
 * ISOLATION_RATE_DEFAULT. A device that names no zone gets the most that any
 * zone of devices has, because it may be seen in each.
 */
void limits_of(const struct conf *conf, const struct conf_section *device,
	struct isolation_limit *ret_limit);
/* The same, and the lines that say so; NULL: none does. */
struct limits_found {
	struct isolation_limit limit;
	const struct conf_value *rate, *bandwidth;
};
void limits_find(const struct conf *conf, const struct conf_section *device,
	struct limits_found *ret_found);
_must_check_ int limits_send(struct agent *agent, const struct conf *conf,
	const struct conf_section *device, uint32_t id);

/* ISOLATION_OVER up: warns once, until the device has been quiet. */
void limits_over(struct agent *agent, const struct isolation_over *over);
/* Was it over its rate, or its bandwidth, not longer than LIMITS_NOW_MS ago? */
bool limits_is_over(uint32_t device, bool bandwidth, int64_t now_ms);
/*
 * What limits the device and by which lines, and what of it is reached now, as
 * sentences. observed: what is more passes.
 */
void limits_explain(const struct conf *conf, const struct conf_section *device,
	uint32_t id, bool observed, char *ret_text, size_t size);
/* Takes the warnings of those back who are quiet; how many are not. */
size_t limits_sweep(struct state *state, int64_t now_ms);

#endif
