/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes our tables, our routing rules and the rules saved for the next boot
 * away and puts back what else was changed here, run by root from the command
 * line or by the package's removal. Must never touch anything else, and has nothing to
 * do when they are not there.
 */
#include "modules/isolation/clear.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/kernel/guard.h"
#include "modules/isolation/kernel/nft.h"
#include "modules/isolation/saved.h"
#include "modules/isolation/undo.h"

static int look(struct nft *nft, bool there[static RULESET_TABLES])
{
	int r = 0;

	for (int i = 0; i < RULESET_TABLES && r == 0; i++)
		r = nft_has_table(nft, ruleset_tables[i].family, &there[i]);
	return r;
}

static int take_away(struct nft *nft, char *reason)
{
	bool there[RULESET_TABLES] = {false};
	struct batch batch;
	int r = look(nft, there);

	if (r < 0) {
		snprintf(reason, POLICY_REASON, "cannot list tables: %s",
			strerror(-r));
		return r;
	}
	ruleset_build_removal(nft_seq(nft), there[RULESET_TABLE_ARP], &batch);
	r = nft_commit(nft, &batch, reason);
	batch_free(&batch);
	for (int i = 0; i < RULESET_TABLES && r == 0; i++)
		printf("table %s " RULESET_TABLE ": %s\n",
			ruleset_tables[i].name,
			there[i] ? "removed" : "was not there");
	return r;
}

/* Before the tables go: what they let pass must not be stopped then. */
static int take_guard(void)
{
	struct guard guard = {0};
	int r = guard_open(&guard);

	if (r < 0)
		return r;
	r = guard_remove(&guard);
	guard_close(&guard);
	/* A kernel without such rules has none of ours. */
	if (r == -EOPNOTSUPP)
		r = 0;
	if (r >= 0)
		printf("routing rules: %s\n", r ? "removed" : "were not there");
	return r;
}

/* What was removed on purpose must not come back at the next boot. */
static int forget(const char *path)
{
	_cleanup_(cleanup_close) int folder = open(
		path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = folder < 0 ? -errno : saved_remove(folder);

	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		fprintf(stderr,
			"gatehouse: the rules saved for the next boot are "
			"still in %s: %s\n",
			path, strerror(-r));
	else
		printf("rules saved for the next boot: %s\n",
			r ? "removed" : "were not there");
	return r;
}

int clear_but_saved(const char *folder)
{
	char reason[POLICY_REASON] = "";
	struct nft nft;
	int r = nft_open(&nft);

	if (r < 0) {
		fprintf(stderr, "gatehouse: no way to nftables: %s\n",
			strerror(-r));
		return 1;
	}
	r = take_guard();
	if (r < 0)
		snprintf(reason, sizeof(reason), "the routing rules: %s",
			strerror(-r));
	else
		r = take_away(&nft, reason);
	nft_close(&nft);
	if (r < 0) {
		fprintf(stderr,
			"gatehouse: the rules are still there: %s "
			"(are you root?)\n",
			reason);
		return 1;
	}
	return undo_changes(folder) < 0 ? 2 : 0;
}

int clear_main(const char *folder)
{
	int r = clear_but_saved(folder);

	/* Rules that are there still are those of the next boot, too. */
	if (r == 1)
		return 1;
	return forget(folder) < 0 || r ? 1 : 0;
}
