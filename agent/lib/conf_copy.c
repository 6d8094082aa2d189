/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second tree with the same sections and values. Touches memory only; must
 * never share anything with the first but the schemas.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/conf_priv.h"

/* Files come in runs, so nearly always it is the one before. */
static int copy_file(struct conf *to, const char *name, const char **ret_name)
{
	for (struct conf_file *file = to->files; file; file = file->next) {
		if (strcmp(file->name, name) == 0) {
			*ret_name = file->name;
			return 0;
		}
	}
	return conf_add_file(to, name, ret_name);
}

static int copy_value(struct conf *to, struct conf_node *node,
	const struct conf_value *value, const char **last)
{
	struct conf_value *copy = calloc(1, sizeof(*copy));
	int r = 0;

	if (!copy)
		return -ENOMEM;
	*copy = *value;
	copy->next = NULL;
	copy->text = strdup(value->text);
	if (!copy->text) {
		free(copy);
		return -ENOMEM;
	}
	*node->tail = copy;
	node->tail = &copy->next;
	if (!*last || strcmp(*last, value->file) != 0)
		r = copy_file(to, value->file, last);
	copy->file = *last;
	return r;
}

static int copy_section(struct conf *to, const struct conf_section *section)
{
	const char *file = NULL;
	struct conf_node *node;
	int r = copy_file(to, section->file, &file);

	if (r == 0)
		r = conf_add_node(to, section->schema, section->name, file,
			section->line, &node);
	for (const struct conf_value *v = section->values; v && r == 0;
		v = v->next)
		r = copy_value(to, node, v, &file);
	return r;
}

int conf_copy(const struct conf *conf, struct conf **ret_conf)
{
	struct conf *copy = NULL;
	int r = conf_new(conf->schemas, conf->n_schemas, &copy);

	for (const struct conf_section *s = conf->sections; s && r == 0;
		s = s->next)
		r = copy_section(copy, s);
	if (r < 0) {
		conf_free(copy);
		return r;
	}
	*ret_conf = copy;
	return 0;
}
