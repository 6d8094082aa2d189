/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of gather only. */
#ifndef GATEHOUSE_DISCOVERY_MATCH_GATHER_PRIV_H
#define GATEHOUSE_DISCOVERY_MATCH_GATHER_PRIV_H

#include "modules/discovery/decode/segment.h"
#include "modules/discovery/match/gather.h"

/* Whose frame it is, and who wants to know. */
struct about {
	struct gather *gather;
	const struct mac *mac;
};

/* Nothing is told of what is empty or not fit for the kind. */
void gather_tell(const struct about *about, unsigned kind, struct bytes value);
void gather_tell_text(
	const struct about *about, unsigned kind, const char *text);
/* -EBADMSG: on a known port, and makes no sense. */
_must_check_ int gather_udp(
	const struct about *about, const struct segment *segment);
/* What begins no conversation that is known is passed over. */
void gather_tcp(const struct about *about, const struct segment *segment);

#endif
