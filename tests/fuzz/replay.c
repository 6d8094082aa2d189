/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds every file of the folders given as arguments to a fuzz target, so
 * that ordinary tests replay what fuzzing found. Without arguments the folder
 * is the one of the target's name: replay_conf reads corpus/conf.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/cleanup.h"
#include "tests/fuzz/fuzz.h"

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* An exact allocation, so that a sanitizer sees the first byte too many. */
static int replay_file(const char *path)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
	_cleanup_(cleanup_free) uint8_t *bytes = NULL;
	struct stat st;
	size_t size;

	if (!file || fstat(fileno(file), &st) < 0)
		return -errno;
	size = (size_t)st.st_size;
	bytes = malloc(size ? size : 1);
	if (!bytes)
		return -ENOMEM;
	if (fread(bytes, 1, size, file) != size)
		return -EIO;
	LLVMFuzzerTestOneInput(bytes, size);
	return 0;
}

/* The number of files, or -errno after saying what failed. */
static int replay_folder(const char *folder)
{
	_cleanup_(cleanup_closedir) DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0, r;

	if (!dir) {
		r = -errno;
		fprintf(stderr, "%s: %s\n", folder, strerror(-r));
		return r;
	}
	while ((entry = readdir(dir))) {
		_cleanup_(cleanup_free) char *path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = replay_file(path);
		if (r < 0) {
			fprintf(stderr, "%s: %s\n", path, strerror(-r));
			return r;
		}
		n++;
	}
	return n;
}

/* srcdir/tests/fuzz/corpus/NAME for a program replay_NAME. */
static char *own_folder(const char *program)
{
	const char *name = strstr(program, "replay_");
	const char *srcdir = getenv("srcdir");
	char *folder;

	for (const char *p = name; p; p = strstr(p + 1, "replay_"))
		name = p;
	if (!name || asprintf(&folder, "%s/tests/fuzz/corpus/%s",
			     srcdir ? srcdir : ".", name + 7) < 0)
		return NULL;
	return folder;
}

int main(int argc, char **argv)
{
	_cleanup_(cleanup_free) char *own = own_folder(argv[0]);
	int n = 0, r;

	for (int i = 1; i < argc; i++) {
		r = replay_folder(argv[i]);
		if (r < 0)
			return 1;
		n += r;
	}
	if (argc < 2) {
		r = own ? replay_folder(own) : -ENOENT;
		if (r < 0)
			return 1;
		n = r;
	}
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
