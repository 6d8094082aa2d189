/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Safe mode: somebody who can reach the boot partition, or OpenWrt's
 * failsafe, wants a start without enforcement.
 */
#ifndef GATEHOUSE_SAFE_MODE_H
#define GATEHOUSE_SAFE_MODE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

#define SAFE_MODE_FILE "gatehouse-safe-mode"
#define SAFE_MODE_TEXT 96

/*
 * Is it wanted? boot: the folder to look for the file in, NULL: where the
 * boot partition is mounted, and OpenWrt's failsafe. what: the file or the
 * word that says so. Only root's own files count.
 */
bool safe_mode_wanted(const char *boot, char what[static SAFE_MODE_TEXT]);

#endif
