/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the host back as the ledger says it was; run by root while no daemon
 * runs. Must never change what is not in the ledger, nor an interface that
 * only has the name of one that is.
 */
#include "modules/isolation/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#include <netlink/socket.h>

#include "modules/isolation/kernel/ports.h"
#include "modules/isolation/ledger.h"

/* -ENOENT: there is nothing to put back any more. */
static int undo_port(struct nl_sock *sock, const struct ledger_entry *entry)
{
	if (if_nametoindex(entry->name) != (unsigned)entry->value)
		return -ENOENT;
	return ports_isolate(sock, entry->value, false);
}

static int undo_setting(const struct ledger_entry *entry)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[LEDGER_PATH + 16], text[16];
	int n = snprintf(text, sizeof(text), "%d\n", entry->value);

	snprintf(path, sizeof(path), "/proc/sys/net/%s", entry->name);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	return write(fd, text, (size_t)n) == n ? 0 : -errno;
}

static int undo_entry(struct nl_sock *sock, const struct ledger_entry *entry)
{
	bool port = entry->kind == LEDGER_PORT;
	int r = port ? undo_port(sock, entry) : undo_setting(entry);

	if (r == 0)
		printf("%s %s: put back\n", port ? "port" : "setting",
			entry->name);
	else if (r != -ENOENT)
		fprintf(stderr,
			"gatehouse: %s %s is not as it was before: %s\n",
			port ? "port" : "setting", entry->name, strerror(-r));
	return r == -ENOENT ? 0 : r;
}

static int undo_all(struct nl_sock *sock, struct ledger *ledger)
{
	int result = 0;

	for (size_t i = 0; i < ledger->n;) {
		int r = undo_entry(sock, &ledger->entries[i]);

		if (r < 0) {
			result = r;
			i++;
		} else {
			ledger->entries[i] = ledger->entries[--ledger->n];
		}
	}
	return result;
}

static int undo(int folder, struct ledger *ledger)
{
	struct nl_sock *sock;
	int r = ledger_load(folder, ledger), stored;

	if (r == 0)
		r = ports_open(&sock);
	if (r < 0) {
		fprintf(stderr,
			"gatehouse: what was changed on this host "
			"cannot be put back: %s\n",
			strerror(-r));
		return r;
	}
	r = undo_all(sock, ledger);
	nl_socket_free(sock);
	stored = ledger_store(folder, ledger);
	return r < 0 ? r : stored;
}

int undo_changes(const char *path)
{
	_cleanup_(cleanup_close) int folder = open(
		path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ledger *ledger;
	int r;

	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	ledger = calloc(1, sizeof(*ledger));
	if (!ledger)
		return -ENOMEM;
	r = undo(folder, ledger);
	free(ledger);
	return r;
}
