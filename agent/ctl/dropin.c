/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edits CONFIG.d/90-mode.conf and no other file. The power may go at any
 * moment: the file is the old one or the new one, whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/dropin.h"
#include "agent/ctl/plan.h"
#include "agent/lib/file.h"

static const char head[] =
	"; SPDX-License-Identifier: GPL-2.0-or-later\n"
	"; Written by \"gatehouse enforce\", \"observe\" and \"pin\".\n"
	"; Your own settings are better kept in another file.\n";

/* The length of a line and whether it says [section] or key = value. */
struct line {
	const char *text;
	size_t length; /* without the newline */
};

static bool next_line(const char **rest, struct line *ret_line)
{
	size_t length = strcspn(*rest, "\n");

	if (**rest == '\0')
		return false;
	*ret_line = (struct line){*rest, length};
	*rest += length + ((*rest)[length] == '\n');
	return true;
}

static struct line trimmed(struct line line)
{
	while (line.length > 0 && strchr(" \t\r", line.text[0])) {
		line.text++;
		line.length--;
	}
	while (line.length > 0 && strchr(" \t\r", line.text[line.length - 1]))
		line.length--;
	return line;
}

static bool says(struct line line, const char *word)
{
	line = trimmed(line);
	return strlen(word) == line.length &&
	       strncmp(line.text, word, line.length) == 0;
}

static bool is_header(struct line line, const char *section)
{
	line = trimmed(line);
	if (line.length < 2 || line.text[0] != '[' ||
		line.text[line.length - 1] != ']')
		return false;
	line.text++;
	line.length -= 2;
	return section == NULL || says(line, section);
}

/* value NULL: whatever it is. */
static bool is_setting(struct line line, const char *key, const char *value)
{
	const char *equals = memchr(line.text, '=', line.length);
	struct line left, right;

	if (equals == NULL)
		return false;
	left = (struct line){line.text, (size_t)(equals - line.text)};
	right = (struct line){
		equals + 1, line.length - (size_t)(equals - line.text) - 1};
	return says(left, key) && (value == NULL || says(right, value));
}

/* Is "key = value" in [section] already? value NULL: any. */
static bool has_setting(const char *text, const char *section, const char *key,
	const char *value)
{
	bool inside = false;
	struct line line;

	while (next_line(&text, &line)) {
		if (is_header(line, NULL))
			inside = is_header(line, section);
		else if (inside && is_setting(line, key, value))
			return true;
	}
	return false;
}

static bool has_section(const char *text, const char *section)
{
	struct line line;

	while (next_line(&text, &line))
		if (is_header(line, section))
			return true;
	return false;
}

static void rewrite(FILE *out, const char *text, const char *section,
	const char *key, const char *value, bool add)
{
	bool replace = !add && has_setting(text, section, key, NULL);
	bool inside = false, done = false;
	struct line line;

	while (next_line(&text, &line)) {
		bool header = is_header(line, NULL);

		if (header)
			inside = is_header(line, section);
		if (inside && !header && replace &&
			is_setting(line, key, NULL)) {
			if (!done)
				fprintf(out, "%s = %s\n", key, value);
			done = true;
			continue;
		}
		fprintf(out, "%.*s\n", (int)line.length, line.text);
		if (inside && header && !replace && !done) {
			fprintf(out, "%s = %s\n", key, value);
			done = true;
		}
	}
}

char *dropin_set(const char *text, const char *section, const char *key,
	const char *value, bool add)
{
	char *result = NULL;
	size_t size;
	FILE *out;

	if (has_setting(text, section, key, value))
		return strdup(text);
	out = open_memstream(&result, &size);
	if (out == NULL)
		return NULL;
	if (*text == '\0')
		text = head;
	rewrite(out, text, section, key, value, add);
	if (!has_section(text, section))
		fprintf(out, "\n[%s]\n%s = %s\n", section, key, value);
	if (fclose(out) != 0) {
		free(result);
		return NULL;
	}
	return result;
}

/* key NULL: the section as a whole. */
static char *without(const char *text, const char *section, const char *key,
	const char *value)
{
	char *result = NULL;
	bool inside = false;
	struct line line;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (out == NULL)
		return NULL;
	while (next_line(&text, &line)) {
		if (is_header(line, NULL))
			inside = is_header(line, section);
		if (!inside || (key && !is_setting(line, key, value)))
			fprintf(out, "%.*s\n", (int)line.length, line.text);
	}
	if (fclose(out) != 0) {
		free(result);
		return NULL;
	}
	return result;
}

char *dropin_remove(const char *text, const char *section, const char *key,
	const char *value)
{
	return without(text, section, key, value);
}

char *dropin_drop(const char *text, const char *section)
{
	return without(text, section, NULL, NULL);
}

int dropin_open(const char *config, struct dropin *ret_dropin)
{
	struct dropin dropin = {0};
	char *folder;
	int r;

	if (asprintf(&folder, "%s.d", config) < 0)
		return -ENOMEM;
	r = mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
	if (r == 0 && asprintf(&dropin.path, "%s/" DROPIN_NAME, folder) < 0)
		r = -ENOMEM;
	free(folder);
	if (r == 0 && access(dropin.path, F_OK) == 0)
		r = plan_read_file(dropin.path, &dropin.old);
	if (r < 0)
		dropin_clear(&dropin);
	else
		*ret_dropin = dropin;
	return r;
}

static int write_text(int fd, const char *text)
{
	int r = file_write_all(fd, text, strlen(text));

	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

int dropin_write(const struct dropin *dropin, const char *text)
{
	_cleanup_(cleanup_close) int fd = -1;
	char *temporary;
	int r;

	/* Not *.conf: nobody reads it by mistake. */
	if (asprintf(&temporary, "%s.XXXXXX", dropin->path) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	r = fd < 0 ? -errno : write_text(fd, text);
	if (r == 0 && rename(temporary, dropin->path) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		unlink(temporary);
	free(temporary);
	return r < 0 ? r : file_sync_name(dropin->path);
}

int dropin_restore(const struct dropin *dropin)
{
	if (dropin->old)
		return dropin_write(dropin, dropin->old);
	if (unlink(dropin->path) < 0 && errno != ENOENT)
		return -errno;
	return file_sync_name(dropin->path);
}

void dropin_clear(struct dropin *dropin)
{
	free(dropin->path);
	free(dropin->old);
	memset(dropin, 0, sizeof(*dropin));
}
