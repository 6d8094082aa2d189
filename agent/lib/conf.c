/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of sections and values, and the list of what is wrong with it.
 * Pure: no file is opened here (conf_load.c), no text is parsed here
 * (conf_parse.c). Must never drop a problem without saying so.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "agent/lib/conf_priv.h"

/* Stands in when there is no memory for the real text. */
static char no_memory[] = "out of memory";

/* Modules must not contradict each other about a type or a key. */
static void assert_schemas(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_schemas; i++) {
		const struct conf_schema *a = conf->schemas[i];

		for (size_t j = 0; j < i; j++) {
			const struct conf_schema *b = conf->schemas[j];

			if (strcmp(a->type, b->type) != 0)
				continue;
			assert(a->named == b->named);
			for (size_t k = 0; k < a->n_keys; k++)
				for (size_t l = 0; l < b->n_keys; l++)
					assert(strcmp(a->keys[k].name,
						       b->keys[l].name) != 0);
		}
	}
}

int conf_new(const struct conf_schema *const *schemas, size_t n_schemas,
	struct conf **ret_conf)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return -ENOMEM;
	conf->schemas = calloc(n_schemas + 1, sizeof(*conf->schemas));
	conf->types = calloc(n_schemas + 1, sizeof(*conf->types));
	if (!conf->schemas || !conf->types) {
		free(conf->schemas);
		free(conf->types);
		free(conf);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_schemas; i++)
		conf->schemas[i] = schemas[i];
	conf->n_schemas = n_schemas;
	conf->tail = &conf->sections;
	assert_schemas(conf);
	*ret_conf = conf;
	return 0;
}

static void free_text(char *text)
{
	if (text != no_memory)
		free(text);
}

static void free_section(struct conf_section *section)
{
	struct conf_value *value, *next;

	for (value = section->values; value; value = next) {
		next = value->next;
		free(value->text);
		free(value);
	}
	free(section->name);
	free(container_of(section, struct conf_node, section));
}

struct conf *conf_free(struct conf *conf)
{
	struct conf_section *section, *next;
	struct conf_file *file;

	if (!conf)
		return NULL;
	for (section = conf->sections; section; section = next) {
		next = section->next;
		free_section(section);
	}
	while ((file = conf->files)) {
		conf->files = file->next;
		free(file);
	}
	for (size_t i = 0; i < conf->n_problems; i++) {
		free_text(conf->problems[i].file);
		free_text(conf->problems[i].text);
	}
	free(conf->schemas);
	free(conf->types);
	free(conf->by_id);
	free(conf);
	return NULL;
}

size_t conf_problem_count(const struct conf *conf)
{
	return conf->n_problems;
}

const struct conf_problem *conf_problem(const struct conf *conf, size_t i)
{
	return i < conf->n_problems ? &conf->problems[i] : NULL;
}

bool conf_is_full(const struct conf *conf)
{
	return conf->n_problems == CONF_PROBLEMS_MAX;
}

void conf_complain(struct conf *conf, const char *file, unsigned line,
	const char *format, ...)
{
	struct conf_problem *problem;
	va_list args;

	if (conf_is_full(conf))
		return;
	problem = &conf->problems[conf->n_problems++];
	if (conf_is_full(conf)) {
		format = "and more: the rest was not looked at; "
			 "correct these first";
		line = 0;
	}
	problem->line = line;
	problem->file = strdup(file);
	if (!problem->file)
		problem->file = no_memory;
	va_start(args, format);
	/* The format is one of our own: checked at each call. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (vasprintf(&problem->text, format, args) < 0)
		problem->text = no_memory;
#pragma GCC diagnostic pop
	va_end(args);
}

int conf_add_file(struct conf *conf, const char *name, const char **ret_name)
{
	size_t size = strlen(name) + 1;
	struct conf_file *file = malloc(sizeof(*file) + size);

	if (!file)
		return -ENOMEM;
	memcpy(file->name, name, size);
	file->next = conf->files;
	conf->files = file;
	*ret_name = file->name;
	return 0;
}

/* FNV-1a over "type NUL name". */
static size_t bucket_of(const char *type, const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *type; type++)
		hash = (hash ^ (unsigned char)*type) * 16777619u;
	hash *= 16777619u;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash % CONF_BUCKETS;
}

struct conf_node *conf_find_node(
	const struct conf *conf, const char *type, const char *name)
{
	struct conf_node *node = conf->buckets[bucket_of(type, name)];

	for (; node; node = node->chain)
		if (strcmp(node->section.name, name) == 0 &&
			strcmp(node->section.schema->type, type) == 0)
			return node;
	return NULL;
}

static struct conf_type *find_type(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_types; i++)
		if (strcmp(conf->types[i].name, name) == 0)
			return &conf->types[i];
	return NULL;
}

static void append_to_type(struct conf *conf, struct conf_node *node)
{
	const char *name = node->section.schema->type;
	struct conf_type *type = find_type(conf, name);

	if (!type) {
		type = &conf->types[conf->n_types++];
		type->name = name;
		type->first = node;
	} else {
		type->last->same = node;
	}
	type->last = node;
}

int conf_add_node(struct conf *conf, const struct conf_schema *schema,
	const char *name, const char *file, unsigned line,
	struct conf_node **ret_node)
{
	struct conf_node **bucket =
		&conf->buckets[bucket_of(schema->type, name)];
	struct conf_node *node = calloc(1, sizeof(*node));

	if (!node)
		return -ENOMEM;
	node->section.name = strdup(name);
	if (!node->section.name) {
		free(node);
		return -ENOMEM;
	}
	node->section.schema = schema;
	node->section.file = file;
	node->section.line = line;
	node->tail = &node->section.values;
	node->chain = *bucket;
	*bucket = node;
	*conf->tail = &node->section;
	conf->tail = &node->section.next;
	append_to_type(conf, node);
	*ret_node = node;
	return 0;
}

const struct conf_section *conf_next(const struct conf *conf, const char *type,
	const struct conf_section *after)
{
	const struct conf_node *next;

	if (after) {
		next = container_of(after, struct conf_node, section)->same;
	} else {
		const struct conf_type *found = find_type(conf, type);

		next = found ? found->first : NULL;
	}
	return next ? &next->section : NULL;
}

void conf_set_id(
	struct conf *conf, const struct conf_section *section, uint32_t id)
{
	struct conf_node *node = container_of(
		section, struct conf_node, section);
	size_t n = (size_t)id + 1;

	node->section.id = id;
	if (n > conf->n_by_id) {
		const struct conf_section **more;

		n += n / 2;
		more = reallocarray(conf->by_id, n, sizeof(*more));
		if (!more) {
			conf->by_id_short = true;
			return;
		}
		memset(more + conf->n_by_id, 0,
			(n - conf->n_by_id) * sizeof(*more));
		conf->by_id = more;
		conf->n_by_id = n;
	}
	conf->by_id[id] = section;
}

const struct conf_section *conf_find_id(const struct conf *conf, uint32_t id)
{
	if (id < conf->n_by_id && conf->by_id[id])
		return conf->by_id[id];
	if (!conf->by_id_short || id == 0)
		return NULL;
	for (const struct conf_section *s = conf->sections; s; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

const struct conf_section *conf_find(
	const struct conf *conf, const char *type, const char *name)
{
	const struct conf_node *node = conf_find_node(conf, type, name);

	return node ? &node->section : NULL;
}

bool conf_given(const struct conf_section *section, const char *key)
{
	const struct conf_value *value = section ? section->values : NULL;

	while (value && strcmp(value->key->name, key) != 0)
		value = value->next;
	return value;
}

const struct conf_value *conf_get(
	const struct conf_section *section, const char *key)
{
	const struct conf_value *value = section ? section->values : NULL;

	while (value && (value->refused || strcmp(value->key->name, key) != 0))
		value = value->next;
	return value;
}

void conf_hide(struct conf *conf, const struct conf_value *value)
{
	(void)conf; /* whose it is; nobody else may change it */
	((struct conf_value *)value)->refused = true;
}

const struct conf_value *conf_get_next(const struct conf_value *value)
{
	const struct conf_key *key = value->key;

	do {
		value = value->next;
	} while (value && (value->refused || value->key != key));
	return value;
}

const char *conf_text(const struct conf_section *section, const char *key,
	const char *otherwise)
{
	const struct conf_value *value = conf_get(section, key);

	return value ? value->text : otherwise;
}
