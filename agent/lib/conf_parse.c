/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checked lines -> inih -> the tree, each section and value judged by its
 * schema. Pure. Must never let a value in that no schema accepted, and never
 * stop at the first mistake.
 */
#include <errno.h>
#include <ini.h>
#include <string.h>

#include "agent/lib/conf_priv.h"

struct parser {
	struct conf_reader reader;
	struct conf_node *section; /* NULL: keys belong to nothing known */
	bool lost; /* because of a header that was reported */
	int error;
};

#define complain(parser, ...)                                       \
	conf_complain((parser)->reader.conf, (parser)->reader.file, \
		(parser)->reader.line, __VA_ARGS__)

static const struct conf_schema *find_schema(
	const struct conf *conf, const char *type)
{
	for (size_t i = 0; i < conf->n_schemas; i++)
		if (strcmp(conf->schemas[i]->type, type) == 0)
			return conf->schemas[i];
	return NULL;
}

static const struct conf_key *find_key(
	const struct conf *conf, const char *type, const char *name)
{
	for (size_t i = 0; i < conf->n_schemas; i++) {
		const struct conf_schema *schema = conf->schemas[i];

		if (strcmp(schema->type, type) != 0)
			continue;
		for (size_t j = 0; j < schema->n_keys; j++)
			if (strcmp(schema->keys[j].name, name) == 0)
				return &schema->keys[j];
	}
	return NULL;
}

/* Cuts "[type NAME]" into its two words, in place. */
static void split_header(char *text, char **ret_type, char **ret_name)
{
	char *type = text + 1 + strspn(text + 1, " \t");
	char *name = type + strcspn(type, " \t]");
	char *end = text + strlen(text) - 1;

	while (end > name && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	if (name < end) {
		*name++ = '\0';
		name += strspn(name, " \t");
	}
	*ret_type = type;
	*ret_name = name;
}

/* The schema of a header, or NULL after saying what is wrong with it. */
static const struct conf_schema *judge_header(
	struct parser *parser, const char *type, const char *name)
{
	struct conf *conf = parser->reader.conf;
	const struct conf_schema *schema = find_schema(conf, type);
	char text[CONF_SUGGESTION];

	if (!schema) {
		complain(parser, "unknown section [%s]; %s", type,
			conf_suggest_type(conf, type, text));
		return NULL;
	}
	if (!schema->named && *name) {
		complain(parser,
			"[%s %s]: there is only one [%s]; "
			"expected no name",
			type, name, type);
		return NULL;
	}
	if (schema->named && !*name) {
		complain(parser, "[%s] has no name; expected [%s NAME]", type,
			type);
		return NULL;
	}
	if (schema->named && conf_check_name(name) < 0) {
		complain(parser,
			"\"%s\" is no name for a %s; expected at "
			"most %d letters, digits, - _ . beginning "
			"with a letter or digit",
			name, type, CONF_NAME_MAX);
		return NULL;
	}
	return schema;
}

/* A header in a later file goes on with the section of an earlier one. */
static int enter_section(struct parser *parser,
	const struct conf_schema *schema, const char *name)
{
	const char *file = parser->reader.file;
	struct conf_node *node = conf_find_node(
		parser->reader.conf, schema->type, name);
	int r;

	if (!node) {
		r = conf_add_node(parser->reader.conf, schema, name, file,
			parser->reader.line, &node);
		if (r < 0)
			return r;
	} else if (node->last_file == file) {
		complain(parser,
			"[%s%s%s] is there already, in line %u; "
			"expected each section once in a file",
			schema->type, *name ? " " : "", name, node->last_line);
	}
	node->last_file = file;
	node->last_line = parser->reader.line;
	parser->section = node;
	return 0;
}

static void take_header(struct parser *parser, const char *line)
{
	char text[CONF_LINE_MAX + 1], *type, *name;
	const struct conf_schema *schema;

	memcpy(text, line, strlen(line) + 1);
	split_header(text, &type, &name);
	schema = judge_header(parser, type, name);
	parser->section = NULL;
	parser->lost = !schema;
	if (schema)
		parser->error = enter_section(parser, schema, name);
}

/* fgets() for inih; every line fits and is in order. */
static char *hand_line(char *buffer, int size, void *stream)
{
	struct parser *parser = stream;
	char text[CONF_LINE_MAX + 1];
	enum conf_line kind;

	for (;;) {
		if (parser->error < 0)
			return NULL;
		kind = conf_read_line(&parser->reader, text);
		if (kind == CONF_LINE_END)
			return NULL;
		if (kind == CONF_LINE_BAD_HEADER) {
			parser->section = NULL;
			parser->lost = true;
			continue;
		}
		if (kind == CONF_LINE_HEADER)
			take_header(parser, text);
		if (size <= 0 || strlen(text) >= (size_t)size) {
			/* An inih built with a smaller buffer than ours. */
			complain(parser,
				"the line is too long for the "
				"installed libinih (%d bytes)",
				size);
			continue;
		}
		memcpy(buffer, text, strlen(text) + 1);
		return buffer;
	}
}

static int append_value(struct parser *parser, const struct conf_key *key,
	const char *text, struct conf_value **ret_value)
{
	struct conf_value *value = calloc(1, sizeof(*value));

	if (!value)
		return -ENOMEM;
	value->text = strdup(text);
	if (!value->text) {
		free(value);
		return -ENOMEM;
	}
	value->key = key;
	*parser->section->tail = value;
	parser->section->tail = &value->next;
	*ret_value = value;
	return 0;
}

static struct conf_value *find_single(
	const struct conf_node *node, const struct conf_key *key)
{
	struct conf_value *value = node->section.values;

	while (value && value->key != key)
		value = value->next;
	return value;
}

static int replace_text(struct conf_value *value, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(value->text);
	value->text = copy;
	return 0;
}

static int store_value(
	struct parser *parser, const struct conf_key *key, const char *text)
{
	const char *file = parser->reader.file;
	struct conf_value *value = key->list
					   ? NULL
					   : find_single(parser->section, key);
	int r;

	if (value && value->file == file) {
		complain(parser,
			"\"%s\" is there already, in line %u; "
			"expected it once in this section",
			key->name, value->line);
		return 0;
	}
	if (value)
		r = replace_text(value, text);
	else
		r = append_value(parser, key, text, &value);
	if (r < 0)
		return r;
	value->file = file;
	value->line = parser->reader.line;
	value->refused = key->check && key->check(text) < 0;
	if (value->refused)
		complain(parser, "%s = %s: expected %s", key->name, text,
			key->expected);
	return 0;
}

static int judge_pair(struct parser *parser, const char *name, const char *text)
{
	struct conf *conf = parser->reader.conf;
	const struct conf_schema *schema;
	const struct conf_key *key;
	char list[CONF_SUGGESTION];

	if (!parser->section) {
		if (!parser->lost)
			complain(parser,
				"the key \"%s\" belongs to no "
				"section; expected a line such as "
				"[gateway] before it",
				name);
		return 0;
	}
	schema = parser->section->section.schema;
	key = find_key(conf, schema->type, name);
	if (!key) {
		complain(parser, "unknown key \"%s\" in [%s]; %s", name,
			schema->type,
			conf_suggest_key(conf, schema->type, name, list));
		return 0;
	}
	return store_value(parser, key, text);
}

/* Called by inih right after hand_line() gave it the line. */
static int take_pair(
	void *user, const char *section, const char *name, const char *value)
{
	struct parser *parser = user;

	(void)section; /* inih cuts long ones; the header was read above */
	if (parser->error == 0)
		parser->error = judge_pair(parser, name, value);
	return 1;
}

int conf_parse(
	struct conf *conf, const char *name, const void *bytes, size_t length)
{
	struct parser parser = {
		.reader = {.conf = conf, .next = bytes},
	};
	int r;

	r = conf_add_file(conf, name, &parser.reader.file);
	if (r < 0)
		return r;
	if (length > CONF_FILE_MAX) {
		complain(&parser,
			"the file has more than %u MiB; "
			"expected a configuration",
			CONF_FILE_MAX >> 20);
		return 0;
	}
	parser.reader.end = parser.reader.next + length;
	r = ini_parse_stream(hand_line, &parser, take_pair, &parser);
	if (r == -2)
		return -ENOMEM;
	if (r != 0 && parser.error == 0)
		complain(&parser, "libinih cannot read this file");
	return parser.error;
}
