/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose bits are ours. Touches nothing; must never call a mask sane that has
 * room for more or less than a generation.
 */
#include "modules/isolation/marks.h"

#define LOW_BITS (MARKS_GROUP_BITS + MARKS_SETTLED_BITS)

const struct isolation_marks marks_usual = {
	.packet = MARKS_PACKET,
	.connection = MARKS_CONNECTION,
	.priority = MARKS_PRIORITY,
};

bool marks_sane_packet(uint32_t bit)
{
	return bit && !(bit & (bit - 1));
}

static unsigned lowest(uint32_t mask)
{
	return mask ? (unsigned)__builtin_ctz(mask) : 0;
}

bool marks_sane_connection(uint32_t mask)
{
	return mask && mask >> lowest(mask) == 0xff;
}

bool marks_sane(const struct isolation_marks *marks)
{
	return marks_sane_packet(marks->packet) &&
	       marks_sane_connection(marks->connection) && marks->priority &&
	       marks->priority <= MARKS_PRIORITY_MOST && !marks->zero;
}

unsigned marks_shift(const struct isolation_marks *marks)
{
	return lowest(marks->connection);
}

uint8_t marks_generation(const struct isolation_marks *marks, uint32_t mark)
{
	return (uint8_t)((mark & marks->connection) >> marks_shift(marks) >>
			 LOW_BITS);
}

uint32_t marks_judged(const struct isolation_marks *marks, uint8_t generation)
{
	return (uint32_t)generation << marks_shift(marks) << LOW_BITS;
}

uint32_t marks_settled(const struct isolation_marks *marks)
{
	return 1u << marks_shift(marks) << MARKS_GROUP_BITS;
}

uint32_t marks_generation_mask(const struct isolation_marks *marks)
{
	return marks_judged(marks, MARKS_GENERATIONS);
}

uint8_t marks_group_of(const struct mac *mac)
{
	return mac->b[sizeof(mac->b) - 1] % MARKS_GROUPS;
}

uint32_t marks_group(const struct isolation_marks *marks, uint8_t group)
{
	return group ? 1u << marks_shift(marks) << (group - 1) : 0;
}

uint32_t marks_other_groups(const struct isolation_marks *marks, uint8_t group)
{
	return marks->connection & ~marks_generation_mask(marks) &
	       ~marks_settled(marks) & ~marks_group(marks, group);
}

uint8_t marks_next(const struct isolation_marks *marks, uint8_t generation)
{
	do
		generation = (generation + 1) % (MARKS_GENERATIONS + 1);
	while (!generation ||
		generation == marks_generation(marks, marks->packet));
	return generation;
}
