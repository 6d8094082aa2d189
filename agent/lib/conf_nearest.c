/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Did you mean ...?": the number of letters to change, add, leave out or
 * swap between what was written and what is known. Pure.
 */
#include <string.h>

#include "agent/lib/conf_priv.h"

#define WORD_MAX 48 /* nothing we know is longer */
#define NEAR 2
#define KNOWN_MAX 64 /* of one kind; more are not offered */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Optimal string alignment over three rows; case does not count. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (size_t j = 0; j <= m; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= n; i++) {
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			now[j] = least(least(last[j], now[j - 1]) + 1,
				last[j - 1] + (same ? 0 : 1));
			if (i > 1 && j > 1 &&
				lower(a[i - 1]) == lower(b[j - 2]) &&
				lower(a[i - 2]) == lower(b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[m];
}

const char *conf_nearest(
	const char *word, const char *const *known, size_t n_known)
{
	size_t n = strlen(word), best = NEAR + 1;
	const char *nearest = NULL;

	if (n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n_known; i++) {
		size_t m = strlen(known[i]), d;

		if (m > WORD_MAX)
			continue;
		d = distance(word, n, known[i], m);
		/* Half of a short word changed is another word. */
		if (d >= best || d * 2 >= (n > m ? n : m))
			continue;
		best = d;
		nearest = known[i];
	}
	return nearest;
}

struct known {
	const char *words[KNOWN_MAX];
	size_t n;
};

static void add_known(struct known *known, const char *word)
{
	for (size_t i = 0; i < known->n; i++)
		if (strcmp(known->words[i], word) == 0)
			return;
	if (known->n < KNOWN_MAX)
		known->words[known->n++] = word;
}

/* "did you mean X?", or all that is known when nothing is near. */
static const char *suggest(
	const struct known *known, const char *word, char text[CONF_SUGGESTION])
{
	const char *near = conf_nearest(word, known->words, known->n);
	size_t used;

	if (near) {
		snprintf(text, CONF_SUGGESTION, "did you mean \"%s\"?", near);
		return text;
	}
	used = (size_t)snprintf(text, CONF_SUGGESTION, "expected one of:");
	for (size_t i = 0; i < known->n && used < CONF_SUGGESTION; i++)
		used += (size_t)snprintf(text + used, CONF_SUGGESTION - used,
			" %s", known->words[i]);
	return text;
}

const char *conf_suggest_type(const struct conf *conf, const char *word,
	char text[static CONF_SUGGESTION])
{
	struct known known = {};

	for (size_t i = 0; i < conf->n_schemas; i++)
		add_known(&known, conf->schemas[i]->type);
	return suggest(&known, word, text);
}

const char *conf_suggest_key(const struct conf *conf, const char *type,
	const char *word, char text[static CONF_SUGGESTION])
{
	struct known known = {};

	for (size_t i = 0; i < conf->n_schemas; i++) {
		const struct conf_schema *schema = conf->schemas[i];

		if (strcmp(schema->type, type) != 0)
			continue;
		for (size_t j = 0; j < schema->n_keys; j++)
			add_known(&known, schema->keys[j].name);
	}
	return suggest(&known, word, text);
}
