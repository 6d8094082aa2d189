/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse self-test: frames of a stranger, sent by a port of its own into
 * the bridge of a zone, and whether they got through. A frame carries a mark;
 * one that leaves this host by another interface, or an answer to it that
 * comes back, got through.
 */
#ifndef GATEHOUSE_CTL_SELFTEST_H
#define GATEHOUSE_CTL_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/net.h"

/* The ports in the bridge; the agent does not take who is there for a device. */
#define SELFTEST_PORT "ghtest0"
#define SELFTEST_OTHER "ghtest2"
#define SELFTEST_INSIDE "ghtest1"
#define SELFTEST_OTHER_INSIDE "ghtest3"

#define SELFTEST_FRAME 128
#define SELFTEST_PROBES_MAX 64
#define SELFTEST_SERVICES_MAX 16 /* of the gateway, tried one by one */
#define SELFTEST_SOURCE_PORT 47000 /* and one more for each probe */

enum selftest_kind {
	SELFTEST_ETHERTYPE, /* neither IP nor ARP */
	SELFTEST_UDP,
	SELFTEST_TCP, /* a SYN */
	SELFTEST_ECHO,
	SELFTEST_ARP, /* asks for to, and says from */
	SELFTEST_ROUTER, /* router advertisement */
};

enum selftest_want {
	SELFTEST_STAYS, /* must not leave by another interface */
	SELFTEST_NO_ANSWER, /* and the gateway must not answer */
	SELFTEST_ANSWER, /* a control: the gateway has to answer */
};

struct selftest_probe {
	char what[80];
	enum selftest_kind kind;
	enum selftest_want want;
	struct mac from_mac, to_mac;
	struct ip from, to;
	uint16_t source_port, port;
	uint8_t number;
	/* The outcome. */
	bool sent, passed;
	char where[16]; /* by which interface it left */
};

/* The frame of a probe; its length. Pure. */
size_t selftest_build(const struct selftest_probe *probe,
	uint8_t frame[static SELFTEST_FRAME]);
/* The number of the probe whose mark is in there; -ENOENT. Pure. */
_must_check_ int selftest_find(const uint8_t *frame, size_t size);
/* Is it an answer to the probe? Pure. */
bool selftest_answers(
	const struct selftest_probe *probe, const uint8_t *frame, size_t size);
/* By what was tried: all controls answered and nothing got through. */
bool selftest_held(const struct selftest_probe *probes, size_t n);

/* Two ports in a bridge, with their other ends in a namespace. */
struct selftest_net {
	int inside; /* packet socket of the one who attacks */
	int other; /* of the one who is attacked */
	int watch; /* packet socket that sees all interfaces of this host */
	int link; /* netlink inside */
	int inside_index, other_index;
	struct mac mac, other_mac;
};

/*
 * Makes them; ip: an address for the attacker. All goes away when the
 * process ends, however it does. -errno.
 */
_must_check_ int selftest_open(struct selftest_net *net, const char *bridge,
	const struct ip *ip, uint8_t length);
void selftest_close(struct selftest_net *net);
/* Sends all and watches; fills the outcomes. -errno. */
_must_check_ int selftest_run(
	struct selftest_net *net, struct selftest_probe *probes, size_t n);

#endif
