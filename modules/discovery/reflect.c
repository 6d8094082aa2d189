/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who hears what of whom. Touches memory only; must never pass on what a
 * stranger says, nor tell a device of somebody whom it may not reach.
 */
#include "modules/discovery/reflect.h"

#include <string.h>

#include "modules/discovery/ssdp.h"

#define BIT(place) (UINT32_C(1) << (place))

/* A message on its way. */
struct heard {
	const struct datagram *datagram;
	const struct mac *mac;
	const struct discovery_device
		*device; /* NULL: somebody of the owner's */
	uint8_t link;
	bool many; /* was said to everybody */
	int64_t now_ms;
	const uint8_t *bytes; /* what of it may pass */
	size_t size;
};

void reflect_plan(struct reflect *reflect, struct plan *plan)
{
	plan_free(reflect->plan);
	reflect->plan = plan;
	reflect->n_askers = 0;
}

static uint64_t hash(const uint8_t *bytes, size_t size)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Was it said there just now? In which family is not asked of echoes. */
static bool was_said(const struct reflect *reflect,
	const struct reflect_said *said, bool any_family, int64_t now_ms)
{
	uint64_t h = hash(said->bytes, said->size);

	for (size_t i = 0; i < REFLECT_ECHOES_MAX; i++) {
		const struct reflect_echo *e = &reflect->echoes[i];

		if (e->said_ms && e->hash == h && e->link == said->link &&
			(any_family || e->six == said->six) &&
			now_ms - e->said_ms < REFLECT_ECHO_MS)
			return true;
	}
	return false;
}

static void note_echo(struct reflect *reflect, const struct reflect_said *said,
	int64_t now_ms)
{
	struct reflect_echo *e = &reflect->echoes[reflect->next_echo];

	reflect->next_echo = (reflect->next_echo + 1) % REFLECT_ECHOES_MAX;
	*e = (struct reflect_echo){
		hash(said->bytes, said->size), said->link, said->six, now_ms};
}

static void say(struct reflect *reflect, const struct heard *heard,
	struct reflect_said said)
{
	said.bytes = heard->bytes;
	said.size = heard->size;
	if (said.to_all) {
		/* Who speaks both families says all of it twice. */
		if (was_said(reflect, &said, false, heard->now_ms))
			return;
		note_echo(reflect, &said, heard->now_ms);
	}
	reflect->counts.said++;
	reflect->say(reflect->arg, &said);
}

/*
 * In both families: who offers or looks may have the other one only. Makers'
 * broadcasts are IPv4's.
 */
static void say_to_all(struct reflect *reflect, const struct heard *heard,
	const struct plan_reflect *r, uint32_t links)
{
	uint8_t channel = r->about.channel;
	bool six = heard->datagram->from.family == AF_INET6;

	for (uint8_t link = 0; link < reflect->plan->n_links; link++) {
		struct reflect_said said = {
			.link = link, .channel = channel, .to_all = true};

		if (!(links & BIT(link)))
			continue;
		if (reflect->plan->channels[channel].protocol ==
			DISCOVERY_PROTOCOL_MDNS) {
			say(reflect, heard, said);
			said.six = true;
		} else {
			said.six = six;
		}
		say(reflect, heard, said);
	}
}

static struct reflect_asker *place_for(
	struct reflect *reflect, const struct heard *heard, uint8_t place)
{
	struct reflect_asker *over = NULL, *oldest = NULL;
	size_t own = 0;

	for (size_t i = 0; i < reflect->n_askers; i++) {
		struct reflect_asker *a = &reflect->askers[i];

		if (a->until_ms <= heard->now_ms) {
			over = a;
			continue;
		}
		if (!mac_equal(&a->mac, heard->mac))
			continue;
		if (a->reflect == place &&
			ip_equal(&a->ip, &heard->datagram->from) &&
			a->port == heard->datagram->from_port)
			return a;
		own++;
		if (!oldest || a->until_ms < oldest->until_ms)
			oldest = a;
	}
	if (own >= REFLECT_ASKERS_EACH)
		return oldest;
	if (!over && reflect->n_askers < REFLECT_ASKERS_MAX)
		over = &reflect->askers[reflect->n_askers++];
	return over;
}

/* Whoever is told in person; on links where all are told nobody is. */
static void note_asker(struct reflect *reflect, const struct heard *heard,
	const struct plan_reflect *r, bool mdns)
{
	struct reflect_asker *a;

	if (mdns && (r->about.tell_links & BIT(heard->link)))
		return;
	a = place_for(reflect, heard, r->about.place);
	if (!a) {
		reflect->counts.crowded++;
		return;
	}
	*a = (struct reflect_asker){.mac = *heard->mac,
		.reflect = r->about.place,
		.link = heard->link,
		.device = heard->device ? heard->device->id : 0,
		.ip = heard->datagram->from,
		.port = heard->datagram->from_port,
		.until_ms = heard->now_ms +
			    (mdns ? REFLECT_MDNS_ASKER_MS : REFLECT_ASKER_MS)};
}

static void tell_askers(struct reflect *reflect, const struct heard *heard,
	const struct plan_reflect *r)
{
	for (size_t i = 0; i < reflect->n_askers; i++) {
		const struct reflect_asker *a = &reflect->askers[i];
		struct reflect_said said = {.link = a->link,
			.channel = r->about.channel,
			.six = a->ip.family == AF_INET6,
			.to = a->ip,
			.port = a->port};

		if (a->reflect != r->about.place ||
			a->until_ms <= heard->now_ms ||
			mac_equal(&a->mac, heard->mac))
			continue;
		if (a->device &&
			!plan_may(reflect->plan, a->device, heard->device,
				heard->link, &heard->datagram->from))
			continue;
		say(reflect, heard, said);
	}
}

static bool offers(const struct plan_reflect *r, const struct heard *heard)
{
	return (r->about.from_links & BIT(heard->link)) ||
	       (heard->device && (heard->device->from & BIT(r->about.place)));
}

static bool looks(const struct plan_reflect *r, const struct heard *heard)
{
	return (r->about.to_links & BIT(heard->link)) ||
	       (heard->device && (heard->device->to & BIT(r->about.place)));
}

static void pass_question(struct reflect *reflect, const struct heard *heard,
	const struct plan_reflect *r, bool mdns)
{
	note_asker(reflect, heard, r, mdns);
	say_to_all(reflect, heard, r, r->about.ask_links);
}

static void pass_answer(struct reflect *reflect, const struct heard *heard,
	const struct plan_reflect *r, bool to_all)
{
	if (to_all)
		say_to_all(reflect, heard, r, r->about.tell_links);
	tell_askers(reflect, heard, r);
}

static void hear_mdns(
	struct reflect *reflect, struct heard *heard, struct plan_reflect *r)
{
	uint8_t bytes[MDNS_BYTES];
	bool answer = false;

	/* Others than resolvers of mDNS would want an answer of their own. */
	if (heard->datagram->from_port != MDNS_PORT) {
		reflect->counts.filtered++;
		return;
	}
	if (mdns_is_answer(heard->datagram->bytes, heard->datagram->size,
		    &answer) < 0) {
		reflect->counts.unread++;
		return;
	}
	if (answer ? !offers(r, heard) : !looks(r, heard))
		return;
	if (mdns_reduce(&r->mdns, heard->datagram->bytes, heard->datagram->size,
		    heard->now_ms, bytes, &heard->size) < 0) {
		reflect->counts.unread++;
		return;
	}
	if (!heard->size) {
		reflect->counts.filtered++;
		return;
	}
	heard->bytes = bytes;
	if (answer)
		pass_answer(reflect, heard, r, true);
	else
		pass_question(reflect, heard, r, true);
}

static bool is_listed(
	const struct plan_reflect *r, const struct ssdp_message *message)
{
	for (size_t i = 0; i < r->n_services; i++)
		if (ssdp_about(message, r->services[i]))
			return true;
	return false;
}

static void hear_ssdp(
	struct reflect *reflect, struct heard *heard, struct plan_reflect *r)
{
	struct ssdp_message message;
	bool search;

	if (ssdp_read(heard->bytes, heard->size, &message) < 0) {
		reflect->counts.unread++;
		return;
	}
	if (!is_listed(r, &message)) {
		reflect->counts.filtered++;
		return;
	}
	search = message.kind == SSDP_KIND_SEARCH;
	/* An answer comes to us alone, everything else to all. */
	if (heard->many == (message.kind == SSDP_KIND_ANSWER))
		return;
	if (search && looks(r, heard))
		pass_question(reflect, heard, r, false);
	else if (!search && offers(r, heard))
		pass_answer(
			reflect, heard, r, message.kind == SSDP_KIND_ANNOUNCE);
}

/* Nothing is known of these bytes but who says them. */
static void hear_udp(
	struct reflect *reflect, struct heard *heard, struct plan_reflect *r)
{
	if (!heard->size || heard->size > REFLECT_BYTES) {
		reflect->counts.unread++;
		return;
	}
	if (heard->many && looks(r, heard))
		pass_question(reflect, heard, r, false);
	if (offers(r, heard))
		pass_answer(reflect, heard, r, heard->many);
}

static bool concerns(const struct discovery_channel *channel,
	const struct datagram *datagram, bool many)
{
	if (many)
		return datagram->to_port == channel->port;
	return channel->protocol != DISCOVERY_PROTOCOL_MDNS &&
	       datagram->to_port == channel->own_port;
}

static void hear(struct reflect *reflect, const struct heard *heard,
	struct plan_reflect *r)
{
	struct heard copy = *heard;

	switch ((enum discovery_protocol)reflect->plan
			->channels[r->about.channel]
			.protocol) {
	case DISCOVERY_PROTOCOL_MDNS:
		hear_mdns(reflect, &copy, r);
		break;
	case DISCOVERY_PROTOCOL_SSDP:
		hear_ssdp(reflect, &copy, r);
		break;
	case DISCOVERY_PROTOCOL_UDP:
		hear_udp(reflect, &copy, r);
		break;
	}
}

void reflect_hear(struct reflect *reflect, uint8_t link, const struct mac *mac,
	const struct datagram *datagram, int64_t now_ms)
{
	struct plan *plan = reflect->plan;
	struct heard heard = {.datagram = datagram,
		.mac = mac,
		.link = link,
		.many = datagram_to_many(datagram),
		.now_ms = now_ms,
		.bytes = datagram->bytes,
		.size = datagram->size};
	struct reflect_said echo = {
		.link = link, .bytes = datagram->bytes, .size = datagram->size};

	if (!plan || link >= plan->n_links)
		return;
	heard.device = plan_device(plan, mac);
	if (plan->links[link].devices && !heard.device) {
		reflect->counts.strangers++;
		return;
	}
	if (!pace_allows(&reflect->pace, mac, now_ms)) {
		reflect->counts.paced++;
		return;
	}
	if (was_said(reflect, &echo, true, now_ms)) {
		reflect->counts.echoes++;
		return;
	}
	for (size_t i = 0; i < plan->n_reflects; i++) {
		struct plan_reflect *r = plan->reflects[i];

		if (concerns(&plan->channels[r->about.channel], datagram,
			    heard.many))
			hear(reflect, &heard, r);
	}
}
