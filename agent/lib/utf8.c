/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decodes UTF-8 one character at a time: hostile bytes. Touches memory only;
 * must never take an over-long form or half a pair for a character.
 */
#include "agent/lib/utf8.h"

int32_t utf8_next(const void *bytes, size_t size, size_t *ret_length)
{
	const unsigned char *p = bytes;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	*ret_length = 1;
	if (n == 0 || n > size)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*ret_length = n;
	return (int32_t)c;
}

bool utf8_turns_writing(int32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool utf8_is_hidden(int32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x180e || c == 0x115f ||
	       c == 0x1160 || c == 0x3164 || c == 0xfeff || c == 0xffa0 ||
	       (c >= 0x200b && c <= 0x200d) || (c >= 0x2060 && c <= 0x206f) ||
	       (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}
