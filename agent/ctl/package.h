/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A package and its statement, by what the user typed. */
#ifndef GATEHOUSE_CTL_PACKAGE_H
#define GATEHOUSE_CTL_PACKAGE_H

#include <stdbool.h>

#include "agent/lib/cleanup.h"

struct package {
	char *path; /* NAME.deb */
	int statement, package; /* open for reading */
	bool chosen; /* the newest by name of several */
};

/*
 * FILE with FILE.statement beside it, or a folder with such pairs, of which
 * the newest by name is taken. Says what is wrong. -errno.
 */
_must_check_ int package_open(const char *word, struct package *ret_package);
void package_close(struct package *package);

#endif
