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

#include "modules/isolation/hostnet.h"
#include "modules/isolation/kernel/ports.h"
#include "modules/isolation/ledger.h"

/* -ENOENT: there is nothing to put back any more. */
static int undo_port(struct nl_sock *sock, const struct ledger_entry *entry)
{
	if (if_nametoindex(entry->name) != (unsigned)entry->value)
		return -ENOENT;
	return ports_isolate(sock, entry->value, false);
}

static int undo_neighbour(const struct ledger_entry *entry)
{
	char interface[16];
	struct ip ip;

	if (ledger_neighbour(entry->name, &ip, interface) < 0 ||
		if_nametoindex(interface) != (unsigned)entry->value)
		return -ENOENT;
	return hostnet_unproxy(entry->value, &ip);
}

static int undo_entry(struct nl_sock *sock, const struct ledger_entry *entry)
{
	const char *what = "port";
	int r = 0;

	switch (entry->kind) {
	case LEDGER_PORT:
		r = undo_port(sock, entry);
		break;
	case LEDGER_SETTING:
		what = "setting";
		r = hostnet_write(entry->name, entry->value);
		break;
	case LEDGER_NEIGHBOUR:
		what = "neighbour";
		r = undo_neighbour(entry);
		break;
	}
	if (r == 0)
		printf("%s %s: put back\n", what, entry->name);
	else if (r != -ENOENT)
		fprintf(stderr,
			"gatehouse: %s %s is not as it was before: %s\n", what,
			entry->name, strerror(-r));
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
