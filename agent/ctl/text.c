/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reaches the terminal goes through text_clean() first: names and
 * addresses may come from devices, and a terminal obeys control bytes.
 * Pure but for memory; when that is out the command ends.
 */
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "agent/ctl/text.h"

static bool only_ascii;

void text_set_up(void)
{
	setlocale(LC_ALL, "");
	only_ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	/* wcwidth() has to know every character, whatever is shown. */
	setlocale(LC_CTYPE, "C.UTF-8");
}

void text_force_ascii(bool ascii)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	only_ascii = ascii;
}

/* The character at text and its length; a broken byte is -1, length 1. */
static int32_t decode(const char *text, size_t *ret_length)
{
	const unsigned char *p = (const unsigned char *)text;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	*ret_length = 1;
	if (n == 0)
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

/* Left to right marks, overrides, isolates, and the line separators. */
static bool turns_writing(int32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool may_show(int32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	if (c < 0x7f)
		return true;
	return !only_ascii && !turns_writing(c) && wcwidth((wchar_t)c) >= 0;
}

char *text_clean(const char *raw)
{
	/* The longest escape, \U0010ffff, stands for four bytes or fewer. */
	char *clean = malloc(strlen(raw) * 6 + 1), *to = clean;
	size_t n;

	if (clean == NULL)
		abort();
	for (; *raw; raw += n) {
		int32_t c = decode(raw, &n);

		if (may_show(c)) {
			memcpy(to, raw, n);
			to += n;
		} else if (c < 0 || c < 0x80) {
			to += snprintf(to, 5, "\\x%02x", (unsigned char)*raw);
		} else if (c < 0x10000) {
			to += snprintf(to, 7, "\\u%04x", (unsigned)c);
		} else {
			to += snprintf(to, 11, "\\U%08x", (unsigned)c);
		}
	}
	*to = '\0';
	return clean;
}

static size_t width_of(const char *text, size_t length)
{
	size_t width = 0, n;

	for (size_t i = 0; i < length; i += n) {
		int32_t c = decode(text + i, &n);
		int w = c < 0 ? 1 : wcwidth((wchar_t)c);

		width += w < 0 ? 1 : (size_t)w;
	}
	return width;
}

size_t text_width(const char *clean)
{
	return width_of(clean, strlen(clean));
}

void text_pad(FILE *out, const char *clean, size_t width, bool right)
{
	size_t own = text_width(clean);
	int blanks = own < width ? (int)(width - own) : 0;

	if (right)
		fprintf(out, "%*s%s", blanks, "", clean);
	else
		fprintf(out, "%s%*s", clean, blanks, "");
}

/* How many bytes of a word fit into so many columns; at least one character. */
static size_t fitting(const char *word, size_t length, size_t columns)
{
	size_t taken = 0, n;

	while (taken < length) {
		decode(word + taken, &n);
		if (taken > 0 && width_of(word, taken + n) > columns)
			break;
		taken += n;
	}
	return taken;
}

void text_wrap(
	FILE *out, const char *clean, size_t at, size_t indent, size_t width)
{
	size_t column = at;
	bool fresh = true; /* nothing on this line yet */

	if (indent >= width)
		indent = 0;
	for (;;) {
		size_t length, wide;

		clean += strspn(clean, " ");
		length = strcspn(clean, " ");
		if (length == 0)
			break;
		wide = width_of(clean, length);
		if (!fresh && column + 1 + wide > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			fresh = true;
		} else if (!fresh) {
			putc(' ', out);
			column++;
		}
		if (column + wide > width) {
			size_t room = column < width ? width - column : 0;

			length = fitting(clean, length, room);
			wide = width_of(clean, length);
		}
		fwrite(clean, 1, length, out);
		clean += length;
		column += wide;
		fresh = false;
		if (*clean && *clean != ' ') {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			fresh = true;
		}
	}
	putc('\n', out);
}

const char *text_number(unsigned long long n, char text[static TEXT_NUMBER])
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%llu", n);
	char *to = text;

	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

const char *text_bytes(unsigned long long n, char text[static TEXT_NUMBER])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)n / 1000;
	size_t i = 0;

	if (n < 1000) {
		snprintf(text, TEXT_NUMBER, "%llu B", n);
		return text;
	}
	for (; value >= 999.95 && i + 1 < ARRAY_SIZE(units); i++)
		value /= 1000;
	snprintf(text, TEXT_NUMBER, "%.1f %s", value, units[i]);
	return text;
}
