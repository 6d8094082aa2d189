/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Characters in bytes of unknown origin. Pure. */
#ifndef GATEHOUSE_UTF8_H
#define GATEHOUSE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The character at bytes, of which there are size (at least one), and its
 * length; a broken byte is -1, length 1.
 */
int32_t utf8_next(const void *bytes, size_t size, size_t *ret_length);
/* Left to right marks, overrides, isolates, and the line separators. */
bool utf8_turns_writing(int32_t c);
/* Takes no room: joiners, fillers, tags; names that look the same differ. */
bool utf8_is_hidden(int32_t c);

#endif
