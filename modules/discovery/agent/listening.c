/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hands sockets to the worker and its evidence to the registry. Runs as root
 * in the agent; must never read from a socket, nor pass on text of the
 * worker's that is not clean.
 */
#include "modules/discovery/agent/listening.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/discovery/agent/earsock.h"
#include "modules/discovery/match/evidence.h"
#include "modules/registry/registry_proto.h"

#define NAME "discovery"

static struct {
	struct agent *agent;
	struct timer look;
	char interfaces[DISCOVERY_EARS_MAX][16];
	unsigned index[DISCOVERY_EARS_MAX]; /* as sent */
	size_t n;
} self;

static void add_zone(const struct conf_section *zone)
{
	const char *rest = conf_text(zone, "interface", "");
	char word[16];

	while (self.n < DISCOVERY_EARS_MAX &&
		conf_next_word(&rest, word, sizeof(word)) == 1)
		snprintf(self.interfaces[self.n++], sizeof(word), "%s", word);
}

static bool is_wanted(const struct conf *conf)
{
	bool wanted = true;

	return conf_read_bool(conf_text(conf_next(conf, "discovery", NULL),
				      "listen", "yes"),
		       &wanted) < 0 ||
	       wanted;
}

static void send_ear(size_t place)
{
	struct discovery_ear about = {
		.place = (uint8_t)place, .index = self.index[place]};
	_cleanup_(cleanup_close) int fd = -1;
	int r = earsock_open(about.index, &fd);

	if (r == 0)
		(void)agent_send(self.agent, NAME, DISCOVERY_EAR, &about,
			sizeof(about), fd);
	else
		log_warning("what devices of %s say of themselves is not "
			    "heard: %s",
			self.interfaces[place], strerror(-r));
}

static void look(struct timer *timer)
{
	for (size_t i = 0; i < self.n; i++) {
		unsigned index = if_nametoindex(self.interfaces[i]);

		if (index == self.index[i])
			continue;
		self.index[i] = index;
		if (index)
			send_ear(i);
	}
	if (self.n)
		loop_set_timer(
			agent_loop(self.agent), timer, LISTENING_LOOK_MS);
}

void listening_applied(struct agent *agent, const struct conf *conf)
{
	const struct conf_section *zone = NULL;

	self.agent = agent;
	self.look.fired = look;
	loop_stop_timer(agent_loop(agent), &self.look);
	memset(self.index, 0, sizeof(self.index));
	self.n = 0;
	while (is_wanted(conf) && (zone = conf_next(conf, "zone", zone)))
		if (strcmp(conf_text(zone, "role", "devices"), "devices") == 0)
			add_zone(zone);
	look(&self.look);
}

void listening_stopped(struct agent *agent)
{
	loop_stop_timer(agent_loop(agent), &self.look);
	self.n = 0;
}

/* The worker cleans it; one that was taken over may not. */
static bool is_sane(const struct discovery_evidence *evidence)
{
	const char *value = evidence->value;

	if (!evidence_name(evidence->kind) || (evidence->mac.b[0] & 1) ||
		!*value || !memchr(value, 0, sizeof(evidence->value)))
		return false;
	return evidence_is_clean(value);
}

/* Of many values of a kind each is kept, so each needs a key of its own. */
static void name_key(
	const struct discovery_evidence *evidence, char *key, size_t size)
{
	uint32_t hash = 5381;

	for (const char *c = evidence->value; *c; c++)
		hash = hash * 33 ^ (uint8_t)*c;
	if (evidence_is_single(evidence->kind))
		snprintf(key, size, "%s", evidence_name(evidence->kind));
	else
		snprintf(key, size, "%s/%04x", evidence_name(evidence->kind),
			(hash ^ hash >> 16) & 0xffff);
}

int listening_on_evidence(void *owner, const void *message, int fd)
{
	const struct discovery_evidence *in = message;
	struct registry_evidence out = {.mac = in->mac,
		.source = in->kind,
		.confidence = evidence_worth(in->kind)};

	(void)fd;
	if (!is_sane(in))
		return -EPROTO;
	name_key(in, out.key, sizeof(out.key));
	memcpy(out.value, in->value, sizeof(out.value));
	registry_heard(owner, &out);
	return 0;
}
