/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds and opens an update. Judges nothing of it: that is done by who acts.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/package.h"
#include "agent/ctl/say.h"

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n > k && strcmp(text + n - k, end) == 0;
}

static int open_pair(const char *path, struct package *package)
{
	char *statement;

	if (asprintf(&statement, "%s.statement", path) < 0)
		return -ENOMEM;
	package->package = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (package->package >= 0)
		package->statement = open(
			statement, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (package->package >= 0 && package->statement >= 0) {
		free(statement);
		return 0;
	}
	say_errorf("An update is a NAME.deb and its NAME.deb.statement, side "
		   "by side.",
		"Cannot read %s: %s.", package->package < 0 ? path : statement,
		strerror(errno));
	free(statement);
	return -ENOENT;
}

static int is_package(const struct dirent *entry)
{
	return ends_with(entry->d_name, ".deb");
}

/* The last of those that have a statement. */
static int choose(const char *folder, char **ret_path, size_t *ret_count)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_package, versionsort);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		char *path, *statement;

		if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0 ||
			asprintf(&statement, "%s.statement", path) < 0)
			abort();
		if (access(statement, F_OK) == 0) {
			free(*ret_path);
			*ret_path = strdup(path);
			++*ret_count;
		}
		free(path);
		free(statement);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

int package_open(const char *word, struct package *ret_package)
{
	struct package package = {.statement = -1, .package = -1};
	size_t count = 0;
	struct stat st;
	int r = 0;

	if (stat(word, &st) == 0 && S_ISDIR(st.st_mode)) {
		r = choose(word, &package.path, &count);
		if (r == 0 && count == 0)
			r = -ENOENT;
		if (r < 0)
			say_errorf("An update is a NAME.deb and its "
				   "NAME.deb.statement, side by side.",
				"There is no update in %s.", word);
		package.chosen = count > 1;
	} else {
		package.path = strdup(word);
	}
	if (r == 0 && package.path == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = open_pair(package.path, &package);
	if (r < 0)
		package_close(&package);
	else
		*ret_package = package;
	return r;
}

void package_close(struct package *package)
{
	free(package->path);
	package->path = NULL;
	cleanup_close(&package->statement);
	cleanup_close(&package->package);
	package->statement = package->package = -1;
}
