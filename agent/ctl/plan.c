/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A forgiving look at the configuration: sections, modes, interfaces. The
 * strict reader is the daemon's; its check runs before anything is put in
 * force. Must never write.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/plan.h"

#define BLANKS " \t\r"

/* The text without blanks around it, in place. */
static char *trim(char *text)
{
	size_t n;

	text += strspn(text, BLANKS);
	n = strlen(text);
	while (n > 0 && strchr(BLANKS, text[n - 1]))
		text[--n] = '\0';
	return text;
}

static void put(char **place, const char *text)
{
	free(*place);
	*place = strdup(text);
	if (*place == NULL)
		abort();
}

static struct plan_section *section_of(
	struct plan *plan, const char *type, const char *name)
{
	struct plan_section *section;

	for (size_t i = 0; i < plan->n_sections; i++) {
		section = &plan->sections[i];
		if (strcmp(section->type, type) == 0 &&
			strcmp(section->name, name) == 0)
			return section;
	}
	plan->sections = reallocarray(
		plan->sections, plan->n_sections + 1, sizeof(*section));
	if (plan->sections == NULL)
		abort();
	section = &plan->sections[plan->n_sections++];
	memset(section, 0, sizeof(*section));
	put(&section->type, type);
	put(&section->name, name);
	put(&section->mode, "");
	put(&section->role, "");
	put(&section->interface, "");
	return section;
}

/* "zone things" of [zone things] */
static struct plan_section *enter(struct plan *plan, char *header)
{
	char *type = trim(header), *name;

	name = type + strcspn(type, BLANKS);
	if (*name)
		*name++ = '\0';
	return section_of(plan, type, trim(name));
}

static void take(struct plan_section *section, char *line)
{
	char *value = strchr(line, '='), *key;

	if (value == NULL || section == NULL)
		return;
	*value++ = '\0';
	key = trim(line);
	value = trim(value);
	if (strcmp(key, "mode") == 0)
		put(&section->mode, value);
	else if (strcmp(key, "role") == 0)
		put(&section->role, value);
	else if (strcmp(key, "interface") == 0)
		put(&section->interface, value);
}

void plan_scan(struct plan *plan, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;
	struct plan_section *section = NULL;

	if (copy == NULL)
		abort();
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *comment = strstr(line, " ;"), *end;

		if (comment)
			*comment = '\0';
		line = trim(line);
		if (*line == ';' || *line == '#')
			continue;
		if (*line != '[') {
			take(section, line);
			continue;
		}
		end = strchr(line, ']');
		if (end)
			*end = '\0';
		section = enter(plan, line + 1);
	}
	free(copy);
}

int plan_read_file(const char *path, char **ret_text)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
	struct stat st;
	char *text;

	if (file == NULL && errno == ENOENT) {
		*ret_text = strdup("");
		return *ret_text ? 0 : -ENOMEM;
	}
	if (file == NULL || fstat(fileno(file), &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > PLAN_FILE_MAX)
		return -EINVAL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (text == NULL)
		return -ENOMEM;
	if (fread(text, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
		free(text);
		return -EIO;
	}
	*ret_text = text;
	return 0;
}

static int scan_file(struct plan *plan, const char *path)
{
	char *text;
	int r = plan_read_file(path, &text);

	if (r < 0)
		return r;
	plan_scan(plan, text);
	free(text);
	return 0;
}

static int is_conf(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && end && strcmp(end, ".conf") == 0;
}

static int in_byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int scan_folder(struct plan *plan, const char *folder)
{
	struct dirent **entries = NULL;
	int n, r = 0;

	n = scandir(folder, &entries, is_conf, in_byte_order);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		char *path = NULL;

		if (r == 0 && asprintf(&path, "%s/%s", folder,
				      entries[i]->d_name) < 0)
			r = -ENOMEM;
		else if (r == 0)
			r = scan_file(plan, path);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int plan_load(const char *file, struct plan *ret_plan)
{
	struct plan plan = {0};
	char *folder;
	int r;

	if (access(file, R_OK) < 0)
		return -errno;
	if (asprintf(&folder, "%s.d", file) < 0)
		return -ENOMEM;
	r = scan_file(&plan, file);
	if (r == 0)
		r = scan_folder(&plan, folder);
	free(folder);
	if (r < 0)
		plan_clear(&plan);
	else
		*ret_plan = plan;
	return r;
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_sections; i++) {
		struct plan_section *section = &plan->sections[i];

		free(section->type);
		free(section->name);
		free(section->mode);
		free(section->role);
		free(section->interface);
	}
	free(plan->sections);
	memset(plan, 0, sizeof(*plan));
}

const struct plan_section *plan_find(
	const struct plan *plan, const char *type, const char *name)
{
	for (size_t i = 0; i < plan->n_sections; i++)
		if (strcmp(plan->sections[i].type, type) == 0 &&
			strcmp(plan->sections[i].name, name) == 0)
			return &plan->sections[i];
	return NULL;
}

static bool has_word(const char *list, const char *word)
{
	static const char between[] = BLANKS ",";
	size_t length = strlen(word), n;

	for (; *list; list += n) {
		list += strspn(list, between);
		n = strcspn(list, between);
		if (n == length && n > 0 && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

const struct plan_section *plan_zone_of(
	const struct plan *plan, const char *interface)
{
	for (size_t i = 0; i < plan->n_sections; i++)
		if (strcmp(plan->sections[i].type, "zone") == 0 &&
			has_word(plan->sections[i].interface, interface))
			return &plan->sections[i];
	return NULL;
}

const char *plan_mode(
	const struct plan *plan, const char *zone, const char *device)
{
	const struct plan_section *nearest[] = {
		plan_find(plan, "device", device),
		plan_find(plan, "zone", zone),
		plan_find(plan, "gateway", ""),
	};

	for (size_t i = 0; i < ARRAY_SIZE(nearest); i++)
		if (nearest[i] && *nearest[i]->mode)
			return nearest[i]->mode;
	return "observe";
}

void plan_set_mode(
	struct plan *plan, const char *type, const char *name, const char *mode)
{
	put(&section_of(plan, type, name)->mode, mode);
}
