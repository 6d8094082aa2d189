/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides what becomes of a message that was heard: nothing, mostly; or it is
 * said again, reduced, to those whom it may concern. Pure: what is to be sent
 * goes to a function.
 */
#ifndef GATEHOUSE_DISCOVERY_REFLECT_H
#define GATEHOUSE_DISCOVERY_REFLECT_H

#include "modules/discovery/datagram.h"
#include "modules/discovery/pace.h"
#include "modules/discovery/plan.h"

#define REFLECT_BYTES 1452 /* of a message */
#define REFLECT_ASKERS_MAX 256 /* who wait for answers, of all reflections */
#define REFLECT_ASKERS_EACH 4 /* of one sender */
#define REFLECT_MDNS_ASKER_MS 120000 /* how long after its question */
#define REFLECT_ASKER_MS 6000 /* of a search by SSDP: at most five seconds */
#define REFLECT_ECHOES_MAX 64 /* what was said last, to know it again */
#define REFLECT_ECHO_MS 900 /* nobody repeats a message sooner */

/* What is to be said where. */
struct reflect_said {
	uint8_t link, channel;
	bool six;
	bool to_all; /* to the channel's group; else to this address */
	struct ip to;
	uint16_t port;
	const uint8_t *bytes;
	size_t size;
};

struct reflect_asker {
	struct mac mac;
	uint8_t reflect, link;
	uint32_t device; /* 0: of the owner's */
	struct ip ip;
	uint16_t port;
	int64_t until_ms;
};

struct reflect_echo {
	uint64_t hash;
	uint8_t link;
	bool six;
	int64_t said_ms;
};

struct reflect_counts {
	uint64_t said; /* messages sent */
	uint64_t strangers; /* from nobody who is known */
	uint64_t paced; /* too many */
	uint64_t filtered; /* about nothing that is listed */
	uint64_t unread; /* makes no sense */
	uint64_t echoes; /* came back */
	uint64_t crowded; /* asked, but too many had asked before */
};

struct reflect {
	struct plan *plan; /* NULL: nothing is reflected */
	void (*say)(void *arg, const struct reflect_said *said);
	void *arg;
	struct pace pace;
	struct reflect_asker askers[REFLECT_ASKERS_MAX];
	size_t n_askers;
	struct reflect_echo echoes[REFLECT_ECHOES_MAX];
	size_t next_echo;
	struct reflect_counts counts;
};

/* Takes the plan over and forgets who had asked. */
void reflect_plan(struct reflect *reflect, struct plan *plan);
/* A datagram from mac on a link of the plan. */
void reflect_hear(struct reflect *reflect, uint8_t link, const struct mac *mac,
	const struct datagram *datagram, int64_t now_ms);

#endif
