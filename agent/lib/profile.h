/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The profiles that are always there. Pure. */
#ifndef GATEHOUSE_PROFILE_H
#define GATEHOUSE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#define PROFILE_USUAL "internet" /* if nobody names one */

/* The name of the i-th; NULL: there are no more. */
const char *profile_name(size_t i);
/* Its n-th allow line; NULL: there are no more, or no such profile. */
const char *profile_line(const char *name, size_t n);
/* Is it one of them? */
bool profile_shipped(const char *name);

#endif
