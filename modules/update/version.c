/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders Debian versions the way dpkg does (deb-version(7)), so that "newer"
 * means the same to us and to the program that installs. Pure; must never
 * call an older version newer: that is the protection against roll-back.
 */
#include <stddef.h>
#include <string.h>

#include "modules/update/version.h"

#define EPOCH_DIGITS 9 /* fits an int, which is dpkg's limit */

/* A part of a version; not terminated. */
struct part {
	const char *next, *end;
};

struct parts {
	struct part epoch, upstream, revision;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct parts split(const char *text)
{
	const char *end = text + strlen(text);
	const char *colon = strchr(text, ':');
	const char *dash = strrchr(text, '-');
	struct parts p = {{text, text}, {text, end}, {end, end}};

	if (colon) {
		p.epoch.end = colon;
		p.upstream.next = colon + 1;
	}
	if (dash && dash >= p.upstream.next) {
		p.upstream.end = dash;
		p.revision.next = dash + 1;
	}
	return p;
}

static bool has_only(struct part p, const char *also)
{
	for (; p.next < p.end; p.next++)
		if (!is_digit(*p.next) && !is_letter(*p.next) &&
			!strchr(also, *p.next))
			return false;
	return true;
}

static bool epoch_is_valid(struct part p)
{
	ptrdiff_t length = p.end - p.next;

	for (; p.next < p.end; p.next++)
		if (!is_digit(*p.next))
			return false;
	return length > 0 && length <= EPOCH_DIGITS;
}

bool version_is_valid(const char *text)
{
	struct parts p = split(text);

	if (strchr(text, ':') && !epoch_is_valid(p.epoch))
		return false;
	if (p.upstream.next == p.upstream.end || !is_digit(*p.upstream.next))
		return false;
	if (*p.upstream.end == '-' && p.revision.next == p.revision.end)
		return false;
	return has_only(p.upstream, ".+~-") && has_only(p.revision, ".+~");
}

/* "~" sorts before the end, the end before letters, those before the rest. */
static int weight(struct part p)
{
	char c;

	if (p.next == p.end)
		return 0;
	c = *p.next;
	if (is_digit(c))
		return 0;
	if (c == '~')
		return -1;
	return is_letter(c) ? (unsigned char)c : (unsigned char)c + 256;
}

static bool at_digit(struct part p)
{
	return p.next < p.end && is_digit(*p.next);
}

static int compare_words(struct part *a, struct part *b)
{
	while ((a->next < a->end && !at_digit(*a)) ||
		(b->next < b->end && !at_digit(*b))) {
		int difference = weight(*a) - weight(*b);

		if (difference)
			return difference;
		a->next += a->next < a->end;
		b->next += b->next < b->end;
	}
	return 0;
}

static struct part take_number(struct part *p)
{
	struct part number;

	while (at_digit(*p) && *p->next == '0')
		p->next++;
	number.next = p->next;
	while (at_digit(*p))
		p->next++;
	number.end = p->next;
	return number;
}

/* Of any length: more digits are more, else the digits decide. */
static int compare_numbers(struct part *a, struct part *b)
{
	struct part x = take_number(a), y = take_number(b);
	ptrdiff_t longer = (x.end - x.next) - (y.end - y.next);

	if (longer)
		return longer < 0 ? -1 : 1;
	return memcmp(x.next, y.next, (size_t)(x.end - x.next));
}

static int compare_parts(struct part a, struct part b)
{
	int order = 0;

	while (!order && (a.next < a.end || b.next < b.end)) {
		order = compare_words(&a, &b);
		if (!order)
			order = compare_numbers(&a, &b);
	}
	return order;
}

int version_compare(const char *a, const char *b)
{
	struct parts x = split(a), y = split(b);
	int order = compare_numbers(&x.epoch, &y.epoch);

	if (!order)
		order = compare_parts(x.upstream, y.upstream);
	if (!order)
		order = compare_parts(x.revision, y.revision);
	return order;
}
