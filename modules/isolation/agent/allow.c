/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses allow lines. Touches memory only; must never guess: a line that is
 * not wholly understood is refused with the reason.
 */
#include "modules/isolation/agent/allow.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/conf.h"

#define WORD_MAX 64
#define PORT_DNS 53

static _printf_(2, 3) int refuse(char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, ALLOW_REASON, format, args);
	va_end(args);
	return -EINVAL;
}

static const struct {
	const char *name;
	uint8_t number;
	bool ports;
} protocols[] = {
	{"tcp", IPPROTO_TCP, true},
	{"udp", IPPROTO_UDP, true},
	{"icmp", IPPROTO_ICMP, false},
	{"any", 0, false},
};

static int parse_port(const char *text, uint16_t *ret_port, char *reason)
{
	uint64_t value;

	if (conf_read_number(text, 1, 65535, &value) < 0)
		return refuse(
			reason, "'%s' is no port; ports are 1 to 65535", text);
	*ret_port = (uint16_t)value;
	return 0;
}

static int parse_ports(char *text, struct isolation_allow *allow, char *reason)
{
	char *dash = strchr(text, '-');
	int r;

	if (dash)
		*dash++ = 0;
	r = parse_port(text, &allow->first, reason);
	if (r == 0)
		r = parse_port(dash ? dash : text, &allow->last, reason);
	if (r < 0)
		return r;
	if (allow->first > allow->last)
		return refuse(reason, "the port range %u-%u runs backwards",
			allow->first, allow->last);
	if (allow->first == PORT_DNS && allow->last == PORT_DNS)
		return refuse(reason,
			"port 53 leads to the name servers only; give them in "
			"[gateway] as name-server");
	return 0;
}

static int parse_service(
	char *text, struct isolation_allow *allow, char *reason)
{
	char *slash = strchr(text, '/');

	if (slash)
		*slash++ = 0;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(text, protocols[i].name) != 0)
			continue;
		allow->protocol = protocols[i].number;
		allow->last = 65535;
		if (!slash)
			return 0;
		if (!protocols[i].ports)
			return refuse(reason, "%s has no ports", text);
		return parse_ports(slash, allow, reason);
	}
	return refuse(reason,
		"'%s' is no protocol known here; expected tcp, udp, icmp or "
		"any",
		text);
}

static bool is_name(const char *text)
{
	if (strncmp(text, "*.", 2) == 0)
		text += 2;
	return conf_check_hostname(text) == 0;
}

static int parse_address(
	const char *text, struct isolation_allow *allow, char *reason)
{
	int r = strcmp(text, "any") == 0
			? 0
			: ip_parse_prefix(text, &allow->to, &allow->length);

	/* Addresses are many, and no name looks like one. */
	if (r < 0 && is_name(text))
		return refuse(reason,
			"'%s' is a name, and names are not looked up yet; "
			"write its address such as 203.0.113.10, or any, "
			"gateway, device:NAME or zone:NAME",
			text);
	if (r < 0)
		return refuse(reason,
			"'%s' is no address; expected one such as "
			"203.0.113.10, 2001:db8::/32 (no bits behind the "
			"prefix), any, gateway, device:NAME or zone:NAME",
			text);
	if (allow->to.family && allow->length == 0)
		return refuse(reason, "'%s' is everything; write any", text);
	return 0;
}

bool allow_is_outside(const char *text)
{
	const char *last = strrchr(text, ' ');

	return last && last[1] >= '0' && last[1] <= '9';
}

/* What is inside goes by its name. */
static int parse_target(const char *text, struct allow_line *line, char *reason)
{
	static const struct {
		const char *word;
		enum allow_target target;
	} kinds[] = {
		{"device:", ALLOW_TARGET_DEVICE},
		{"zone:", ALLOW_TARGET_ZONE},
	};

	line->target = ALLOW_TARGET_ADDRESS;
	if (strcmp(text, "gateway") == 0) {
		line->target = ALLOW_TARGET_GATEWAY;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].word);

		if (strncmp(text, kinds[i].word, n) != 0)
			continue;
		if (conf_check_name(text + n) < 0)
			return refuse(reason,
				"'%s' has no name behind the colon; expected "
				"one such as %shub",
				text, kinds[i].word);
		line->target = kinds[i].target;
		snprintf(line->name, sizeof(line->name), "%s", text + n);
		return 0;
	}
	return parse_address(text, &line->allow, reason);
}

int allow_parse_line(
	const char *text, struct allow_line *ret_line, char *ret_reason)
{
	char service[WORD_MAX], target[WORD_MAX], more[WORD_MAX];
	struct allow_line line = {0};
	const char *rest = text;
	int r;

	if (conf_next_word(&rest, service, sizeof(service)) != 1 ||
		conf_next_word(&rest, target, sizeof(target)) != 1 ||
		conf_next_word(&rest, more, sizeof(more)) != 0)
		return refuse(ret_reason,
			"expected a protocol and an address, such as "
			"'tcp/443 203.0.113.10' or 'tcp/80 device:hub'");
	r = parse_service(service, &line.allow, ret_reason);
	if (r == 0)
		r = parse_target(target, &line, ret_reason);
	if (r == 0)
		*ret_line = line;
	return r;
}

int allow_parse(
	const char *text, struct isolation_allow *ret_allow, char *ret_reason)
{
	struct allow_line line;
	int r = allow_parse_line(text, &line, ret_reason);

	if (r < 0)
		return r;
	if (line.target != ALLOW_TARGET_ADDRESS)
		return refuse(ret_reason, "'%s' is no address", text);
	*ret_allow = line.allow;
	return 0;
}

int allow_parse_service(
	const char *text, struct isolation_allow *ret_allow, char *ret_reason)
{
	struct isolation_allow allow = {0};
	char service[WORD_MAX];
	int r;

	if (strlen(text) >= sizeof(service))
		return refuse(ret_reason, "expected one such as tcp/443");
	snprintf(service, sizeof(service), "%s", text);
	r = parse_service(service, &allow, ret_reason);
	if (r == 0)
		*ret_allow = allow;
	return r;
}
