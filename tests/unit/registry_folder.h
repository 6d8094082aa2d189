/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder for a test's database. */
#ifndef GATEHOUSE_TESTS_REGISTRY_FOLDER_H
#define GATEHOUSE_TESTS_REGISTRY_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

extern char folder[64];

void folder_make(void);
void folder_remove(void);
bool folder_has(const char *name);
int folder_stat(const char *name, struct stat *ret_st);
/* Files whose names begin so, but for those that end in -wal. */
size_t folder_count(const char *prefix);
/* Does any file hold this text? */
bool folder_holds(const char *text);
/* Fills a part of a file with nonsense. */
void folder_damage(const char *name, long at, size_t size);

#endif
