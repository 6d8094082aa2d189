/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bits of packets and connections that are ours, and where our routing
 * rules stand. Pure. Everybody else's bits are left as they are.
 */
#ifndef GATEHOUSE_ISOLATION_MARKS_H
#define GATEHOUSE_ISOLATION_MARKS_H

#include <stdbool.h>

#include "modules/isolation/isolation_proto.h"

#define MARKS_PACKET 0x00800000u
#define MARKS_CONNECTION 0x00ff0000u
/* Before other people's rules, behind the kernel's for its own addresses. */
#define MARKS_PRIORITY 90u
#define MARKS_PRIORITY_MOST 32765u /* the main table's rule is behind it */

extern const struct isolation_marks marks_usual;

/* One bit; eight bits in a row; a priority between local and main. */
bool marks_sane_packet(uint32_t bit);
bool marks_sane_connection(uint32_t mask);
bool marks_sane(const struct isolation_marks *marks);
/*
 * The connection's byte: the generation that judged it; a bit for it is
 * settled (rules/ruleset_settled.c); and in the lowest bits to which group the
 * device belongs that began it, so that the connections of one can be looked
 * for among fewer.
 */
#define MARKS_GROUPS 4 /* by the last bits of the MAC address */
#define MARKS_GROUP_BITS 3
#define MARKS_SETTLED_BITS 1
#define MARKS_GENERATIONS 15 /* 1 to this */

/* The lowest bit of the connection's byte. */
unsigned marks_shift(const struct isolation_marks *marks);
/* The connection's mark as a generation; 0: not judged. */
uint8_t marks_generation(const struct isolation_marks *marks, uint32_t mark);
/* The bits that hold the generation, and a generation in its place there. */
uint32_t marks_generation_mask(const struct isolation_marks *marks);
uint32_t marks_judged(const struct isolation_marks *marks, uint8_t generation);
uint32_t marks_settled(const struct isolation_marks *marks);
/* One of MARKS_GROUPS. */
uint8_t marks_group_of(const struct mac *mac);
/* A group in its place: one bit, or none for the first group. */
uint32_t marks_group(const struct isolation_marks *marks, uint8_t group);
/* The bits that are 0 in connections of this group and in those of no group. */
uint32_t marks_other_groups(const struct isolation_marks *marks, uint8_t group);
/*
 * What comes after a generation, also one of an older version's, which were
 * of eight bits: never 0, nor what a stranger's rule makes of
 * our packets' bit when it copies their marks to connections.
 */
uint8_t marks_next(const struct isolation_marks *marks, uint8_t generation);

#endif
