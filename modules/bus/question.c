/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns a local user's words into numbers for the agent, and the agent's
 * answer into a dictionary. Must never pass on a word that it does not
 * understand.
 */
#include "modules/bus/question.h"

#include <errno.h>

#include "modules/bus/names.h"
#include "modules/bus/port.h"
#include "modules/bus/question_parse.h"

int question_read(sd_bus_message *message, struct bus_call *ret_call)
{
	const char *protocol, *to;
	uint16_t port;
	int r;

	r = sd_bus_message_read(
		message, "usqs", &ret_call->number, &protocol, &port, &to);
	return r < 0 ? -EINVAL
		     : question_parse(protocol, port, to, &ret_call->question);
}

static int append(sd_bus_message *m, const char *key, char *text, size_t size)
{
	if (names_clean(text, size) < 0 || !*text)
		return 0;
	return sd_bus_message_append(m, "{ss}", key, text);
}

static int append_all(sd_bus_message *m, void *arg)
{
	struct bus_because *b = arg;
	static const char *const kernel[] = {NULL, "agrees", "differs"};
	int r;

	r = sd_bus_message_append(m, "{ss}{ss}{ss}", "allowed",
		b->allowed ? "yes" : "no", "passes", b->passes ? "yes" : "no",
		"mode", names_mode(b->mode));
	if (r >= 0 && b->kernel < ARRAY_SIZE(kernel) && kernel[b->kernel])
		r = sd_bus_message_append(
			m, "{ss}", "kernel", kernel[b->kernel]);
	if (r >= 0)
		r = append(m, "reason", b->reason, sizeof(b->reason));
	if (r >= 0)
		r = append(m, "rule", b->rule, sizeof(b->rule));
	if (r >= 0)
		r = append(m, "advice", b->advice, sizeof(b->advice));
	if (r >= 0)
		r = append(m, "upgrade", b->upgrade, sizeof(b->upgrade));
	if (r >= 0)
		r = append(m, "foreign", b->foreign, sizeof(b->foreign));
	if (r >= 0)
		r = append(m, "limits", b->limits, sizeof(b->limits));
	return r;
}

void calls_because(struct port *port, const struct bus_because *because)
{
	struct call *call = calls_find(&port->calls, because->cookie);
	struct bus_because clean = *because;

	/* From isolation, which has no say in any other call. */
	if (because->cookie == 0 || !call || call->verb != BUS_VERB_WHY)
		return;
	if (calls_answer_list(call, "{ss}", append_all, &clean) < 0)
		sd_bus_reply_method_errorf(call->message, BUS_ERROR_FAILED,
			"the answer could not be made");
	calls_release(call);
	port_kick(port);
}
