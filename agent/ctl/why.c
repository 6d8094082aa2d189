/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why: may a device open that, by which line, and what line would allow it.
 * A name is looked up here, by this machine's own resolver; all that is
 * answered comes from the daemon. Changes nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/say.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/why.h"

#define ADDRESSES_MAX 16 /* of one name that are asked about */
#define INDENT 2
#define NAMES_WIDTH 10

struct question {
	const struct ctl *ctl;
	sd_bus *bus;
	struct view view;
	const struct view_device *device;
	char protocol[8];
	uint16_t port;
	char to[ADDRESSES_MAX][WHY_TARGET]; /* as the daemon wants it */
	size_t n;
	bool by_name; /* of a host: today's addresses */
};

static void question_clear(struct question *question)
{
	client_close(&question->bus);
	view_clear(&question->view);
}

static bool is_known(const struct question *q, const char *address)
{
	for (size_t i = 0; i < q->n; i++)
		if (strcmp(q->to[i], address) == 0)
			return true;
	return false;
}

static void add_address(struct question *q, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr,
			text, sizeof(text));
	else if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
			&((const struct sockaddr_in6 *)sa)->sin6_addr, text,
			sizeof(text));
	if (*text && q->n < ADDRESSES_MAX && !is_known(q, text))
		snprintf(q->to[q->n++], WHY_TARGET, "%s", text);
}

static int look_up(struct question *q, const char *name)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	int r = getaddrinfo(name, NULL, &hints, &list);

	if (r != 0) {
		say_errorf("Give an address, or see why names are not "
			   "resolved here.",
			"\"%s\" is no address and has none: %s.", name,
			gai_strerror(r));
		return -ENOENT;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		add_address(q, a->ai_addr);
	freeaddrinfo(list);
	q->by_name = true;
	return q->n ? 0 : -ENOENT;
}

static int find_target(struct question *q, const char *word)
{
	const struct view_device *other;
	struct in6_addr address;
	int r;

	if (strncmp(word, "device:", 7) == 0) {
		r = client_find(&q->view, word + 7, &other);
		if (r == 0)
			snprintf(q->to[q->n++], WHY_TARGET, "device:%u",
				other->id);
		return r;
	}
	if (strcmp(word, "gateway") != 0 &&
		inet_pton(AF_INET, word, &address) != 1 &&
		inet_pton(AF_INET6, word, &address) != 1)
		return look_up(q, word);
	snprintf(q->to[q->n++], WHY_TARGET, "%s", word);
	return 0;
}

static int read_all(struct question *q)
{
	const char *const *words = q->ctl->words;
	int r = why_parse_service(words[1], q->protocol, &q->port);

	if (r < 0) {
		say_errorf("Expected tcp/443, udp/123 or icmp.",
			"\"%s\" is nothing that a device could open.",
			words[1]);
		return r;
	}
	r = client_open(&q->bus);
	if (r == 0)
		r = client_read(q->bus, &q->view);
	if (r == 0)
		r = client_find(&q->view, words[0], &q->device);
	return r < 0 ? r : find_target(q, words[2]);
}

static void pair(const char *name, const char *text)
{
	char *clean = text_clean(text);

	if (*text)
		table_print_pair(
			stdout, name, clean, INDENT, NAMES_WIDTH, say_width());
	free(clean);
}

static const char *headline(const struct why_answer *a)
{
	if (strcmp(why_get(a, "allowed"), "yes") == 0)
		return "ALLOWED";
	if (strcmp(why_get(a, "passes"), "yes") == 0)
		return "PASSES, because it is only observed; would be DENIED";
	return "DENIED";
}

static void say_answer(
	const struct question *q, const char *to, const struct why_answer *a)
{
	say("%s, %s %s: %s", q->device->name, q->ctl->words[1],
		strncmp(to, "device:", 7) == 0 ? q->ctl->words[2] : to,
		headline(a));
	pair("Because", why_get(a, "reason"));
	pair("By", why_get(a, "rule"));
	pair("Then", why_get(a, "upgrade"));
	pair("At most", why_get(a, "limits"));
	pair("But", why_get(a, "foreign"));
	if (strcmp(why_get(a, "allowed"), "yes") != 0)
		pair("To allow", why_get(a, "advice"));
	if (strcmp(why_get(a, "kernel"), "differs") == 0)
		pair("KERNEL", "the rules in the kernel say otherwise: "
			       "somebody has changed them, or they are being "
			       "changed. Ask again; see: gatehouse warnings");
	else if (strcmp(why_get(a, "kernel"), "agrees") == 0)
		pair("Kernel", "its own sets say the same");
}

static json_t *json_of(const char *to, const struct why_answer *a)
{
	json_t *object = json_object();

	json_object_set_new(object, "to", json_string(to));
	for (size_t i = 0; i < a->n; i++) {
		const char *key = a->pairs[i].key, *text = a->pairs[i].text;
		bool flag = strcmp(key, "allowed") == 0 ||
			    strcmp(key, "passes") == 0;

		json_object_set_new(object, key,
			flag ? json_boolean(strcmp(text, "yes") == 0)
			     : json_string(text));
	}
	return object;
}

static int answer_all(struct question *q, json_t *list)
{
	for (size_t i = 0; i < q->n; i++) {
		struct why_answer answer = {0};
		int r = client_why(q->bus, q->device->id, q->protocol, q->port,
			q->to[i], &answer);

		if (r < 0)
			return r;
		if (list)
			json_array_append_new(list, json_of(q->to[i], &answer));
		else
			say_answer(q, q->to[i], &answer);
		why_clear(&answer);
	}
	return 0;
}

int ctl_why(const struct ctl *ctl)
{
	_cleanup_(question_clear) struct question q = {.ctl = ctl};
	json_t *list = NULL;

	if (read_all(&q) < 0)
		return CTL_FAILED;
	if (ctl->json)
		list = json_array();
	else if (q.by_name)
		say("%s has these addresses today; another day it may be "
		    "others.\n",
			ctl->words[2]);
	if (answer_all(&q, list) < 0) {
		json_decref(list);
		return CTL_FAILED;
	}
	if (!list)
		return CTL_DONE;
	return say_json(json_pack("{s:s, s:s, s:s, s:b, s:o}", "device",
		       q.device->name, "service", ctl->words[1], "target",
		       ctl->words[2], "resolved", q.by_name, "answers", list)) <
			       0
		       ? CTL_FAILED
		       : CTL_DONE;
}
