/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gatehouse changed on this host besides its own tables, and how it was
 * before: a small text file that the agent writes before each change, so that
 * whoever comes later (the agent, gatehouse-isolation --clear) can put it
 * back after whatever happened.
 *
 * The first line names the format, the second the boot; then one change a
 * line: "port NAME INDEX" (its isolated flag was off), "setting PATH VALUE"
 * (below /proc/sys/net, of ledger_settings) or "neighbour ADDRESS%NAME INDEX"
 * (there was no such proxy entry).
 */
#ifndef GATEHOUSE_ISOLATION_LEDGER_H
#define GATEHOUSE_ISOLATION_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/file.h"
#include "agent/lib/net.h"

#define LEDGER_FILE "isolation.host"
#define LEDGER_MAX 2048 /* changes */
#define LEDGER_BYTES_MAX (256u << 10)
#define LEDGER_BOOT FILE_BOOT
#define LEDGER_PATH 64

enum ledger_kind {
	LEDGER_PORT = 1,
	LEDGER_SETTING = 2,
	LEDGER_NEIGHBOUR = 3,
};

struct ledger_entry {
	enum ledger_kind kind;
	char name[LEDGER_PATH]; /* interface, or "ipv4/conf/br0/...", or ... */
	int32_t value; /* index of the interface, or what was set before */
};

struct ledger {
	char boot[LEDGER_BOOT]; /* that the changes belong to */
	struct ledger_entry entries[LEDGER_MAX];
	size_t n;
};

/* Text to changes. -EBADMSG: not wholly understood, nothing is taken. */
_must_check_ int ledger_parse(
	const char *text, size_t length, struct ledger *ret_ledger);
/* The caller frees the text. */
char *ledger_format(const struct ledger *ledger);
/* Adds one, or replaces that of the same name. -ENOSPC, -EINVAL. */
_must_check_ int ledger_put(
	struct ledger *ledger, const struct ledger_entry *entry);
void ledger_drop(
	struct ledger *ledger, enum ledger_kind kind, const char *name);
const struct ledger_entry *ledger_find(
	const struct ledger *ledger, enum ledger_kind kind, const char *name);
/* The two parts of "fd00::1%br0"; IPv6 only. -EINVAL. */
_must_check_ int ledger_neighbour(
	const char *name, struct ip *ret_ip, char ret_interface[static 16]);
/* Is it a setting that gatehouse may change? */
bool ledger_is_setting(const char *path);

/* The file, below; folder is a descriptor. */

/*
 * That of this boot; an empty one if there is none or it is another boot's.
 * -EPERM: others could have written it; -EBADMSG.
 */
_must_check_ int ledger_load(int folder, struct ledger *ret_ledger);
/* For good, or not at all. An empty one removes the file. -errno. */
_must_check_ int ledger_store(int folder, const struct ledger *ledger);

#endif
