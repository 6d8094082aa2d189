/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files to bytes and back. A name is one word of harmless letters below a
 * place that is one of few; there is no path, no link and no owner to believe.
 */
#include "agent/ctl/archive.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "agent/lib/file.h"

#define HEAD "gatehouse-archive 1\n"
#define ANY_HEAD "gatehouse-archive "
#define END "end\n"
#define LINE 256

static const struct {
	enum archive_place place;
	const char *word, *ending; /* ending NULL: has no name */
} places[] = {
	{ARCHIVE_CONF, "conf", NULL},
	{ARCHIVE_CONF_D, "conf.d", ".conf"},
	{ARCHIVE_REGISTRY, "registry", ""},
	{ARCHIVE_KEYS, "keys", ""},
};

static bool name_fits(enum archive_place place, const char *name)
{
	const char *ending = places[place - ARCHIVE_CONF].ending;
	size_t length = strlen(name), end = ending ? strlen(ending) : 0;

	if (!ending)
		return length == 0;
	return length > end && length < ARCHIVE_NAME && name[0] != '.' &&
	       name[0] != '-' && strcmp(name + length - end, ending) == 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._+@-") == length;
}

const struct archive_file *archive_find(const struct archive *archive,
	enum archive_place place, const char *name)
{
	for (size_t i = 0; i < archive->n_files; i++)
		if (archive->files[i].place == place &&
			strcmp(archive->files[i].name, name) == 0)
			return &archive->files[i];
	return NULL;
}

int archive_add(struct archive *archive, enum archive_place place,
	const char *name, const void *bytes, size_t size)
{
	struct archive_file *more;

	if (!name_fits(place, name))
		return -EINVAL;
	if (archive_find(archive, place, name))
		return -EEXIST;
	if (archive->n_files == ARCHIVE_FILES_MAX || size > ARCHIVE_MAX)
		return -E2BIG;
	more = reallocarray(
		archive->files, archive->n_files + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	archive->files = more;
	more += archive->n_files;
	*more = (struct archive_file){.place = place, .size = size};
	snprintf(more->name, sizeof(more->name), "%s", name);
	more->bytes = malloc(size + 1);
	if (!more->bytes)
		return -ENOMEM;
	if (size)
		memcpy(more->bytes, bytes, size);
	more->bytes[size] = '\0';
	archive->n_files++;
	return 0;
}

int archive_write(
	const struct archive *archive, char **ret_bytes, size_t *ret_size)
{
	char *bytes = NULL;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);

	if (!out)
		return -ENOMEM;
	fprintf(out, HEAD "created %lld\nversion %s\n",
		(long long)archive->created, archive->version);
	for (size_t i = 0; i < archive->n_files; i++) {
		const struct archive_file *file = &archive->files[i];

		fprintf(out, "%s%s%s %zu\n",
			places[file->place - ARCHIVE_CONF].word,
			file->name[0] ? "/" : "", file->name, file->size);
		fwrite(file->bytes, 1, file->size, out);
		fputc('\n', out);
	}
	fputs(END, out);
	if (fclose(out) != 0) {
		free(bytes);
		return -ENOMEM;
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

struct reader {
	const char *at, *end;
};

static bool next_line(struct reader *reader, char line[static LINE])
{
	return file_next_line(&reader->at, reader->end, line, LINE);
}

/* Digits and nothing else, at most 15 of them. */
static bool read_number(const char *text, uint64_t *ret_number)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 15 || text[digits] ||
		(digits > 1 && text[0] == '0'))
		return false;
	*ret_number = strtoull(text, NULL, 10);
	return true;
}

static bool read_head(struct reader *reader, struct archive *archive)
{
	char line[LINE];
	uint64_t created;

	if (!next_line(reader, line) || strncmp(line, "created ", 8) != 0 ||
		!read_number(line + 8, &created))
		return false;
	archive->created = (int64_t)created;
	if (!next_line(reader, line) || strncmp(line, "version ", 8) != 0 ||
		strlen(line + 8) >= sizeof(archive->version))
		return false;
	snprintf(archive->version, sizeof(archive->version), "%s", line + 8);
	return true;
}

/* "conf.d/90-mode.conf 123"; the line is taken apart. */
static bool read_file_line(char *line, enum archive_place *ret_place,
	const char **ret_name, uint64_t *ret_size)
{
	char *space = strrchr(line, ' '), *name;

	if (!space || !read_number(space + 1, ret_size))
		return false;
	*space = '\0';
	name = strchr(line, '/');
	if (name)
		*name++ = '\0';
	*ret_name = name ? name : "";
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (strcmp(places[i].word, line) == 0) {
			*ret_place = places[i].place;
			return name == NULL || *name;
		}
	return false;
}

static int read_file(struct reader *reader, char *line, struct archive *archive)
{
	enum archive_place place;
	const char *name;
	uint64_t size;
	int r;

	if (!read_file_line(line, &place, &name, &size) ||
		size >= (uint64_t)(reader->end - reader->at) ||
		reader->at[size] != '\n')
		return -EBADMSG;
	r = archive_add(archive, place, name, reader->at, (size_t)size);
	reader->at += size + 1;
	return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

int archive_read(const char *bytes, size_t size, struct archive *ret_archive)
{
	struct reader reader = {bytes, bytes + size};
	struct archive archive = {0};
	char line[LINE];
	int r = 0;

	if (size < sizeof(ANY_HEAD) ||
		memcmp(bytes, ANY_HEAD, sizeof(ANY_HEAD) - 1) != 0)
		return -EBADMSG;
	if (!next_line(&reader, line) || strcmp(line, "gatehouse-archive 1"))
		return -EPROTONOSUPPORT;
	if (!read_head(&reader, &archive))
		return -EBADMSG;
	while (r == 0 && next_line(&reader, line) && strcmp(line, "end") != 0)
		r = read_file(&reader, line, &archive);
	if (r == 0 && (strcmp(line, "end") != 0 || reader.at != reader.end))
		r = -EBADMSG;
	if (r < 0)
		archive_clear(&archive);
	else
		*ret_archive = archive;
	return r;
}

void archive_clear(struct archive *archive)
{
	for (size_t i = 0; i < archive->n_files; i++) {
		explicit_bzero(archive->files[i].bytes, archive->files[i].size);
		free(archive->files[i].bytes);
	}
	free(archive->files);
	memset(archive, 0, sizeof(*archive));
}
