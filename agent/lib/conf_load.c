/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a configuration: the main one and its folder of drop-ins.
 * Reads them and nothing else; what cannot be read is a problem like any
 * other, so that a missing drop-in never goes unnoticed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/conf_priv.h"

struct drop_ins {
	char **names;
	size_t n;
};

static void free_drop_ins(struct drop_ins *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->names[i]);
	free(files->names);
}

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void cleanup_conf(struct conf **conf)
{
	conf_free(*conf);
}

/* Reads up to size bytes. The number of bytes or -errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, bytes + used, size - used);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* -EISDIR for a folder, -ENXIO for anything else that is no file. */
static int open_file(const char *path, size_t *ret_size)
{
	/* Not blocking: a named pipe must not stop the daemon. */
	_cleanup_(cleanup_close) int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	*ret_size = (size_t)st.st_size;
	return steal_fd(&fd);
}

static void complain_open(struct conf *conf, const char *path, int error)
{
	if (error == -EISDIR)
		conf_complain(conf, path, 0, "is a folder; expected a file");
	else if (error == -ENXIO)
		conf_complain(conf, path, 0,
			"is not an ordinary file; "
			"expected a text file");
	else
		conf_complain(
			conf, path, 0, "cannot be read: %s", strerror(-error));
}

static int load_file(struct conf *conf, const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	_cleanup_(cleanup_free) char *bytes = NULL;
	size_t size = 0;
	ssize_t n;

	fd = open_file(path, &size);
	if (fd < 0) {
		complain_open(conf, path, fd);
		return 0;
	}
	/* One byte more tells a file that is too large, or growing. */
	size = size > CONF_FILE_MAX ? CONF_FILE_MAX : size;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	n = read_all(fd, bytes, size + 1);
	if (n < 0) {
		complain_open(conf, path, (int)n);
		return 0;
	}
	if ((size_t)n > size && size < CONF_FILE_MAX) {
		conf_complain(conf, path, 0,
			"was written to while it was read; try again");
		return 0;
	}
	return conf_parse(conf, path, bytes, (size_t)n);
}

/* "NAME.conf"; not the hidden files that editors leave. */
static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 &&
	       strcmp(name + length - 5, ".conf") == 0;
}

static int add_drop_in(struct drop_ins *files, const char *name)
{
	char **names = reallocarray(
		files->names, files->n + 1, sizeof(*files->names));

	if (!names)
		return -ENOMEM;
	files->names = names;
	names[files->n] = strdup(name);
	if (!names[files->n])
		return -ENOMEM;
	files->n++;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The main file counts too. */
static int list_folder(
	struct conf *conf, const char *folder, struct drop_ins *files)
{
	_cleanup_(cleanup_closedir) DIR *dir = opendir(folder);
	struct dirent *entry;
	int r;

	if (!dir) {
		if (errno != ENOENT)
			complain_open(conf, folder, -errno);
		return 0;
	}
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (!is_drop_in(entry->d_name))
			continue;
		if (files->n == CONF_FILES_MAX - 1) {
			conf_complain(conf, folder, 0,
				"holds too many files; expected at most %d "
				"*.conf",
				CONF_FILES_MAX - 1);
			return 0;
		}
		r = add_drop_in(files, entry->d_name);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		complain_open(conf, folder, -errno);
	if (files->n > 0)
		qsort(files->names, files->n, sizeof(*files->names), by_bytes);
	return 0;
}

static int load_folder(struct conf *conf, const char *folder)
{
	_cleanup_(free_drop_ins) struct drop_ins files = {};
	int r;

	r = list_folder(conf, folder, &files);
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		_cleanup_(cleanup_free) char *path = NULL;

		if (asprintf(&path, "%s/%s", folder, files.names[i]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = load_file(conf, path);
	}
	return r;
}

int conf_load(const char *file, const struct conf_schema *const *schemas,
	size_t n_schemas, struct conf **ret_conf)
{
	_cleanup_(cleanup_conf) struct conf *conf = NULL;
	_cleanup_(cleanup_free) char *folder = NULL;
	int r;

	r = conf_new(schemas, n_schemas, &conf);
	if (r < 0)
		return r;
	r = load_file(conf, file);
	if (r < 0)
		return r;
	if (asprintf(&folder, "%s.d", file) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	r = load_folder(conf, folder);
	if (r < 0)
		return r;
	*ret_conf = conf;
	conf = NULL;
	return 0;
}
