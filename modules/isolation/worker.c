/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The isolation worker: keeps CAP_NET_ADMIN, in an empty folder, and turns
 * the wanted state into nftables rules. Reads typed messages of the agent and
 * netlink of the kernel; must never read a packet. When it dies, the rules
 * stay as they are.
 */
#include "agent/lib/worker.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/answer.h"
#include "modules/isolation/clear.h"
#include "modules/isolation/collisions.h"
#include "modules/isolation/cuts.h"
#include "modules/isolation/early.h"
#include "modules/isolation/engine.h"
#include "modules/isolation/kernel/guard.h"
#include "modules/isolation/following.h"
#include "modules/isolation/kernel/links.h"
#include "modules/isolation/kernel/neigh.h"
#include "modules/isolation/kernel/routes.h"
#include "modules/isolation/learning.h"
#include "modules/isolation/ports_sync.h"
#include "modules/isolation/standins_sync.h"
#include "modules/isolation/report.h"
#include "modules/isolation/try_kernel.h"
#include "modules/isolation/uplinks_sync.h"

#define COUNT_MS 5000 /* how often the counters are told */

static struct {
	struct worker *worker;
	struct engine engine;
	struct guard guard;
	struct links links;
	struct neigh neigh;
	struct routes routes;
	struct cuts cuts;
	struct learning learning;
	struct following following;
	struct collisions collisions;
	struct timer count;
	struct policy wanted;
} self;

static int on_zone(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_zone(&self.wanted, message);
}

static int on_device(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_device(&self.wanted, message);
}

static int on_allow(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_allow(&self.wanted, message);
}

static int on_redirect(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_redirect(&self.wanted, message);
}

static int on_name_server(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_name_server(&self.wanted, message);
}

static int on_admin(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_admin(&self.wanted, message);
}

static int on_fence(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_fence(&self.wanted, message);
}

static int on_known_port(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_port(&self.wanted, message);
}

static int on_pin(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_pin(&self.wanted, message);
}

static int on_limit(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_limit(&self.wanted, message);
}

static int on_router(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_router(&self.wanted, message);
}

static int on_reflect(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_reflect(&self.wanted, message);
}

static int on_log(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_log(&self.wanted, message);
}

static int on_offload(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_offload(&self.wanted, message);
}

static int on_publish(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_publish(&self.wanted, message);
}

static int on_zone_allow(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_zone_allow(&self.wanted, message);
}

static int on_pass(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_pass(&self.wanted, message);
}

static int on_outside(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_add_outside(&self.wanted, message);
}

static int on_known_bound(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return engine_know_bound(&self.engine, message);
}

static int on_marks(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return policy_set_marks(&self.wanted, message);
}

static int on_who(void *owner, const void *message, int fd)
{
	struct isolation_who who = *(const struct isolation_who *)message;
	const struct isolation_device *device;

	(void)fd;
	if (who.ip.family != AF_INET && who.ip.family != AF_INET6)
		return -EINVAL;
	memset(&who.mac, 0, sizeof(who.mac));
	who.device = 0;
	(void)cuts_neighbour(&self.cuts, &who.ip, &who.mac);
	device = policy_device_by_mac(&self.engine.policy, &who.mac);
	if (device)
		who.device = device->id;
	worker_send(owner, ISOLATION_IS, &who, sizeof(who));
	return 0;
}

static void count(bool tell)
{
	struct ruleset_carry before = self.engine.carry;

	memset(&self.engine.carry, 0, sizeof(self.engine.carry));
	if (engine_count(&self.engine) < 0) {
		self.engine.carry = before;
		return;
	}
	if (tell) {
		report_counts(self.worker, &self.engine, &before);
		report_overs(self.worker, &self.engine, &before);
		report_spoofs(self.worker, &self.engine);
		report_bound(self.worker, &self.engine);
	}
	ruleset_carry_free(&before);
	following_look(&self.following);
}

static int on_get_attempts(void *owner, const void *message, int fd)
{
	const struct isolation_cookie *asked = message;

	(void)fd;
	if (self.engine.in_force)
		count(true);
	report_attempts(owner, &self.engine, asked->cookie);
	return 0;
}

static int on_apart_may(void *owner, const void *message, int fd)
{
	(void)fd;
	return ports_sync_may(owner, message,
		self.engine.in_force ? &self.engine.topology : NULL);
}

static int on_why(void *owner, const void *message, int fd)
{
	struct answer_sources sources = {
		&self.engine, &self.links, &self.neigh};
	struct isolation_because because;
	int r = answer_why(&sources, message, &because);

	(void)fd;
	if (r == 0)
		worker_send(
			owner, ISOLATION_BECAUSE, &because, sizeof(because));
	return r;
}

static int on_learn(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return learning_add(&self.learning, message);
}

static int on_forget(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return learning_forget(&self.learning, message);
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(ISOLATION_ZONE, struct isolation_zone, on_zone),
	IPC_ROUTE(ISOLATION_DEVICE, struct isolation_device, on_device),
	IPC_ROUTE(ISOLATION_ALLOW, struct isolation_allow, on_allow),
	IPC_ROUTE(ISOLATION_REDIRECT, struct isolation_redirect, on_redirect),
	IPC_ROUTE(ISOLATION_NAME_SERVER, struct isolation_address,
		on_name_server),
	IPC_ROUTE(ISOLATION_ADMIN, struct isolation_address, on_admin),
	IPC_ROUTE(ISOLATION_FENCE, struct isolation_fence, on_fence),
	IPC_ROUTE(ISOLATION_KNOWN_PORT, struct isolation_port, on_known_port),
	IPC_ROUTE(ISOLATION_PIN, struct isolation_pin, on_pin),
	IPC_ROUTE(ISOLATION_LIMIT, struct isolation_limit, on_limit),
	IPC_ROUTE(ISOLATION_ROUTER, struct isolation_router, on_router),
	IPC_ROUTE(ISOLATION_REFLECT, struct isolation_reflect, on_reflect),
	IPC_ROUTE(ISOLATION_LOG, struct isolation_log, on_log),
	IPC_ROUTE(ISOLATION_OFFLOAD, struct isolation_offload, on_offload),
	IPC_ROUTE(ISOLATION_PASS, struct isolation_pass, on_pass),
	IPC_ROUTE(ISOLATION_MARKS, struct isolation_marks, on_marks),
	IPC_ROUTE(ISOLATION_PUBLISH, struct isolation_pass, on_publish),
	IPC_ROUTE(ISOLATION_ZONE_ALLOW, struct isolation_allow, on_zone_allow),
	IPC_ROUTE(ISOLATION_OUTSIDE, struct isolation_outside, on_outside),
	IPC_ROUTE(
		ISOLATION_KNOWN_BOUND, struct isolation_bound, on_known_bound),
	IPC_ROUTE(ISOLATION_WHO, struct isolation_who, on_who),
	IPC_ROUTE(ISOLATION_GET_ATTEMPTS, struct isolation_cookie,
		on_get_attempts),
	IPC_ROUTE(ISOLATION_APART_MAY, struct isolation_apart, on_apart_may),
	IPC_ROUTE(ISOLATION_WHY, struct isolation_why, on_why),
	IPC_ROUTE(ISOLATION_LEARN, struct isolation_learned, on_learn),
	IPC_ROUTE(ISOLATION_FORGET, struct isolation_learned, on_forget),
};

static void on_count(struct timer *timer)
{
	if (self.engine.in_force)
		count(true);
	loop_set_timer(self.worker->loop, timer, COUNT_MS);
}

static int read_topology(const struct policy *policy,
	const struct topology *before, struct topology *ret_topology)
{
	struct topology_address *addresses = NULL;
	struct topology_fact *facts = NULL;
	size_t n = 0, n_addresses = 0;
	int r = links_read(&self.links, &facts, &n);

	if (r < 0)
		return r;
	r = links_read_addresses(&self.links, &addresses, &n_addresses);
	if (r < 0) {
		free(facts);
		return r;
	}
	topology_build(policy, facts, n, ret_topology);
	topology_remember(ret_topology, before, facts, n);
	topology_add_addresses(ret_topology, addresses, n_addresses);
	topology_part(ret_topology, policy);
	r = uplinks_sync_read(&self.routes, policy, facts, n, ret_topology);
	free(facts);
	free(addresses);
	if (ret_topology->addresses_full)
		log_error("more than %d addresses in devices zones; devices "
			  "may claim the others",
			TOPOLOGY_ADDRESSES_MAX);
	if (ret_topology->full)
		log_error("more than %d bridge ports in devices zones; "
			  "devices on the others are not isolated from each "
			  "other",
			TOPOLOGY_PORTS_MAX);
	if (r < 0)
		topology_free(ret_topology);
	return r;
}

static void sync_host(void)
{
	int r = ports_sync(self.worker, &self.engine.topology);

	if (r == 0)
		r = standins_sync(self.worker, &self.links, &self.engine.policy,
			&self.engine.topology);
	if (r < 0)
		loop_set_timer(self.worker->loop, &self.links.settle, 1000);
}

static void on_links(struct links *links)
{
	struct topology now, before = {0};
	bool same;

	if (!self.engine.in_force)
		return;
	if (read_topology(&self.engine.policy, &self.engine.topology, &now) <
		0) {
		loop_set_timer(links->loop, &links->settle, 1000);
		return;
	}
	uplinks_sync_tell(&now);
	before.n_links = self.engine.topology.n_links;
	memcpy(before.links, self.engine.topology.links, sizeof(before.links));
	report_links(self.worker, &now, &before);
	same = topology_same_ports(&now, &self.engine.topology);
	engine_move(&self.engine, &now);
	sync_host();
	if (!same)
		report_ports(self.worker, &self.engine.topology);
}

static void on_restored(struct engine *engine)
{
	log_warning("the isolation rules were changed from outside by %s and "
		    "have been put back (%u times so far)",
		engine->by[0] ? engine->by : "somebody", engine->restored);
	report_rules(self.worker, engine, &self.guard, self.worker->generation);
}

static void on_guard_restored(struct guard *guard)
{
	log_warning("routing rules of gatehouse were removed from outside and "
		    "have been put back (%u times so far)",
		guard->restored);
	report_rules(self.worker, &self.engine, guard, self.worker->generation);
}

static void on_other_rules(struct guard *guard)
{
	(void)guard;
	if (self.engine.in_force)
		collisions_soon(&self.collisions);
}

static void on_other_tables(struct engine *engine)
{
	(void)engine;
	on_other_rules(&self.guard);
}

/* Until then, rules that somebody flushes leave nothing behind. */
static void set_guard(void)
{
	int r = guard_apply(&self.guard, &self.engine.policy);

	if (r < 0)
		log_error("the routing rules that guard the isolation rules "
			  "cannot be set (%s); trying again",
			strerror(-r));
}

static bool on_seen(struct neigh *neigh, const struct neigh_fact *fact)
{
	(void)neigh;
	if (!self.engine.in_force)
		return true;
	cuts_seen(&self.cuts, fact);
	following_seen(&self.following, fact);
	return report_seen(self.worker, &self.engine, fact);
}

static void on_routes(struct routes *changed)
{
	(void)changed;
	if (!self.links.settle.slot)
		loop_set_timer(
			self.links.loop, &self.links.settle, LINKS_SETTLE_MS);
}

static void on_followed(struct following *following)
{
	(void)following;
	sync_host();
}

/* The sockets; a chroot later nothing could be opened any more. */
static int prepare(struct worker *worker)
{
	int r;

	self.worker = worker;
	self.collisions = (struct collisions){.worker = worker,
		.guard = &self.guard,
		.nft = &self.engine.nft,
		.marks = &self.engine.policy.marks};
	self.engine.on_restored = on_restored;
	self.engine.on_others = on_other_tables;
	self.links.on_change = on_links;
	self.routes.on_change = on_routes;
	self.neigh.on_seen = on_seen;
	self.cuts.engine = &self.engine;
	self.cuts.neigh = &self.neigh;
	addresses_init(&self.cuts.addresses);
	learning_init(&self.learning, &self.cuts);
	following_init(&self.following, &self.cuts);
	self.following.on_change = on_followed;
	self.count.fired = on_count;
	self.guard.on_restored = on_guard_restored;
	self.guard.on_change = on_other_rules;
	r = engine_open(&self.engine);
	if (r == 0)
		r = guard_open(&self.guard);
	if (r == 0)
		r = links_open(&self.links);
	if (r == 0)
		r = routes_open(&self.routes);
	if (r == 0)
		r = neigh_open(&self.neigh);
	if (r == 0)
		r = ports_sync_open();
	if (r < 0)
		log_error("no way to the kernel's netlink: %s", strerror(-r));
	return r;
}

static int start(struct worker *worker)
{
	int r = engine_start(&self.engine, worker->loop);

	if (r == 0)
		r = guard_start(&self.guard, worker->loop);
	if (r == 0)
		r = links_start(&self.links, worker->loop);
	if (r == 0)
		r = routes_start(&self.routes, worker->loop);
	if (r == 0)
		r = neigh_start(&self.neigh, worker->loop);
	if (r == 0)
		r = loop_set_timer(worker->loop, &self.count, COUNT_MS);
	return r;
}

static int begin(struct worker *worker)
{
	(void)worker;
	policy_free(&self.wanted);
	return 0;
}

static int commit(struct worker *worker, char *reason)
{
	int r = policy_seal(&self.wanted, reason);

	(void)worker;
	return r < 0 ? r : engine_check(&self.engine, &self.wanted, reason);
}

/* What was found must not keep from being put in force what was written. */
static int put_in_force(struct topology *topology, char *reason)
{
	struct policy policy;
	int r;

	if (following_is_wanted(&self.wanted)) {
		policy_copy(&self.wanted, &policy);
		following_find(&self.following, &policy, topology);
		r = engine_apply(&self.engine, &policy, topology, reason);
		policy_free(&policy);
		if (r == 0)
			return 0;
		log_error(
			"%s; loading without where devices were found", reason);
	}
	follow_places_free(&self.following.places);
	return engine_apply(&self.engine, &self.wanted, topology, reason);
}

static int apply(struct worker *worker, char *reason)
{
	uint8_t generation = self.engine.generation;
	struct topology none = {0}, topology;
	int r = read_topology(&self.wanted, &none, &topology);

	if (r < 0) {
		snprintf(reason, WORKER_REASON,
			"the list of interfaces is unreadable: %s",
			strerror(-r));
		return r;
	}
	r = put_in_force(&topology, reason);
	topology_free(&topology);
	if (r < 0)
		return r;
	cuts_after(&self.cuts, generation);
	set_guard();
	collisions_tell(&self.collisions);
	report_rules(worker, &self.engine, &self.guard, worker->wanted);
	uplinks_sync_tell(&self.engine.topology);
	report_links(worker, &self.engine.topology, NULL);
	report_ports(worker, &self.engine.topology);
	sync_host();
	report_forget();
	loop_set_timer(worker->loop, &self.neigh.sweep, 0);
	return 0;
}

static void abort_wanted(struct worker *worker)
{
	(void)worker;
	policy_free(&self.wanted);
}

/* Netlink on sockets that are open already. */
static const char *const syscalls[] = {"sendto", "recvfrom", "sendmsg",
	"recvmsg", "send", "recv", "socketcall", "setsockopt", "getsockopt",
	"getsockname", "poll", "ppoll", "ppoll_time64", NULL};

static const struct worker_describe describe = {
	.name = "isolation",
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.syscalls = syscalls,
	.prepare = prepare,
	.start = start,
	.begin = begin,
	.commit = commit,
	.apply = apply,
	.abort = abort_wanted,
};

int main(int argc, char **argv)
{
	const char *folder = argc >= 3 ? argv[2] : STATEDIR;

	if ((argc == 2 || argc == 3) && !strcmp(argv[1], "--clear"))
		return clear_main(folder);
	if (argc >= 2 && argc <= 5 && !strcmp(argv[1], "--early")) {
		const struct early early = {folder,
			argc > 3 && argv[3][0] ? argv[3] : NULL,
			argc > 4 ? argv[4] : NULL};

		return early_main(&early);
	}
	if (argc == 2 && !strcmp(argv[1], "--try-kernel"))
		return try_kernel_main();
	return worker_main(&describe, argc, argv);
}
