/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call is held until the bus driver has told the caller's uid, judged,
 * passed to the agent and answered. The policy file of the bus has judged
 * before; this is the second lock on the same door. Must never wait: a slow
 * or silent bus or agent costs its callers an error, nobody else anything.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/log.h"
#include "modules/bus/decision.h"
#include "modules/bus/names.h"
#include "modules/bus/port.h"
#include "modules/bus/question.h"

#define EXPIRY_MS 1000

struct call *calls_find(struct calls *calls, uint64_t cookie)
{
	for (size_t i = 0; i < BUS_CALLS_MAX; i++)
		if (calls->waiting[i].cookie == cookie)
			return &calls->waiting[i];
	return NULL;
}

void calls_release(struct call *call)
{
	sd_bus_slot_unref(call->who);
	sd_bus_message_unref(call->message);
	free(call->attempts);
	memset(call, 0, sizeof(*call));
}

static int64_t patience_ms(enum bus_verb verb)
{
	switch (verb) {
	case BUS_VERB_ATTEMPTS:
	case BUS_VERB_WHY:
		return 10 * 1000;
	case BUS_VERB_RELOAD:
	case BUS_VERB_APPLY:
	case BUS_VERB_CONFIRM:
	case BUS_VERB_DECIDE:
		return 60 * 1000;
	case BUS_VERB_UPDATE_CHECK:
	case BUS_VERB_UPDATE_APPLY:
		return 300 * 1000;
	}
	return 0;
}

static bool needs_root(enum bus_verb verb)
{
	switch (verb) {
	case BUS_VERB_RELOAD:
	case BUS_VERB_UPDATE_APPLY:
	case BUS_VERB_APPLY:
	case BUS_VERB_CONFIRM:
	case BUS_VERB_DECIDE:
		return true;
	case BUS_VERB_ATTEMPTS:
	case BUS_VERB_UPDATE_CHECK:
	case BUS_VERB_WHY:
		return false;
	}
	return true;
}

static void refuse(struct port *port, struct call *call, const char *error,
	const char *text)
{
	sd_bus_reply_method_errorf(call->message, error, "%s", text);
	calls_release(call);
	port_kick(port);
}

static void expire(struct timer *timer)
{
	struct calls *calls = container_of(timer, struct calls, expiry);
	struct port *port = container_of(calls, struct port, calls);
	bool waiting = false;

	for (size_t i = 0; i < BUS_CALLS_MAX; i++) {
		struct call *call = &calls->waiting[i];

		if (call->cookie == 0)
			continue;
		if (call->due_ms <= clock_ms())
			refuse(port, call, BUS_ERROR_FAILED,
				"gatehouse did not answer in time; see its "
				"log: journalctl -u gatehouse");
		else
			waiting = true;
	}
	if (waiting)
		loop_set_timer(port->worker->loop, timer, EXPIRY_MS);
}

/* Both files of an update, in front of the call itself. */
static int send_files(struct port *port, struct call *call)
{
	struct bus_file file = {.cookie = call->cookie};
	int statement, package;
	struct stat st;
	int r;

	r = sd_bus_message_read(call->message, "hh", &statement, &package);
	if (r < 0)
		return r;
	if (fstat(statement, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	if (fstat(package, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	file.part = BUS_PART_STATEMENT;
	worker_send_fd(port->worker, BUS_FILE, &file, sizeof(file), statement);
	file.part = BUS_PART_PACKAGE;
	worker_send_fd(port->worker, BUS_FILE, &file, sizeof(file), package);
	return 0;
}

static void forward(struct port *port, struct call *call)
{
	struct bus_call out = {
		.cookie = call->cookie,
		.verb = call->verb,
		.uid = call->uid,
	};
	int r = 0;

	/* Its type was checked against the table of methods. */
	if (call->verb == BUS_VERB_APPLY &&
		sd_bus_message_read(call->message, "u", &out.number) < 0)
		out.number = 0;
	if (call->verb == BUS_VERB_WHY &&
		question_read(call->message, &out) < 0) {
		refuse(port, call, BUS_ERROR_REFUSED, QUESTION_REFUSED);
		return;
	}
	if (call->verb == BUS_VERB_DECIDE &&
		decision_read(call->message, &out) < 0) {
		refuse(port, call, BUS_ERROR_REFUSED, DECISION_REFUSED);
		return;
	}
	if (call->verb == BUS_VERB_UPDATE_CHECK ||
		call->verb == BUS_VERB_UPDATE_APPLY)
		r = send_files(port, call);
	if (r < 0) {
		refuse(port, call, BUS_ERROR_REFUSED,
			"the statement and the package must be ordinary "
			"files, open for reading");
		return;
	}
	worker_send(port->worker, BUS_CALL, &out, sizeof(out));
	call->due_ms = clock_ms() + patience_ms(call->verb);
}

/* The bus driver says who asked. */
static int on_uid(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct port *port = userdata;
	sd_bus_slot *slot = sd_bus_get_current_slot(port->bus);
	struct call *call = NULL;

	(void)error;
	for (size_t i = 0; i < BUS_CALLS_MAX; i++)
		if (port->calls.waiting[i].cookie &&
			port->calls.waiting[i].who == slot)
			call = &port->calls.waiting[i];
	if (call == NULL)
		return 0;
	if (sd_bus_message_is_method_error(m, NULL) ||
		sd_bus_message_read(m, "u", &call->uid) < 0)
		refuse(port, call, BUS_ERROR_NOT_ALLOWED,
			"the bus does not say who you are");
	else if (needs_root(call->verb) && call->uid != 0)
		refuse(port, call, BUS_ERROR_NOT_ALLOWED,
			"only root may do this; try sudo");
	else
		forward(port, call);
	return 0;
}

int calls_begin(struct port *port, sd_bus_message *message, enum bus_verb verb)
{
	struct calls *calls = &port->calls;
	struct call *call = calls_find(calls, 0);
	int r;

	if (call == NULL)
		return sd_bus_reply_method_errorf(message, BUS_ERROR_BUSY,
			"too many calls wait for an answer already; try "
			"again in a moment");
	/* Not those of a worker that was here before. */
	if (calls->last_cookie == 0)
		calls->last_cookie = (uint64_t)clock_ms() << 20;
	r = sd_bus_call_method_async(port->bus, &call->who,
		"org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus", "GetConnectionUnixUser", on_uid, port,
		"s", sd_bus_message_get_sender(message));
	if (r < 0)
		return r;
	call->cookie = ++calls->last_cookie;
	call->verb = verb;
	call->message = sd_bus_message_ref(message);
	call->due_ms = clock_ms() + patience_ms(BUS_VERB_ATTEMPTS);
	calls->expiry.fired = expire;
	if (calls->expiry.slot == 0)
		loop_set_timer(port->worker->loop, &calls->expiry, EXPIRY_MS);
	return 1;
}

void calls_attempt(struct port *port, const struct bus_attempt *attempt)
{
	struct call *call = calls_find(&port->calls, attempt->cookie);
	size_t wanted;
	void *larger;

	if (attempt->cookie == 0 || call == NULL ||
		call->verb != BUS_VERB_ATTEMPTS ||
		call->n_attempts >= CALLS_ATTEMPTS_MAX)
		return;
	if (call->n_attempts == call->room_attempts) {
		wanted = call->room_attempts ? call->room_attempts * 2 : 64;
		larger = reallocarray(
			call->attempts, wanted, sizeof(*call->attempts));
		if (larger == NULL)
			return;
		call->attempts = larger;
		call->room_attempts = wanted;
	}
	call->attempts[call->n_attempts++] = *attempt;
}

static int append_attempt(sd_bus_message *m, const struct bus_attempt *attempt)
{
	char mac[MAC_TEXT], ip[IP_TEXT], protocol[NAMES_PROTOCOL];
	bool known = attempt->to.family == AF_INET ||
		     attempt->to.family == AF_INET6;

	return sd_bus_message_append(m, "(usssqtb)", attempt->device,
		mac_format(&attempt->mac, mac),
		known ? ip_format(&attempt->to, ip) : "",
		names_protocol(attempt->protocol, protocol), attempt->port,
		attempt->packets, (int)(attempt->observed != 0));
}

int calls_answer_list(struct call *call, const char *row,
	int (*append)(sd_bus_message *m, void *arg), void *arg)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_return(call->message, &m);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', row);
	if (r >= 0)
		r = append(m, arg);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_send(NULL, m, NULL);
	sd_bus_message_unref(m);
	return r;
}

static int append_attempts(sd_bus_message *m, void *arg)
{
	const struct call *call = arg;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < call->n_attempts; i++)
		r = append_attempt(m, &call->attempts[i]);
	return r;
}

void calls_reply(struct port *port, const struct bus_reply *reply)
{
	struct call *call = calls_find(&port->calls, reply->cookie);
	struct bus_reply clean = *reply;
	int r;

	if (reply->cookie == 0 || call == NULL)
		return;
	if (names_clean(clean.text, sizeof(clean.text)) < 0)
		clean.text[0] = '\0';
	if (clean.error < 0)
		r = sd_bus_reply_method_errorf(call->message,
			names_error(clean.error), "%s",
			clean.text[0] ? clean.text : strerror(-clean.error));
	else if (call->verb == BUS_VERB_ATTEMPTS)
		r = calls_answer_list(call, "(usssqtb)", append_attempts, call);
	else
		r = sd_bus_reply_method_return(call->message, "s", clean.text);
	if (r < 0)
		log_debug("bus: cannot answer a call: %s", strerror(-r));
	calls_release(call);
	port_kick(port);
}

/* From isolation, which has no say in any other call. */
void calls_attempts_end(struct port *port, uint64_t cookie)
{
	struct bus_reply done = {.cookie = cookie};
	struct call *call = calls_find(&port->calls, cookie);

	if (cookie != 0 && call && call->verb == BUS_VERB_ATTEMPTS)
		calls_reply(port, &done);
}

void calls_drop(struct port *port)
{
	for (size_t i = 0; i < BUS_CALLS_MAX; i++)
		if (port->calls.waiting[i].cookie)
			calls_release(&port->calls.waiting[i]);
	loop_stop_timer(port->worker->loop, &port->calls.expiry);
}
