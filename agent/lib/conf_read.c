/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The strict reader in front of inih. inih splits lines that do not fit its
 * buffer, so that the tail of a long comment becomes a live key, and it joins
 * indented lines to the value before them; it never gets to see either here.
 * Pure: bytes in, one checked line at a time out.
 */
#include <string.h>

#include "agent/lib/conf_priv.h"

struct line {
	const unsigned char *bytes;
	size_t length;
};

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool is_key_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* Cuts the next line; CR LF ends one as well as LF. False at the end. */
static bool cut_line(struct conf_reader *reader, struct line *line)
{
	size_t left = (size_t)(reader->end - reader->next);
	const unsigned char *lf;

	if (left == 0)
		return false;
	lf = memchr(reader->next, '\n', left);
	line->bytes = reader->next;
	line->length = lf ? (size_t)(lf - reader->next) : left;
	reader->next += line->length + (lf ? 1 : 0);
	reader->line++;
	if (line->length > 0 && line->bytes[line->length - 1] == '\r')
		line->length--;
	return true;
}

/* Editors on other systems put a byte order mark before the first line. */
static void skip_mark(struct conf_reader *reader, struct line *line)
{
	if (reader->line != 1 || line->length < 3 ||
		memcmp(line->bytes, "\xef\xbb\xbf", 3) != 0)
		return;
	line->bytes += 3;
	line->length -= 3;
}

/* The length of the UTF-8 character at p, 0 when it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool is_control(const unsigned char *p, size_t n)
{
	if (n == 1)
		return (p[0] < 0x20 && p[0] != '\t') || p[0] == 0x7f;
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

#define complain(reader, ...) \
	conf_complain(        \
		(reader)->conf, (reader)->file, (reader)->line, __VA_ARGS__)

/* Only printable UTF-8 of a length that inih takes in one piece. */
static bool check_bytes(struct conf_reader *reader, const struct line *line)
{
	size_t n;

	if (line->length > CONF_LINE_MAX) {
		complain(reader,
			"the line has %zu bytes; expected at most %d: "
			"put a long comment on several lines",
			line->length, CONF_LINE_MAX);
		return false;
	}
	for (size_t i = 0; i < line->length; i += n) {
		n = utf8_length(line->bytes + i, line->length - i);
		if (n == 0) {
			complain(reader,
				"byte %zu is not valid UTF-8; "
				"expected plain text saved as UTF-8",
				i + 1);
			return false;
		}
		if (n == 1 && line->bytes[i] == '\0') {
			complain(reader, "byte %zu is NUL; expected plain text",
				i + 1);
			return false;
		}
		if (is_control(line->bytes + i, n)) {
			complain(reader,
				"byte %zu begins a control character (0x%02x); "
				"expected plain text",
				i + 1, line->bytes[i + n - 1]);
			return false;
		}
	}
	return true;
}

/* [ ... ] and nothing behind it. */
static bool check_header(struct conf_reader *reader, const char *text)
{
	const char *close = strchr(text, ']');

	if (!close) {
		complain(reader,
			"the section header \"%s\" does not end; "
			"expected ] at its end",
			text);
		return false;
	}
	if (close[1] != '\0') {
		complain(reader,
			"\"%s\" follows the section header; "
			"expected nothing behind ] (a comment needs "
			"a line of its own)",
			close + 1);
		return false;
	}
	return true;
}

/*
 * To inih a ; behind a blank begins a comment and a # does not. Whoever
 * writes either means a comment, or a value that would be cut short.
 */
static bool check_value(struct conf_reader *reader, const char *value)
{
	for (const char *p = value; *p; p++) {
		if (*p != ';' && *p != '#')
			continue;
		if (p > value && !is_blank((unsigned char)p[-1]))
			continue;
		complain(reader,
			"\"%s\" looks like a comment behind a value; "
			"expected comments on lines of their own",
			p);
		return false;
	}
	return true;
}

static bool check_pair(struct conf_reader *reader, const char *text)
{
	size_t n = 0, key;

	while (is_key_char((unsigned char)text[n]))
		n++;
	key = n;
	while (is_blank((unsigned char)text[n]))
		n++;
	if (text[n] != '=') {
		complain(reader, "\"%s\" is neither [section] nor key = value",
			text);
		return false;
	}
	if (key == 0) {
		complain(reader, "there is no key before =; "
				 "expected key = value");
		return false;
	}
	n++;
	while (is_blank((unsigned char)text[n]))
		n++;
	if (text[n] == '\0') {
		complain(reader,
			"the key \"%.*s\" has no value; "
			"give it one or remove the line",
			(int)key, text);
		return false;
	}
	return check_value(reader, text + n);
}

/* What begins with a blank would continue the value before it in inih. */
static bool check_margin(struct conf_reader *reader, const char *text)
{
	if (!is_blank((unsigned char)text[0]))
		return true;
	complain(reader, "the line begins with a blank; values cannot be "
			 "continued: expected every key and [section] at the "
			 "beginning of its line");
	return false;
}

static bool looks_like_header(const struct line *line)
{
	size_t n = 0;

	while (n < line->length && is_blank(line->bytes[n]))
		n++;
	return n < line->length && line->bytes[n] == '[';
}

/* Copies the line without trailing blanks. True when it says something. */
static bool copy_text(const struct line *line, char *text)
{
	size_t n = line->length, i = 0;

	while (n > 0 && is_blank(line->bytes[n - 1]))
		n--;
	memcpy(text, line->bytes, n);
	text[n] = '\0';
	while (is_blank((unsigned char)text[i]))
		i++;
	return text[i] != '\0' && text[i] != '#' && text[i] != ';';
}

enum conf_line conf_read_line(
	struct conf_reader *reader, char text[static CONF_LINE_MAX + 1])
{
	struct line line;
	bool header;

	while (!conf_is_full(reader->conf) && cut_line(reader, &line)) {
		skip_mark(reader, &line);
		header = looks_like_header(&line);
		if (!check_bytes(reader, &line)) {
			if (header)
				return CONF_LINE_BAD_HEADER;
			continue;
		}
		if (!copy_text(&line, text))
			continue;
		if (header)
			return check_margin(reader, text) &&
					       check_header(reader, text)
				       ? CONF_LINE_HEADER
				       : CONF_LINE_BAD_HEADER;
		if (check_margin(reader, text) && check_pair(reader, text))
			return CONF_LINE_PAIR;
	}
	return CONF_LINE_END;
}
