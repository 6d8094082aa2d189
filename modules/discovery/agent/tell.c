/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for what was denied. The counts of record are the kernel's; what is
 * told here says what it was about and when. Touches the agent's state and
 * the log only; must never let a device write more lines than TELL_LINES.
 */
#include "modules/discovery/agent/tell.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>

#include "agent/lib/log.h"

static struct log_limit lines = {
	.interval_ms = TELL_LINES_MS, .burst = TELL_LINES};
static struct log_limit lost_lines = {.interval_ms = 60000, .burst = 1};

static bool target_sane(const struct discovery_target *target)
{
	return target->records &&
	       (target->to.family == 0 || target->to.family == AF_INET ||
		       target->to.family == AF_INET6);
}

bool tell_sane(const struct discovery_tried *tried)
{
	if (tried->reason < DISCOVERY_REASON_DENIED ||
		tried->reason > DISCOVERY_REASON_BRIDGED ||
		tried->n_targets > DISCOVERY_TARGETS || !tried->n_targets)
		return false;
	for (size_t i = 0; i < tried->n_targets; i++)
		if (!target_sane(&tried->targets[i]))
			return false;
	return true;
}

/* Text that grows, and stops at its end. */
struct text {
	char *at;
	size_t left;
};

static _printf_(2, 3) void add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->at, text->left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->left)
		n = (int)text->left - 1;
	text->at += n;
	text->left -= (size_t)n;
}

static void add_target(struct text *text, const struct discovery_target *target)
{
	char ip[IP_TEXT];

	if (!target->to.family) {
		add(text, "ethertype 0x%04x", target->port);
		return;
	}
	switch (target->protocol) {
	case 0:
		add(text, "arp");
		break;
	case IPPROTO_TCP:
		add(text, "tcp/%u", target->port);
		break;
	case IPPROTO_UDP:
		add(text, "udp/%u", target->port);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		add(text, "icmp");
		break;
	default:
		add(text, "protocol %u", target->protocol);
		break;
	}
	add(text, " %s", ip_format(&target->to, ip));
}

static const char *outcome(
	const struct record_device *device, const struct discovery_tried *tried)
{
	if (device && device->mode == RECORD_MODE_OBSERVE)
		return "only observed, it passed";
	switch ((enum discovery_reason)tried->reason) {
	case DISCOVERY_REASON_DENIED:
		return "denied";
	case DISCOVERY_REASON_QUARANTINED:
		return "denied, it is in quarantine";
	case DISCOVERY_REASON_BRIDGED:
		return "denied, that is another device";
	}
	return "denied";
}

const char *tell_text(const struct record_device *device,
	const struct discovery_tried *tried, char text[static TELL_TEXT])
{
	struct text line = {text, TELL_TEXT};
	char mac[MAC_TEXT];

	add(&line, "%s tried ",
		device ? device->name : mac_format(&tried->mac, mac));
	for (size_t i = 0; i < tried->n_targets; i++) {
		add(&line, "%s", i ? ", " : "");
		add_target(&line, &tried->targets[i]);
		if (tried->targets[i].records > 1)
			add(&line, " (%u times)", tried->targets[i].records);
	}
	if (tried->others)
		add(&line, " and %u others", tried->others);
	add(&line, ": %s", outcome(device, tried));
	if (device && device->denied)
		add(&line, "; %llu packets so far",
			(unsigned long long)device->denied);
	return text;
}

void tell_tried(struct state *state, const struct discovery_tried *tried)
{
	const struct record_device *known = state_device_by_mac(
		state, &tried->mac);
	struct record_device record;
	char text[TELL_TEXT];

	if (known) {
		record = *known;
		record.last_denied = clock_wall();
		/* Replacing a record needs no memory: cannot fail. */
		(void)state_put_device(state, &record);
	}
	if (log_allowed(&lines))
		log_notice(
			"%s", tell_text(known ? &record : NULL, tried, text));
}

void tell_lost(const struct discovery_lost *lost)
{
	if (!log_allowed(&lost_lines))
		return;
	log_warning("of denied packets %llu records did not reach us, %llu "
		    "made no sense and %llu were of too many devices at once; "
		    "all of them are in the counts of gatehouse status",
		(unsigned long long)lost->overrun,
		(unsigned long long)lost->unread,
		(unsigned long long)lost->crowded);
}
