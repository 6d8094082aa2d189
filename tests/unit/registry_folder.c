/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry_folder.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char folder[64];

void folder_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/gatehouse-registry.XXXXXX");
	assert(mkdtemp(folder));
}

static FILE *open_in(const char *name, const char *mode)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return fopen(path, mode);
}

static void each(void (*visit)(const char *name, void *arg), void *arg)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			visit(entry->d_name, arg);
	closedir(dir);
}

static void remove_one(const char *name, void *arg)
{
	char path[512];

	(void)arg;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

void folder_remove(void)
{
	each(remove_one, NULL);
	rmdir(folder);
}

int folder_stat(const char *name, struct stat *ret_st)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return stat(path, ret_st);
}

bool folder_has(const char *name)
{
	struct stat st;

	return folder_stat(name, &st) == 0;
}

struct counted {
	const char *prefix;
	size_t n;
};

static void count_one(const char *name, void *arg)
{
	struct counted *counted = arg;

	counted->n += strncmp(name, counted->prefix, strlen(counted->prefix)) ==
			      0 &&
		      !strstr(name, "-wal");
}

size_t folder_count(const char *prefix)
{
	struct counted counted = {prefix, 0};

	each(count_one, &counted);
	return counted.n;
}

struct searched {
	const char *text;
	bool found;
};

static void search_one(const char *name, void *arg)
{
	struct searched *searched = arg;
	FILE *file = open_in(name, "rb");
	static char bytes[16 << 20];
	size_t n;

	assert(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (memmem(bytes, n, searched->text, strlen(searched->text)))
		searched->found = true;
}

bool folder_holds(const char *text)
{
	struct searched searched = {text, false};

	each(search_one, &searched);
	return searched.found;
}

void folder_damage(const char *name, long at, size_t size)
{
	FILE *file = open_in(name, "r+b");

	assert(file && fseek(file, at, SEEK_SET) == 0);
	while (size--)
		fputc(0x5a, file);
	assert(fclose(file) == 0);
}
