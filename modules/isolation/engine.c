/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns our tables in the kernel. May replace them as a whole or change
 * single devices in them; must never take them away: the rules outlive the
 * daemon.
 */
#include "modules/isolation/engine.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/changer.h"
#include "modules/isolation/engine_delta.h"
#include "modules/isolation/engine_learn.h"
#include "modules/isolation/engine_offload.h"
#include "modules/isolation/kernel/nft_dump.h"
#include "modules/isolation/marks.h"
#include "modules/isolation/rules/image.h"

#define MONITOR_BUFFER (8 << 20)

int engine_listen(struct engine *engine, bool on)
{
	int group = NFNLGRP_NFTABLES;

	if (setsockopt(engine->monitor, SOL_NETLINK,
		    on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP,
		    &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

int engine_open(struct engine *engine)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int size = MONITOR_BUFFER, r;

	learned_init(&engine->learned);
	r = nft_open(&engine->nft);
	if (r < 0)
		return r;
	engine->kernel = nft_probe(&engine->nft);
	if (!engine->kernel.counts_connections)
		log_warning("this kernel cannot count a device's connections "
			    "(nft_connlimit is missing): only their rate is "
			    "limited");
	if (!engine->kernel.sees_arp)
		log_warning("this kernel has no tables for ARP (nf_tables_arp "
			    "is missing): where an interface is no bridge, two "
			    "devices reach each other by IPv6 only, also where "
			    "a line permits it");
	engine->monitor = socket(AF_NETLINK,
		SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (engine->monitor < 0 ||
		bind(engine->monitor, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	(void)setsockopt(engine->monitor, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		sizeof(size));
	return engine_listen(engine, true);
}

/* Every message about a table begins with the table's name. */
static bool is_about_us(const struct engine *engine, const struct nlmsghdr *m)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(m);
	const struct nlattr *a;

	if (NFNL_SUBSYS_ID(m->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
		NFNL_MSG_TYPE(m->nlmsg_type) == NFT_MSG_NEWGEN ||
		m->nlmsg_pid == engine->nft.port ||
		m->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*head) + 8)
		return false;
	if (head->nfgen_family != NFPROTO_INET &&
		head->nfgen_family != NFPROTO_BRIDGE &&
		head->nfgen_family != NFPROTO_ARP)
		return false;
	a = mnl_nlmsg_get_payload_offset(m, sizeof(*head));
	return mnl_attr_get_type(a) == NFTA_TABLE_NAME &&
	       mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0 &&
	       !strcmp(mnl_attr_get_str(a), RULESET_TABLE);
}

/* Elements of sets come and go all the time, and write no marks. */
static bool is_about_others(
	const struct engine *engine, const struct nlmsghdr *m)
{
	if (NFNL_SUBSYS_ID(m->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
		m->nlmsg_pid == engine->nft.port || is_about_us(engine, m))
		return false;
	switch (NFNL_MSG_TYPE(m->nlmsg_type)) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
		return true;
	}
	return false;
}

/* True: something of ours was changed, and who did it is known. */
static bool hear_message(struct engine *engine, const struct nlmsghdr *m)
{
	char by[ISOLATION_BY];
	bool ours = engine->meddled;

	engine->others |= is_about_others(engine, m);

	engine->meddled |= is_about_us(engine, m);
	if (!changer_read(m, by))
		return false;
	engine->meddled = false;
	if (ours)
		memcpy(engine->by, by, sizeof(by));
	return ours;
}

/* Reads all that waits. True: something of ours was or may be changed. */
static bool hear(struct engine *engine)
{
	static char bytes[65536] __attribute__((aligned(8)));
	bool ours = false;
	ssize_t n;

	for (;;) {
		const struct nlmsghdr *m = (void *)bytes;
		int left;

		n = recv(engine->monitor, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS) {
			ours = true; /* something was lost, and by whom */
			engine->others = true;
			memset(engine->by, 0, sizeof(engine->by));
		} else if (n <= 0) {
			return ours;
		}
		for (left = (int)n; left > 0 && mnl_nlmsg_ok(m, left);
			m = mnl_nlmsg_next(m, &left))
			ours |= hear_message(engine, m);
	}
}

/* Our own load would fill the monitor's buffer: we do not listen to it. */
static int load(struct engine *engine, const struct policy *policy,
	const struct topology *topology, uint8_t generation, char *reason)
{
	struct ruleset_input input = {policy, topology, &engine->carry,
		generation, engine->kernel, &engine->learned, clock_ms()};
	struct ruleset ruleset;
	int r = ruleset_build(&input, nft_seq(&engine->nft), &ruleset, reason);

	if (r < 0)
		return r;
	(void)engine_listen(engine, false);
	(void)hear(engine);
	engine->meddled = false;
	r = nft_commit(&engine->nft, &ruleset.batch, reason);
	if (engine_listen(engine, true) < 0)
		log_error("changes to the rules by others go unnoticed");
	if (r == 0) {
		r = nft_verify(&engine->nft, &ruleset, reason);
		if (r < 0)
			r = -EUCLEAN; /* loaded, but not what was built */
		memcpy(engine->sets, ruleset.sets, sizeof(engine->sets));
		engine->n_sets = ruleset.n_sets;
		learned_settle(&engine->learned, input.now_ms);
		engine->n_hooked = 0;
	}
	ruleset_free(&ruleset);
	return r;
}

int engine_count(struct engine *engine)
{
	struct ruleset_carry fresh = {0};
	int r = nft_read_counters(&engine->nft, fresh.counters);

	if (r == 0)
		r = nft_read_attempts(
			&engine->nft, &fresh.attempts, &fresh.n_attempts);
	if (r == 0)
		r = nft_read_tallies(
			&engine->nft, &fresh.tallies, &fresh.n_tallies);
	if (r == 0)
		r = nft_read_spoofs(
			&engine->nft, &fresh.spoofs, &fresh.n_spoofs);
	if (r == 0)
		r = nft_read_overs(&engine->nft, fresh.overs);
	if (r == 0)
		r = nft_read_bound(&engine->nft, &fresh.bound, &fresh.n_bound);
	if (r == 0)
		r = nft_read_seats(&engine->nft, &fresh.seats, &fresh.n_seats);
	if (r < 0) {
		ruleset_carry_free(&fresh);
		return r;
	}
	ruleset_carry_free(&engine->carry);
	engine->carry = fresh;
	return 0;
}

/* The kernel's counts, unless the tables are gone: then the last known. */
static bool count_if_there(struct engine *engine)
{
	bool there = false;

	return nft_has_table(&engine->nft, NFPROTO_INET, &there) == 0 &&
	       there && engine_count(engine) == 0;
}

static bool may_restore(struct engine *engine)
{
	int64_t now = clock_ms();

	if (now - engine->window_ms > ENGINE_RESTORE_WINDOW_MS) {
		engine->window_ms = now;
		engine->in_window = 0;
	}
	return engine->in_window++ < ENGINE_RESTORES_AT_ONCE;
}

/* A set that is loaded anew has forgotten who is to be judged again. */
int engine_reload(struct engine *engine)
{
	char reason[POLICY_REASON] = "";
	int r;

	if (clock_ms() < engine->again_until_ms)
		engine->generation = marks_next(
			&engine->policy.marks, engine->generation);
	engine->again_until_ms = 0;
	r = load(engine, &engine->policy, &engine->topology, engine->generation,
		reason);

	if (r < 0) {
		log_error("%s; trying again", reason);
		loop_set_timer(engine->loop, &engine->retry, ENGINE_RETRY_MS);
	}
	engine_offload(engine);
	return r;
}

/*
 * Always a whole new load: what is still there may be a part only. What was
 * counted in between is lost with the tables.
 */
static void restore(struct engine *engine)
{
	if (!engine->in_force)
		return;
	engine->restored++;
	if (!may_restore(engine)) {
		if (!engine->retry.slot)
			loop_set_timer(
				engine->loop, &engine->retry, ENGINE_RETRY_MS);
		return;
	}
	(void)count_if_there(engine);
	if (engine_reload(engine) == 0)
		engine->on_restored(engine);
}

static void on_monitor(struct watch *watch, uint32_t events)
{
	struct engine *engine = container_of(watch, struct engine, watch);

	(void)events;
	if (hear(engine))
		restore(engine);
	if (engine->others && engine->on_others)
		engine->on_others(engine);
	engine->others = false;
}

static void on_retry(struct timer *timer)
{
	struct engine *engine = container_of(timer, struct engine, retry);

	if (engine_reload(engine) == 0)
		engine->on_restored(engine);
}

int engine_start(struct engine *engine, struct loop *loop)
{
	engine->loop = loop;
	engine->watch.ready = on_monitor;
	engine->retry.fired = on_retry;
	return loop_add_watch(loop, &engine->watch, engine->monitor, EPOLLIN);
}

/* Nothing but these devices, and not too many of them, have changed. */
static bool by_devices(const struct engine *engine, const struct policy *policy,
	struct policy_ids *ret_ids)
{
	if (!engine->in_force ||
		!policy_differs(&engine->policy, policy, ret_ids))
		return false;
	if (ret_ids->n <= ENGINE_DELTA_MAX)
		return true;
	policy_ids_free(ret_ids);
	return false;
}

int engine_check(const struct engine *engine, const struct policy *policy,
	char *ret_reason)
{
	struct topology none = {0};
	struct ruleset_input input = {
		.policy = policy, .topology = &none, .generation = 1};
	struct policy_ids ids = {0};
	struct image image;
	int r = 0;

	if (by_devices(engine, policy, &ids)) {
		if (ids.n)
			r = engine_check_devices(
				engine, policy, &ids, ret_reason);
		policy_ids_free(&ids);
		return r;
	}
	r = ruleset_image(&input, &image, ret_reason);
	if (r == 0)
		image_free(&image);
	return r;
}

static uint8_t next_generation(
	struct engine *engine, const struct policy *policy)
{
	uint8_t found = 0;

	if (engine->in_force)
		return policy_same(&engine->policy, policy)
			       ? engine->generation
			       : marks_next(&policy->marks, engine->generation);
	/* Tables of a process before this one: all is judged again. */
	if (nft_read_generation(&engine->nft, &found) < 0)
		log_warning("the generation of the old rules is unreadable");
	return marks_next(&policy->marks, found);
}

static void take_over(
	struct engine *engine, struct policy *policy, struct topology *topology)
{
	policy_free(&engine->policy);
	topology_free(&engine->topology);
	engine->policy = *policy;
	engine->topology = *topology;
	memset(policy, 0, sizeof(*policy));
	memset(topology, 0, sizeof(*topology));
	engine->in_force = true;
}

/* 1: it has to be a whole load. */
static int change(struct engine *engine, const struct policy *policy,
	const struct topology *topology, char *reason)
{
	struct policy_ids ids = {0};
	int r = 0;

	engine->n_touched = 0;
	if (engine->retry.slot ||
		!topology_same_ports(&engine->topology, topology) ||
		!by_devices(engine, policy, &ids))
		return 1;
	if (ids.n)
		r = engine_change_devices(engine, policy, &ids, reason);
	policy_ids_free(&ids);
	if (r == 0 || r == -ENOSPC)
		return r;
	/* A set is full, or somebody else's hand was in it. */
	log_info("%s; loading everything", reason);
	engine->n_touched = 0;
	return 1;
}

static bool is_device(const struct mac *mac, void *arg)
{
	const struct engine *engine = arg;

	return policy_device_by_mac(&engine->policy, mac) != NULL;
}

int engine_apply(struct engine *engine, struct policy *policy,
	struct topology *topology, char *ret_reason)
{
	int r = change(engine, policy, topology, ret_reason);
	uint8_t generation;

	if (r < 0)
		return r;
	if (r == 0) {
		take_over(engine, policy, topology);
		engine_offload(engine);
		engine_drop_learned(engine);
		return 0;
	}
	generation = next_generation(engine, policy);
	if (!count_if_there(engine) && !engine->in_force)
		engine_restore_bound(engine, policy, topology);
	r = load(engine, policy, topology, generation, ret_reason);
	if (r == -EUCLEAN && engine->in_force)
		(void)engine_reload(engine);
	if (r < 0)
		return r;
	loop_stop_timer(engine->loop, &engine->retry);
	take_over(engine, policy, topology);
	engine_forget_known(engine);
	engine->generation = generation;
	engine->again_until_ms = 0;
	engine_offload(engine);
	learned_sweep(&engine->learned, is_device, engine);
	return 0;
}

void engine_move(struct engine *engine, struct topology *topology)
{
	bool same = topology_same_ports(&engine->topology, topology);

	topology_free(&engine->topology);
	engine->topology = *topology;
	memset(topology, 0, sizeof(*topology));
	if (same)
		engine_offload(engine);
	if (same || !engine->in_force)
		return;
	(void)count_if_there(engine);
	(void)engine_reload(engine);
}
