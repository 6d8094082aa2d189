/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passes decisions on and answers when they are in force. What the owner's
 * files say wins, so what they decide is refused here, with the line. Must
 * never say yes before the worker has it on its disk.
 */
#include "modules/registry/agent/asks.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/bus/bus_proto.h"
#include "modules/registry/agent/known.h"
#include "modules/registry/agent/overlay.h"

#define TEXT_MAX 400

struct ask {
	uint64_t cookie; /* 0: free */
	uint64_t user; /* the cookie of the call */
	bool kept; /* waits for the configuration now */
	struct agent *agent;
	struct registry_decide decide;
	char name[RECORD_NAME]; /* of the device before */
};

static struct ask asks[BUS_CALLS_MAX];
static uint64_t last_cookie;

static void answer(const struct ask *ask, int error, const char *format, ...)
	_printf_(3, 4);
static void answer(const struct ask *ask, int error, const char *format, ...)
{
	struct bus_reply reply = {.cookie = ask->user, .error = error};
	va_list args;

	va_start(args, format);
	vsnprintf(reply.text, sizeof(reply.text), format, args);
	va_end(args);
	(void)agent_send(
		ask->agent, "bus", BUS_REPLY, &reply, sizeof(reply), -1);
}

static struct ask *find(uint64_t cookie)
{
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++)
		if (asks[i].cookie == cookie)
			return &asks[i];
	return NULL;
}

bool asks_waiting(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++)
		if (asks[i].cookie && !asks[i].kept)
			return true;
	return false;
}

void asks_give_up(struct agent *agent)
{
	(void)agent;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		if (!asks[i].cookie || asks[i].kept)
			continue;
		answer(&asks[i], -EAGAIN,
			"the registry ended before it answered; look with "
			"gatehouse device show, and try again");
		asks[i].cookie = 0;
	}
}

/* The first cookies are not those of a daemon before. */
static uint64_t new_cookie(void)
{
	if (!last_cookie)
		last_cookie = (uint64_t)clock_ms() << 16;
	return ++last_cookie;
}

static const char *span(uint32_t seconds, char text[static 32])
{
	if (!seconds)
		return "";
	if (seconds % 60)
		snprintf(text, 32, " for %u seconds", seconds);
	else
		snprintf(text, 32, " for %u minutes", seconds / 60);
	return text;
}

static void answer_done(const struct ask *ask)
{
	const struct known *known = known_find(&ask->decide.mac);
	uint32_t seconds = ask->decide.seconds;
	const char *name = ask->name;
	char text[32];

	switch ((enum registry_kind)ask->decide.kind) {
	case REGISTRY_KIND_APPROVE:
		answer(ask, 0, "%s is approved%s, with the profile %s", name,
			span(seconds, text), known ? known->told.profile : "?");
		return;
	case REGISTRY_KIND_QUARANTINE:
		answer(ask, 0, "%s is in quarantine%s", name,
			span(seconds, text));
		return;
	case REGISTRY_KIND_BLOCK:
		answer(ask, 0, "%s is blocked%s", name, span(seconds, text));
		return;
	case REGISTRY_KIND_RENAME:
		answer(ask, 0, "%s is called %s now", name, ask->decide.word);
		return;
	case REGISTRY_KIND_PROFILE:
		answer(ask, 0, "%s has the profile %s now", name,
			ask->decide.word);
		return;
	case REGISTRY_KIND_FORGET:
		answer(ask, 0, "what the registry knew of %s is erased", name);
		return;
	case REGISTRY_KIND_PAUSE:
		if (seconds)
			answer(ask, 0, "%s: nothing is blocked%s", name,
				span(seconds, text));
		else
			answer(ask, 0, "%s: the pause is over", name);
		return;
	}
}

static void in_force(void *arg, int error, const char *report)
{
	struct ask *ask = arg;

	if (error < 0)
		answer(ask, error,
			"it is written down, but not in force yet: %s", report);
	else
		answer_done(ask);
	ask->cookie = 0;
}

static void answer_failed(const struct ask *ask, int error)
{
	switch (error) {
	case -EEXIST:
		answer(ask, -EINVAL, "another device is called %s already",
			ask->decide.word);
		return;
	case -ENOENT:
		if (ask->decide.kind == REGISTRY_KIND_PROFILE)
			answer(ask, -EINVAL, "%s is not approved", ask->name);
		else
			answer(ask, -EINVAL, "the registry knows nothing of %s",
				ask->name);
		return;
	case -ENOSPC:
		answer(ask, -EINVAL,
			"there is no room for it: the disk is full, or more "
			"than %d devices were decided about, or more than %d "
			"for a time",
			REGISTRY_DECIDED_MAX, REGISTRY_TIMED_MAX);
		return;
	}
	answer(ask, error, "it could not be written down: %s",
		strerror(-error));
}

int asks_decided(struct agent *agent, const struct registry_decided *decided)
{
	struct ask *ask = decided->cookie ? find(decided->cookie) : NULL;

	if (!ask || ask->kept || decided->error > 0)
		return -EPROTO;
	if (decided->error < 0) {
		answer_failed(ask, decided->error);
		ask->cookie = 0;
		return 0;
	}
	ask->kept = true;
	agent_refresh_then(agent, in_force, ask);
	return 0;
}

/* What the files decide is not the registry's. */
static int refuse_pinned(struct ask *ask)
{
	const struct conf_section *section = overlay_section(
		agent_conf(ask->agent), &ask->decide.mac);

	if (ask->decide.kind == REGISTRY_KIND_PAUSE ||
		ask->decide.kind == REGISTRY_KIND_FORGET || !section ||
		strcmp(section->file, OVERLAY_FILE) == 0)
		return 0;
	answer(ask, -EINVAL,
		"%s is decided about in the configuration, %s:%u; change it "
		"there",
		section->name, section->file, section->line);
	return -EPERM;
}

static int refuse_word(struct ask *ask)
{
	const struct conf *conf = agent_conf(ask->agent);
	const char *word = ask->decide.word;

	switch ((enum registry_kind)ask->decide.kind) {
	case REGISTRY_KIND_APPROVE:
		if (!*word)
			return 0;
		/* fall through */
	case REGISTRY_KIND_PROFILE:
		if (overlay_has_profile(conf, word))
			return 0;
		answer(ask, -EINVAL,
			"there is no profile %s; shipped are internet and "
			"local-only, others are [profile NAME] sections",
			word);
		return -EPERM;
	case REGISTRY_KIND_RENAME:
		if (conf_check_name(word) < 0)
			answer(ask, -EINVAL,
				"a name has at most %d letters, digits, - _ . "
				"and begins with a letter or digit",
				CONF_NAME_MAX);
		else if (conf_find(conf, "device", word))
			answer(ask, -EINVAL,
				"another device is called %s already", word);
		else
			return 0;
		return -EPERM;
	case REGISTRY_KIND_QUARANTINE:
	case REGISTRY_KIND_BLOCK:
	case REGISTRY_KIND_FORGET:
	case REGISTRY_KIND_PAUSE:
		return 0;
	}
	return -EINVAL;
}

static int fill(struct ask *ask, uint32_t device, uint32_t uid)
{
	const struct record_device *record = state_device(
		agent_state(ask->agent), device);

	snprintf(ask->name, sizeof(ask->name), "%s",
		record ? record->name : "all devices");
	if (record)
		ask->decide.mac = record->mac;
	else
		memset(&ask->decide.mac, 0, sizeof(ask->decide.mac));
	snprintf(ask->decide.actor, sizeof(ask->decide.actor), "uid %u", uid);
	if (!record && (device || ask->decide.kind != REGISTRY_KIND_PAUSE)) {
		answer(ask, -EINVAL, "there is no such device");
		return -EPERM;
	}
	return 0;
}

int registry_ask(struct agent *agent, uint32_t device, uint32_t uid,
	const struct registry_decide *decide)
{
	struct ask *ask = find(0);
	int r;

	if (!ask)
		return -EBUSY;
	if (decide->seconds > REGISTRY_SECONDS_MAX ||
		!memchr(decide->word, 0, sizeof(decide->word)))
		return -EINVAL;
	*ask = (struct ask){
		.user = decide->cookie, .agent = agent, .decide = *decide};
	r = fill(ask, device, uid);
	if (r == 0)
		r = refuse_pinned(ask);
	if (r == 0)
		r = refuse_word(ask);
	if (r == -EPERM)
		return 0; /* and why was answered */
	if (r < 0)
		return r;
	ask->cookie = ask->decide.cookie = new_cookie();
	r = agent_send(agent, "registry", REGISTRY_DECIDE, &ask->decide,
		sizeof(ask->decide), -1);
	if (r < 0)
		ask->cookie = 0;
	else
		log_notice("uid %u decides about %s", uid, ask->name);
	return r;
}
