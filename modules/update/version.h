/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debian versions: [epoch:]upstream[-revision]. Pure. */
#ifndef GATEHOUSE_UPDATE_VERSION_H
#define GATEHOUSE_UPDATE_VERSION_H

#include <stdbool.h>

/* As Debian's policy has it; no colon but the epoch's. */
bool version_is_valid(const char *text);

/* Negative, 0 or positive as a is older, the same or newer; both valid. */
int version_compare(const char *a, const char *b);

#endif
