/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of somebody else's, taken from the front, never more than there are.
 * Each function says false, and takes nothing, when too few are left.
 */
#ifndef GATEHOUSE_DISCOVERY_DECODE_BYTES_H
#define GATEHOUSE_DISCOVERY_DECODE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

/* Nobody's own: it points into what was given to the decoder. */
struct bytes {
	const uint8_t *at;
	size_t size;
};

_must_check_ static inline bool bytes_take(
	struct bytes *from, size_t size, struct bytes *ret_part)
{
	if (from->size < size)
		return false;
	*ret_part = (struct bytes){from->at, size};
	from->at += size;
	from->size -= size;
	return true;
}

_must_check_ static inline bool bytes_skip(struct bytes *from, size_t size)
{
	struct bytes part;

	return bytes_take(from, size, &part);
}

/* A number of so many bytes (at most four), the highest byte first. */
_must_check_ static inline bool bytes_number(
	struct bytes *from, size_t size, uint32_t *ret_value)
{
	struct bytes part;
	uint32_t value = 0;

	if (!bytes_take(from, size, &part))
		return false;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | part.at[i];
	*ret_value = value;
	return true;
}

#endif
