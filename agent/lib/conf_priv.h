/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of conf share; nobody else includes it. */
#ifndef GATEHOUSE_CONF_PRIV_H
#define GATEHOUSE_CONF_PRIV_H

#include "agent/lib/conf.h"

#define CONF_BUCKETS 4096

/* A section with what only its builders need. */
struct conf_node {
	struct conf_section section;
	struct conf_value **tail; /* where the next value goes */
	struct conf_node *chain; /* the next in the same bucket */
	struct conf_node *same; /* the next of the same type */
	const char *last_file; /* of its last header */
	unsigned last_line;
};

/* The name of one source; the tree points into it. */
struct conf_file {
	struct conf_file *next;
	char name[];
};

/* The sections of one type, so that nobody walks over all the others. */
struct conf_type {
	const char *name;
	struct conf_node *first, *last;
};

struct conf {
	const struct conf_schema **schemas; /* our copy of the list */
	size_t n_schemas;
	struct conf_section *sections, **tail;
	struct conf_node *buckets[CONF_BUCKETS];
	struct conf_type *types; /* as many as schemas, at most */
	size_t n_types;
	const struct conf_section **by_id;
	size_t n_by_id;
	bool by_id_short; /* no memory for it: look at each section */
	struct conf_file *files;
	size_t n_problems;
	struct conf_problem problems[CONF_PROBLEMS_MAX];
};

/* True when no further problem will be kept: reading on is pointless. */
bool conf_is_full(const struct conf *conf);
/* A copy of name that lives as long as conf. -ENOMEM. */
_must_check_ int conf_add_file(
	struct conf *conf, const char *name, const char **ret_name);
struct conf_node *conf_find_node(
	const struct conf *conf, const char *type, const char *name);
/* Adds an empty section. -ENOMEM. */
_must_check_ int conf_add_node(struct conf *conf,
	const struct conf_schema *schema, const char *name, const char *file,
	unsigned line, struct conf_node **ret_node);

/* What a line is, once everything that is wrong with it was reported. */
enum conf_line {
	CONF_LINE_END, /* no more lines */
	CONF_LINE_HEADER, /* [type] or [type NAME] */
	CONF_LINE_PAIR, /* key = value, neither of them empty */
	CONF_LINE_BAD_HEADER, /* reported; what follows has no known owner */
};

struct conf_reader {
	struct conf *conf;
	const char *file;
	const unsigned char *next, *end;
	unsigned line; /* of what was read last, from 1 */
};

/*
 * The next line that says something, without its end and the blanks before
 * that. Comments, empty lines and refused lines are skipped.
 */
enum conf_line conf_read_line(
	struct conf_reader *reader, char text[static CONF_LINE_MAX + 1]);

#define CONF_SUGGESTION 256

/* "did you mean X?", or what is known when nothing is near. Returns text. */
const char *conf_suggest_type(const struct conf *conf, const char *word,
	char text[static CONF_SUGGESTION]);
const char *conf_suggest_key(const struct conf *conf, const char *type,
	const char *word, char text[static CONF_SUGGESTION]);

#endif
