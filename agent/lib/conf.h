/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration: strict INI. A reader in front of inih refuses what inih
 * would silently repair (long lines, NUL, bad UTF-8, continuation lines).
 * The result is a tree of sections and values that were each checked against
 * a schema; modules read it with the same pure value parsers that checked it.
 * Every problem is collected, none hides another.
 */
#ifndef GATEHOUSE_CONF_H
#define GATEHOUSE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"
#include "agent/lib/net.h"

#define CONF_LINE_MAX 199 /* bytes; inih's own limit is 200 with the NUL */
#define CONF_FILE_MAX (16u << 20)
#define CONF_FILES_MAX 1024
#define CONF_PROBLEMS_MAX 1000
#define CONF_NAME_MAX 31 /* of a device, zone, upgrade, see conf_check_name() */

/* One value as written. */
struct conf_value {
	struct conf_value *next;
	const struct conf_key *key;
	char *text;
	const char *file; /* owned by the conf */
	unsigned line;
	bool refused; /* reported; only conf_given() sees it */
};

struct conf_section {
	struct conf_section *next;
	const struct conf_schema *schema;
	char *name; /* "" for an unnamed section */
	const char *file;
	unsigned line; /* of its first header */
	uint32_t id; /* for whoever numbers sections; 0 until then */
	struct conf_value *values; /* in the order of reading */
};

/*
 * What a value may be. Pure; 0, or -EINVAL for "not of this kind" (the
 * message then says what was expected).
 */
typedef int (*conf_check)(const char *text);

struct conf_key {
	const char *name;
	conf_check check;
	const char *expected; /* "a MAC address such as 02:00:00:00:00:01" */
	bool list; /* may be given several times; later files add */
	const char *help; /* one sentence, for the manual */
};

/* [type] or [type NAME]. Several schemas may add keys to one type. */
struct conf_schema {
	const char *type;
	bool named;
	const struct conf_key *keys;
	size_t n_keys;
};

struct conf_problem {
	char *file;
	unsigned line; /* 0: the file as a whole */
	char *text; /* what is wrong, what was expected, what was meant */
};

struct conf;

/*
 * Reads file and then each file named *.conf of its folder (file + ".d", may
 * be missing) in byte order. A value in a later file replaces the same single key of an
 * earlier one; the same key twice in one file is a problem, as is everything
 * no schema knows. *ret_conf is always set unless memory is out (-ENOMEM);
 * look at conf_problem_count().
 */
_must_check_ int conf_load(const char *file,
	const struct conf_schema *const *schemas, size_t n_schemas,
	struct conf **ret_conf);
/*
 * Parses one file's bytes into conf; pure, for tests and fuzzing. name is
 * what problems call it. -ENOMEM.
 */
_must_check_ int conf_parse(
	struct conf *conf, const char *name, const void *bytes, size_t length);
_must_check_ int conf_new(const struct conf_schema *const *schemas,
	size_t n_schemas, struct conf **ret_conf);
struct conf *conf_free(struct conf *conf);

/*
 * All of it as the text of one file, in the same order; a NUL follows. The
 * caller's to free. -ENOMEM.
 */
_must_check_ int conf_write(
	const struct conf *conf, char **ret_text, size_t *ret_size);
/* The names of files that say something else now, as far as they fit. */
void conf_changed_files(const struct conf *before, const struct conf *after,
	char *text, size_t size);

size_t conf_problem_count(const struct conf *conf);
const struct conf_problem *conf_problem(const struct conf *conf, size_t i);
/* Adds a problem found by a cross-check. file/line as in the tree. */
void conf_complain(struct conf *conf, const char *file, unsigned line,
	const char *format, ...) _printf_(4, 5);

/*
 * The same once more, for somebody who adds to it; without problems. -ENOMEM.
 */
_must_check_ int conf_copy(const struct conf *conf, struct conf **ret_conf);

/* The sections of a type in order: pass NULL first. NULL at the end. */
const struct conf_section *conf_next(const struct conf *conf, const char *type,
	const struct conf_section *after);
/* Numbers a section of conf; small numbers, not zero. */
void conf_set_id(
	struct conf *conf, const struct conf_section *section, uint32_t id);
/* The section with this number, or NULL. */
const struct conf_section *conf_find_id(const struct conf *conf, uint32_t id);
const struct conf_section *conf_find(
	const struct conf *conf, const char *type, const char *name);
/*
 * Whether a key was written at all, even with a refused value: for checks
 * that something is missing. section may be NULL.
 */
bool conf_given(const struct conf_section *section, const char *key);
/* The value of a key; of a list key the first. NULL when not given. */
const struct conf_value *conf_get(
	const struct conf_section *section, const char *key);
/* The next value of the same list key. */
const struct conf_value *conf_get_next(const struct conf_value *value);
/*
 * Takes a value out of sight of all but conf_given(), because something else
 * was put in its place.
 */
void conf_hide(struct conf *conf, const struct conf_value *value);
/* The text of a key or a default; section may be NULL. */
const char *conf_text(const struct conf_section *section, const char *key,
	const char *otherwise);

/* The known name nearest to a mistyped one, or NULL when none is near. */
const char *conf_nearest(
	const char *word, const char *const *known, size_t n_known);

/* Value parsers and checks shared by modules. All pure. */
/* a-z A-Z 0-9 - _ . beginning with a letter or digit; CONF_NAME_MAX bytes */
int conf_check_name(const char *text);
int conf_check_mac(const char *text);
int conf_check_ip(const char *text);
int conf_check_ip_list(const char *text); /* separated by blanks or commas */
int conf_check_hostname(const char *text); /* RFC 1123, not an address */
int conf_check_bool(const char *text); /* yes no true false on off */
int conf_check_port(const char *text); /* 1-65535 */
int conf_check_ifname(const char *text); /* one interface, <= 15 bytes */
int conf_check_ifname_list(const char *text);
int conf_check_path(const char *text); /* absolute, without .. */
int conf_check_mode(const char *text); /* observe | enforce */
int conf_check_name_list(const char *text);

_must_check_ int conf_read_bool(const char *text, bool *ret_value);
_must_check_ int conf_read_number(
	const char *text, uint64_t least, uint64_t most, uint64_t *ret_value);
/*
 * Cuts the next blank- or comma-separated word out of *rest into word (size
 * bytes). 1 = a word, 0 = the end, -EINVAL = a word that does not fit.
 */
_must_check_ int conf_next_word(const char **rest, char *word, size_t size);

#endif
