/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the last probes of isolation found: a small text file that "gatehouse
 * self-test" writes and the agent reads. The first line names the format, the
 * second the boot and the moment; then one zone a line: "zone NAME held" or
 * "zone NAME leaked".
 */
#ifndef GATEHOUSE_PROBE_H
#define GATEHOUSE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/file.h"

/* Names of the self-test's ports begin so: nobody behind one is a device. */
#define PROBE_PORTS "ghtest"
#define PROBE_FILE "selftest.result"
#define PROBE_ZONES_MAX 64
#define PROBE_BYTES_MAX 8192
#define PROBE_BOOT FILE_BOOT
#define PROBE_GOOD_S (30 * 24 * 3600) /* then it has to be made again */

struct probe_results {
	char boot[PROBE_BOOT];
	int64_t when; /* wall clock seconds */
	struct {
		char name[32];
		bool held;
	} zones[PROBE_ZONES_MAX];
	size_t n;
};

/* -EBADMSG: not wholly understood, nothing is taken. Pure. */
_must_check_ int probe_parse(
	const char *text, size_t length, struct probe_results *ret_results);
/* The caller frees the text. */
char *probe_format(const struct probe_results *results);
/*
 * Those of this boot, if they are not too old; else none. folder: the
 * daemon's state folder. -errno.
 */
_must_check_ int probe_load(
	int folder, int64_t now_s, struct probe_results *ret_results);
_must_check_ int probe_store(int folder, struct probe_results *results);
/* 1: held, 0: leaked, -ENOENT: was not probed. */
int probe_of(const struct probe_results *results, const char *zone);

#endif
