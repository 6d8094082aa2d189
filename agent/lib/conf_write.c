/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration as the text of one file that reads back as the same.
 * Touches memory only; must never leave anything out.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/conf_priv.h"

static const char head[] =
	"# SPDX-License-Identifier: GPL-2.0-or-later\n"
	"# Written by gatehoused: all files of a configuration in one.\n"
	"# To change something edit the files in /etc, not this one.\n";

/* Without blanks around "=": no line gets longer than it was. */
static void write_section(FILE *out, const struct conf_section *section)
{
	fprintf(out, "\n[%s%s%s]\n", section->schema->type,
		section->name[0] ? " " : "", section->name);
	for (const struct conf_value *v = section->values; v; v = v->next)
		fprintf(out, "%s=%s\n", v->key->name, v->text);
}

int conf_write(const struct conf *conf, char **ret_text, size_t *ret_size)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return -ENOMEM;
	fputs(head, out);
	for (const struct conf_section *s = conf->sections; s; s = s->next)
		write_section(out, s);
	failed = ferror(out);
	if (fclose(out) != 0 || failed) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	*ret_size = size;
	return 0;
}

struct file_sum {
	const char *file;
	uint64_t sum;
	struct file_sum *next;
};

static uint64_t add_text(uint64_t sum, const char *text)
{
	do
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3u;
	while (*text++);
	return sum;
}

/* Files come in runs; a conf has one copy of each name. */
static struct file_sum *sum_of(struct file_sum **sums, const char *file)
{
	struct file_sum *sum = *sums;

	while (sum && strcmp(sum->file, file) != 0)
		sum = sum->next;
	if (sum)
		return sum;
	sum = calloc(1, sizeof(*sum));
	if (!sum)
		return NULL;
	sum->file = file;
	sum->next = *sums;
	*sums = sum;
	return sum;
}

static struct file_sum *sum_files(const struct conf *conf)
{
	struct file_sum *sums = NULL, *last = NULL;

	for (const struct conf_section *s = conf->sections; s; s = s->next)
		for (const struct conf_value *v = s->values; v; v = v->next) {
			if (!last || last->file != v->file)
				last = sum_of(&sums, v->file);
			if (!last)
				return sums;
			last->sum = add_text(last->sum, s->schema->type);
			last->sum = add_text(last->sum, s->name);
			last->sum = add_text(last->sum, v->key->name);
			last->sum = add_text(last->sum, v->text);
		}
	return sums;
}

static void free_sums(struct file_sum *sums)
{
	while (sums) {
		struct file_sum *next = sums->next;

		free(sums);
		sums = next;
	}
}

/* Those of a that b has not, or with other contents. */
static size_t list_other(const struct file_sum *a, const struct file_sum *b,
	bool only_missing, char *text, size_t size, size_t used)
{
	for (; a; a = a->next) {
		const struct file_sum *other = b;
		int n;

		while (other && strcmp(other->file, a->file) != 0)
			other = other->next;
		if (other && (only_missing || other->sum == a->sum))
			continue;
		n = snprintf(text + used, size - used, "%s%s", used ? " " : "",
			a->file);
		if (n < 0 || (size_t)n >= size - used) {
			text[used] = 0;
			return used;
		}
		used += (size_t)n;
	}
	return used;
}

void conf_changed_files(const struct conf *before, const struct conf *after,
	char *text, size_t size)
{
	struct file_sum *old = sum_files(before), *now = sum_files(after);
	size_t used;

	text[0] = 0;
	used = list_other(now, old, false, text, size, 0);
	list_other(old, now, true, text, size, used);
	free_sums(old);
	free_sums(now);
}
