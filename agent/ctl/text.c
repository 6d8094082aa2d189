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
#include "agent/lib/utf8.h"

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

/* The character at text, which ends with NUL; no sequence goes past that. */
static int32_t decode(const char *text, size_t *ret_length)
{
	return utf8_next(text, 4, ret_length);
}

static bool may_show(int32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	if (c < 0x7f)
		return true;
	return !only_ascii && !utf8_turns_writing(c) &&
	       wcwidth((wchar_t)c) >= 0;
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
