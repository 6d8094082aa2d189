/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times the isolation engine in a network namespace of its own, without
 * agent and messages. Needs root. Prints "figure value" lines.
 *
 *   engine change DEVICES ROUNDS   add and remove one of so many devices
 *   engine revoke FLOWS ROUNDS     one device among so many connections
 *   engine learn DEVICES ROUNDS    addresses that names led to, one by one
 *   engine restore DEVICES ROUNDS  all tables flushed by somebody else
 *   engine churn DEVICES SECONDS   changes at random, and the memory of it
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "modules/isolation/engine_delta.h"
#include "modules/isolation/engine_learn.h"
#include "modules/isolation/kernel/flows.h"
#include "modules/isolation/kernel/nft_dump.h"
#include "modules/isolation/marks.h"

#define LINES 10
#define IDLE_US 5000 /* before each: a daemon wakes up for it */

static struct engine engine;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Of this process, in the kernel as well; says more on a busy machine. */
static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void require(int r, const char *what, const char *reason)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s %s\n", what, strerror(-r), reason);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print(const char *figure, double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	printf("%s_min %.1f\n", figure, values[0]);
	printf("%s_p50 %.1f\n", figure, values[n / 2]);
	printf("%s_p99 %.1f\n", figure, values[n * 99 / 100]);
}

static long status_kb(const char *key)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");
	long kb = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			kb = strtol(line + strlen(key), NULL, 10);
	if (file)
		fclose(file);
	return kb;
}

/*
 * Objects in use of the caches that elements, rules and sets come from. Not
 * ours alone, but of all that have rules or open files; without the tables of
 * buckets (room_for() in set.c), which are no objects.
 */
static long kernel_kb(void)
{
	char line[512];
	FILE *file = fopen("/proc/slabinfo", "r");
	double bytes = 0, n, size;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "kmalloc-cg-%*s %lf %*s %lf", &n, &size) == 2)
			bytes += n * size;
	if (file)
		fclose(file);
	return (long)(bytes / 1024);
}

static void add_device(struct policy *p, uint32_t id)
{
	struct isolation_device d = {.id = id, .mode = RECORD_MODE_ENFORCE};
	struct isolation_pin pin = {.device = id};

	d.mac = (struct mac){{2, 16, 0, (uint8_t)(id >> 16), (uint8_t)(id >> 8),
		(uint8_t)id}};
	require(policy_add_device(p, &d), "device", "");
	pin.ip = (struct ip){AF_INET,
		{10, 1 + (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id}};
	require(policy_add_pin(p, &pin), "pin", "");
	for (uint16_t i = 0; i < LINES; i++) {
		struct isolation_allow a = {.device = id,
			.protocol = IPPROTO_TCP,
			.first = (uint16_t)(5000 + i),
			.last = (uint16_t)(5000 + i),
			.length = 32};

		a.to = (struct ip){AF_INET, {198, 18, (uint8_t)(id % 251),
						    (uint8_t)(i + id % 199)}};
		require(policy_add_allow(p, &a), "allow", "");
	}
}

/* The devices with numbers of step 2; one more if it is not 0. */
static void make(struct policy *p, uint32_t devices, uint32_t more)
{
	static const struct isolation_zone zone = {
		"br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1};
	char reason[POLICY_REASON] = "";

	memset(p, 0, sizeof(*p));
	require(policy_add_zone(p, &zone), "zone", "");
	for (uint32_t i = 1; i <= devices; i++)
		add_device(p, 2 * i);
	if (more)
		add_device(p, more);
	require(policy_seal(p, reason), "policy", reason);
}

static void apply(struct policy *p)
{
	struct topology none = {0};
	char reason[POLICY_REASON] = "";

	require(engine_apply(&engine, p, &none, reason), "apply", reason);
}

struct timed {
	double wall, cpu;
};

/* The change alone, as when it is known which device it is about. */
static struct timed time_change(struct policy *p, uint32_t id)
{
	struct policy_ids ids = {&id, 1, 1};
	char reason[POLICY_REASON] = "";
	struct timed took;
	double start, start_cpu;

	usleep(IDLE_US);
	start = now_us();
	start_cpu = cpu_us();
	require(engine_change_devices(&engine, p, &ids, reason), "change",
		reason);
	took = (struct timed){now_us() - start, cpu_us() - start_cpu};
	policy_free(&engine.policy);
	engine.policy = *p;
	return took;
}

static void change(uint32_t devices, size_t rounds)
{
	double *add = calloc(rounds, sizeof(*add));
	double *del = calloc(rounds, sizeof(*del));
	double *whole = calloc(rounds, sizeof(*whole));
	double *add_cpu = calloc(rounds, sizeof(*add_cpu));
	double *del_cpu = calloc(rounds, sizeof(*del_cpu));
	long before = kernel_kb();
	struct timed took;
	struct policy p;
	double start;

	make(&p, devices, 0);
	start = now_us();
	apply(&p);
	printf("load_ms %.1f\n", (now_us() - start) / 1e3);
	printf("loader_peak_kb %ld\n", status_kb("VmHWM:"));
	printf("kernel_kb %ld\n", kernel_kb() - before);
	for (size_t i = 0; i < rounds; i++) {
		uint32_t id = 2 * (uint32_t)(i * 7919 % devices) + 1;

		make(&p, devices, id);
		took = time_change(&p, id);
		add[i] = took.wall;
		add_cpu[i] = took.cpu;
		make(&p, devices, 0);
		took = time_change(&p, id);
		del[i] = took.wall;
		del_cpu[i] = took.cpu;
		make(&p, devices, id);
		usleep(IDLE_US);
		start = now_us();
		apply(&p); /* and finds out by itself what is different */
		whole[i] = now_us() - start;
		make(&p, devices, 0);
		apply(&p);
	}
	print("add_us", add, rounds);
	print("remove_us", del, rounds);
	print("add_cpu_us", add_cpu, rounds);
	print("remove_cpu_us", del_cpu, rounds);
	print("compare_and_add_us", whole, rounds);
	free(add);
	free(del);
	free(whole);
	free(add_cpu);
	free(del_cpu);
}

static void learn_one(uint32_t id, uint32_t n)
{
	struct isolation_learned w = {
		.ip = {AF_INET, {203, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
					(uint8_t)n}},
		.protocol = IPPROTO_TCP,
		.first = 443,
		.last = 443,
		.ttl_ms = 600000};
	const struct isolation_device *d = policy_device(&engine.policy, id);

	require(learned_add(&engine.learned, &d->mac, &w, clock_ms()), "learn",
		"");
}

/* While others have learned as much before: three of each device. */
static void learn(uint32_t devices, size_t rounds)
{
	double *took = calloc(rounds, sizeof(*took));
	struct policy p;
	double start;

	make(&p, devices, 0);
	apply(&p);
	for (uint32_t i = 0; i < 3 * devices; i++)
		learn_one(2 * (i % devices + 1), i);
	start = now_us();
	engine_flush_learned(&engine);
	printf("many_ms %.1f\n", (now_us() - start) / 1e3);
	for (size_t i = 0; i < rounds; i++) {
		usleep(IDLE_US / 5);
		start = now_us();
		learn_one(2 * ((uint32_t)(i * 7919) % devices + 1),
			0x100000 + (uint32_t)i);
		engine_flush_learned(&engine);
		took[i] = now_us() - start;
		require(list_empty(&engine.learned.pending) ? 0 : -EIO, "learn",
			"");
	}
	print("learn_us", took, rounds);
	free(took);
}

static void put_tuple(struct nlmsghdr *m, uint16_t type, const struct ip *from,
	const struct ip *to, uint16_t from_port, uint16_t to_port)
{
	bool six = from->family == AF_INET6;
	struct nlattr *tuple = mnl_attr_nest_start(m, type);
	struct nlattr *nest = mnl_attr_nest_start(m, CTA_TUPLE_IP);

	mnl_attr_put(
		m, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, six ? 16 : 4, from->b);
	mnl_attr_put(
		m, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, six ? 16 : 4, to->b);
	mnl_attr_nest_end(m, nest);
	nest = mnl_attr_nest_start(m, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(m, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(m, CTA_PROTO_SRC_PORT, htons(from_port));
	mnl_attr_put_u16(m, CTA_PROTO_DST_PORT, htons(to_port));
	mnl_attr_nest_end(m, nest);
	mnl_attr_nest_end(m, tuple);
}

/* Devices are numbered, and their MAC addresses as well. */
static struct mac device_mac(uint32_t n)
{
	return (struct mac){{2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
}

static void add_flow(const struct ip *from, const struct ip *to,
	uint32_t device, uint16_t port)
{
	struct mac mac = device_mac(device);
	char bytes[1024] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *head;

	m->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	m->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->nfgen_family = (uint8_t)from->family;
	head->version = NFNETLINK_V0;
	put_tuple(m, CTA_TUPLE_ORIG, from, to, port, 5000);
	put_tuple(m, CTA_TUPLE_REPLY, to, from, 5000, port);
	mnl_attr_put_u32(m, CTA_STATUS,
		htonl(IPS_SEEN_REPLY | IPS_CONFIRMED | IPS_ASSURED));
	mnl_attr_put_u32(m, CTA_TIMEOUT, htonl(3600));
	mnl_attr_put_u32(m, CTA_MARK,
		htonl(marks_judged(&marks_usual, 1) |
			marks_group(&marks_usual, marks_group_of(&mac))));
	require(nft_ask(&engine.nft, m), "flow", "");
}

static bool keep_none(const struct flow *flow, void *arg)
{
	(void)flow;
	(void)arg;
	return false;
}

#define EACH 100 /* connections of one address */

static struct ip address(uint16_t family, uint32_t n)
{
	struct ip ip = {.family = family};
	uint8_t *end = ip.b + (family == AF_INET6 ? 13 : 1);

	ip.b[0] = family == AF_INET6 ? 0xfd : 10;
	end[0] = (uint8_t)(n >> 16);
	end[1] = (uint8_t)(n >> 8);
	end[2] = (uint8_t)n;
	return ip;
}

/* One family by itself: the kernel goes through all of them. */
static void flush_flows(void)
{
	char bytes[64] __attribute__((aligned(8)));
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *head;

	m->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->nfgen_family = AF_UNSPEC;
	head->version = NFNETLINK_V0;
	require(nft_ask(&engine.nft, m), "flush", "");
}

static void revoke_family(uint16_t family, uint32_t flows, size_t rounds)
{
	const struct ip to = address(family, 0xffffff);
	double *took = calloc(rounds, sizeof(*took));
	double *cpu = calloc(rounds, sizeof(*cpu));
	int cut = 0;

	for (uint32_t i = 0; i < flows; i++) {
		struct ip from = address(family, i / EACH);

		add_flow(&from, &to, i / EACH, (uint16_t)(1000 + i % EACH));
	}
	for (size_t i = 0; i < rounds; i++) {
		struct ip ip = address(family, (uint32_t)i);
		struct flow_from from = {device_mac((uint32_t)i), &ip, 1};
		double start, start_cpu;

		usleep(IDLE_US);
		start = now_us();
		start_cpu = cpu_us();
		cut = flows_cut_from(
			&engine.nft, &marks_usual, &from, keep_none, NULL);
		took[i] = (now_us() - start) / 1e3;
		cpu[i] = (cpu_us() - start_cpu) / 1e3;
		require(cut == EACH ? 0 : -EIO, "cut", "");
	}
	print(family == AF_INET6 ? "revoke6_ms" : "revoke4_ms", took, rounds);
	print(family == AF_INET6 ? "revoke6_cpu_ms" : "revoke4_cpu_ms", cpu,
		rounds);
	free(cpu);
	free(took);
}

static bool back;

static void note_back(struct engine *e)
{
	(void)e;
	back = true;
}

/* As nft flush ruleset does it, from another socket. */
static void flush_ruleset(struct nft *other)
{
	char reason[POLICY_REASON] = "";
	struct batch batch;

	batch_begin(&batch, nft_seq(other));
	batch_add(&batch, batch_message(&batch, NFT_MSG_DELTABLE, AF_UNSPEC, 0,
				  "everything"));
	batch_end(&batch);
	require(nft_commit(other, &batch, reason), "flush", reason);
	batch_free(&batch);
}

/* From before the flush, as somebody else waits for it, until all is back. */
static void restore(struct loop *loop, uint32_t devices, size_t rounds)
{
	double *took = calloc(rounds, sizeof(*took));
	double *cpu = calloc(rounds, sizeof(*cpu));
	double *flush = calloc(rounds, sizeof(*flush));
	struct nft other = {.fd = -1};
	struct policy p;

	require(nft_open(&other), "socket", "");
	engine.on_restored = note_back;
	make(&p, devices, 0);
	apply(&p);
	for (size_t i = 0; i < rounds; i++) {
		double start = now_us(), start_cpu;

		flush_ruleset(&other);
		flush[i] = (now_us() - start) / 1e3;
		start_cpu = cpu_us();
		for (back = false; !back;)
			require(loop_turn(loop, 1000), "loop", "");
		took[i] = (now_us() - start) / 1e3;
		cpu[i] = (cpu_us() - start_cpu) / 1e3;
	}
	print("flush_ms", flush, rounds);
	print("restore_ms", took, rounds);
	print("restore_cpu_ms", cpu, rounds);
	nft_close(&other);
	free(took);
	free(cpu);
	free(flush);
}

/* Memory that grows would be seen here. */
static void churn(uint32_t devices, double seconds)
{
	double end, next = 0, start = now_us();
	struct policy p;
	uint32_t seed = 1;

	make(&p, devices, 0);
	apply(&p);
	end = start + seconds * 1e6;
	while (now_us() < end) {
		seed = seed * 1664525 + 1013904223;
		make(&p, devices, 2 * ((seed >> 8) % devices) + 1);
		apply(&p);
		if (now_us() < next)
			continue;
		printf("rss_kb %ld kernel_kb %ld\n", status_kb("VmRSS:"),
			kernel_kb());
		fflush(stdout);
		next = now_us() + seconds * 1e6 / 20;
	}
}

int main(int argc, char **argv)
{
	struct loop *loop;
	uint32_t n = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	size_t rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

	if (argc != 4 || !n || !rounds) {
		fprintf(stderr, "see the head of tests/bench/engine.c\n");
		return 2;
	}
	if (unshare(CLONE_NEWNET) < 0) {
		perror("needs root for a network namespace");
		return 2;
	}
	require(loop_new(&loop), "loop", "");
	require(engine_open(&engine), "engine", "");
	require(engine_start(&engine, loop), "engine", "");
	if (!strcmp(argv[1], "change")) {
		change(n, rounds);
	} else if (!strcmp(argv[1], "learn")) {
		learn(n, rounds);
	} else if (!strcmp(argv[1], "restore")) {
		restore(loop, n, rounds);
	} else if (!strcmp(argv[1], "churn")) {
		churn(n, (double)rounds);
	} else {
		revoke_family(AF_INET, n, rounds);
		flush_flows();
		revoke_family(AF_INET6, n, rounds);
	}
	return 0;
}
