/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The publish lines of devices. Reads the configuration only; must never
 * open more than a port of TCP or UDP at an address that is the device's.
 */
#include "modules/isolation/agent/publish.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/agent/allow.h"
#include "modules/isolation/agent/passes.h"

#define WORD_MAX 64

static int parse(
	const char *word, struct isolation_allow *ret_allow, char *reason)
{
	int r = allow_parse_service(word, ret_allow, reason);

	if (r < 0)
		return r;
	if (!strchr(word, '/') || !ret_allow->protocol) {
		snprintf(reason, ALLOW_REASON,
			"'%s' would open too much; expected ports, such as "
			"tcp/443",
			word);
		return -EINVAL;
	}
	return 0;
}

static void check_value(struct conf *conf, const struct conf_section *device,
	const struct conf_value *value)
{
	const char *rest = value->text;
	char word[WORD_MAX];
	int r;

	while ((r = conf_next_word(&rest, word, sizeof(word))) == 1) {
		struct isolation_allow allow;
		char reason[ALLOW_REASON];

		if (parse(word, &allow, reason) < 0)
			conf_complain(conf, value->file, value->line,
				"publish = %s: %s", value->text, reason);
	}
	if (r < 0)
		conf_complain(conf, value->file, value->line,
			"publish: expected ports, such as tcp/443");
	if (!conf_given(device, "address"))
		conf_complain(conf, value->file, value->line,
			"publish = %s: where is it? Expected an address line "
			"in [device %s], such as 'address = 192.168.50.11'",
			value->text, device->name);
}

void publish_check(struct conf *conf)
{
	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d))
		for (const struct conf_value *v = conf_get(d, "publish"); v;
			v = conf_get_next(v))
			check_value(conf, d, v);
}

static int send_value(struct agent *agent, const struct conf *conf,
	const struct conf_section *device, const struct conf_value *value)
{
	const char *rest = value->text;
	char word[WORD_MAX];
	int r = 0;

	while (r == 0 && conf_next_word(&rest, word, sizeof(word)) == 1) {
		struct isolation_pass pass = {
			.device = agent_device_id(conf, device)};
		struct isolation_allow allow;
		char reason[ALLOW_REASON];

		r = parse(word, &allow, reason);
		if (r < 0)
			return r;
		pass.protocol = allow.protocol;
		pass.first = allow.first;
		pass.last = allow.last;
		r = passes_send_to(agent, ISOLATION_PUBLISH, pass, device);
	}
	return r;
}

int publish_send(struct agent *agent, const struct conf *conf)
{
	int r = 0;

	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d))
		for (const struct conf_value *v = conf_get(d, "publish");
			v && r == 0; v = conf_get_next(v))
			r = send_value(agent, conf, d, v);
	return r;
}
