/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the rules that were in force last, before any interface is up; run by
 * root at boot, where no daemon is. May add our tables; must never
 * replace those of a daemon that runs, nor touch anything else.
 */
#include "modules/isolation/early.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/safe_mode.h"
#include "modules/isolation/clear.h"
#include "modules/isolation/early_conf.h"
#include "modules/isolation/kernel/guard.h"
#include "modules/isolation/kernel/nft.h"
#include "modules/isolation/marks.h"
#include "modules/isolation/restore.h"
#include "modules/isolation/saved_bound.h"
#include "modules/isolation/saved_policy.h"

#define SAY "gatehouse: "

/* 0, -ENOENT, or negative after saying what is wrong with the file. */
static int read_file(int folder, const char *name, struct policy *ret_policy)
{
	_cleanup_(cleanup_free) uint8_t *bytes = NULL;
	char reason[POLICY_REASON] = "";
	size_t size = 0;
	int r = saved_load(folder, name, &bytes, &size);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		snprintf(reason, sizeof(reason), "%s",
			r == -EPERM ? "others than root could have written it"
				    : strerror(-r));
	else
		r = saved_policy_read(bytes, size, ret_policy, reason);
	if (r < 0)
		fprintf(stderr,
			SAY "the saved rules in %s cannot be used: %s\n", name,
			reason);
	return r;
}

/* The last one, else the one before. -ENOENT: none was ever saved. */
static int read_any(int folder, struct policy *ret_policy)
{
	int r = read_file(folder, SAVED_FILE, ret_policy), before;

	if (r == 0)
		return 0;
	before = read_file(folder, SAVED_BEFORE, ret_policy);
	if (before == 0)
		fprintf(stderr, SAY "the rules before those are taken\n");
	return before == -ENOENT ? r : before;
}

static int has_tables(struct nft *nft, bool *ret_there)
{
	bool bridge = false, inet = false;
	int r = nft_has_table(nft, NFPROTO_BRIDGE, &bridge);

	if (r == 0)
		r = nft_has_table(nft, NFPROTO_INET, &inet);
	*ret_there = bridge && inet;
	return r;
}

static const char *say_error(int error)
{
	switch (error) {
	case -EBADMSG:
		return "the file is damaged";
	case -EPROTO:
		return "the file is of another version of gatehouse";
	case -EPERM:
		return "others than root could have written the file";
	}
	return strerror(-error);
}

/* Without them the rules hold, but an address is whose who uses it first. */
static void read_bound(int folder, const struct policy *policy,
	const struct topology *topology, struct ruleset_carry *carry)
{
	_cleanup_(cleanup_free) struct isolation_bound *rows = NULL;
	size_t n = 0;
	int r = folder < 0 ? -ENOENT
			   : saved_bound_load(folder, clock_wall(), &rows, &n);

	if (r == 0)
		restore_bound(rows, n, policy, topology, carry);
	else if (r != -ENOENT)
		fprintf(stderr,
			SAY "whose addresses were is not known (%s): "
			    "addresses are whose who uses them first\n",
			say_error(r));
}

static int load_once(struct nft *nft, const struct policy *policy,
	const struct topology *topology, const struct ruleset_carry *carry,
	char *reason)
{
	struct ruleset_input input = {.policy = policy,
		.topology = topology,
		.carry = carry,
		.kernel = nft_probe(nft)};
	struct ruleset ruleset;
	uint8_t found = 0;
	int r;

	if (nft_read_generation(nft, &found) < 0)
		found = 0;
	input.generation = marks_next(&policy->marks, found);
	r = ruleset_build(&input, nft_seq(nft), &ruleset, reason);
	if (r < 0)
		return r;
	r = nft_commit(nft, &ruleset.batch, reason);
	if (r == 0)
		r = nft_verify(nft, &ruleset, reason);
	ruleset_free(&ruleset);
	return r;
}

/* What was bound must not keep the rules away. */
static int load(struct nft *nft, int folder, const struct policy *policy,
	const struct topology *topology, char *reason)
{
	struct ruleset_carry carry = {0};
	int r;

	read_bound(folder, policy, topology, &carry);
	r = load_once(nft, policy, topology, &carry, reason);
	if (r < 0 && carry.n_bound) {
		fprintf(stderr,
			SAY "whose addresses were cannot be loaded (%s); "
			    "loading without\n",
			reason);
		r = load_once(nft, policy, topology, NULL, reason);
	} else if (carry.n_bound) {
		printf(SAY "%zu addresses are known\n", carry.n_bound);
	}
	ruleset_carry_free(&carry);
	return r;
}

/* Without it the rules hold, but not while somebody flushes them. */
static int set_guard(const struct policy *policy)
{
	struct guard guard = {0};
	int r = guard_open(&guard);

	if (r == 0) {
		r = guard_apply(&guard, policy);
		guard_close(&guard);
	}
	if (r < 0)
		fprintf(stderr,
			SAY "the routing rules that guard the others "
			    "could not be set: %s\n",
			strerror(-r));
	return r;
}

static int load_policy(struct nft *nft, int folder, const struct policy *policy)
{
	char reason[POLICY_REASON] = "";
	struct topology topology;
	int r;

	topology_build(policy, NULL, 0, &topology);
	topology_recall_addresses(&topology, policy);
	r = load(nft, folder, policy, &topology, reason);
	if (r < 0)
		fprintf(stderr, SAY "the saved rules could not be loaded: %s\n",
			reason);
	else
		printf(SAY "the last rules are in force: %zu devices, "
			   "%zu interfaces, %zu bridge ports\n",
			policy->devices.n, policy->zones.n, topology.n_ports);
	topology_free(&topology);
	return r < 0 ? r : set_guard(policy);
}

/* Zones, devices and the owner's way in; the rest is the daemon's. */
static int load_strictest(struct nft *nft, int folder, const char *text)
{
	char reason[POLICY_REASON] = "";
	struct policy policy = {0};
	struct topology topology;
	int r = early_conf_policy(text, &policy, reason);

	if (r == -ENOENT) {
		printf(SAY "the configuration enforces nothing\n");
		return 0;
	}
	if (r == 0) {
		topology_build(&policy, NULL, 0, &topology);
		r = load(nft, folder, &policy, &topology, reason);
		topology_free(&topology);
		policy_free(&policy);
	}
	if (r < 0)
		fprintf(stderr, SAY "%s\n", reason);
	else
		printf(SAY "nothing is allowed until gatehoused runs\n");
	return r;
}

static int load_from_config(
	struct nft *nft, int folder, const struct early *early)
{
	_cleanup_(cleanup_free) char *text = NULL;
	int r = early_conf_read(early->state, early->config, &text);

	if (r == 0)
		return load_strictest(nft, folder, text);
	fprintf(stderr,
		SAY "nothing is enforced until gatehoused runs, because no "
		    "saved rules are left and the configuration cannot be "
		    "read\n");
	return r;
}

static int load_saved(struct nft *nft, int folder, const struct early *early)
{
	struct policy policy = {0};
	int r = read_any(folder, &policy);

	if (r == -ENOENT) {
		printf(SAY "no rules were saved; nothing is enforced until "
			   "gatehoused runs\n");
		return 0;
	}
	if (r < 0)
		return load_from_config(nft, folder, early);
	r = load_policy(nft, folder, &policy);
	policy_free(&policy);
	return r;
}

static int load_unless_there(struct nft *nft, const struct early *early)
{
	const char *path = early->state;
	_cleanup_(cleanup_close) int folder = open(
		path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool there = false;
	int r;

	if (folder < 0 && errno != ENOENT) {
		r = -errno;
		fprintf(stderr, SAY "cannot open %s: %s\n", path, strerror(-r));
		return r;
	}
	r = has_tables(nft, &there);
	if (r < 0) {
		fprintf(stderr, SAY "cannot list tables: %s (are you root?)\n",
			strerror(-r));
		return r;
	}
	if (there) {
		printf(SAY "the rules are there already\n");
		return 0;
	}
	return load_saved(nft, folder, early);
}

/* Rules that somebody loaded before are in the way, too. */
static int stay_open(const char *folder, const char *what)
{
	fprintf(stderr,
		SAY "SAFE MODE by %s: nothing is isolated and nothing is "
		    "blocked; remove it and start anew\n",
		what);
	return clear_but_saved(folder) ? 1 : 0;
}

int early_main(const struct early *early)
{
	char what[SAFE_MODE_TEXT];
	struct nft nft;
	int r;

	if (safe_mode_wanted(early->boot, what))
		return stay_open(early->state, what);
	r = nft_open(&nft);
	if (r < 0) {
		fprintf(stderr, SAY "no way to nftables: %s\n", strerror(-r));
		return 1;
	}
	r = load_unless_there(&nft, early);
	nft_close(&nft);
	return r < 0 ? 1 : 0;
}
