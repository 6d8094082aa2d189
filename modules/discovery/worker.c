/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-discovery: reads what devices send to everybody and what was
 * denied to them. No privilege, no file, no secret; sockets come from the
 * agent. Must never take a word of a packet for true.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/discovery/listen.h"
#include "modules/discovery/speak.h"
#include "modules/discovery/tries.h"

#define TELL_FIRST_MS 300 /* what belongs together comes together */
#define TELL_MS 2000 /* and then a report of each device so often */
#define COUNT_MS 60000 /* what was not reflected is told so often */
#define READS_AT_ONCE 64 /* then others have their turn */
#define LOG_BYTES 65536

/* A socket of NFLOG, and the one that is to take its place. */
struct ear {
	struct watch watch;
	int wanted; /* between BEGIN and APPLY or ABORT; -1: none */
};

static struct {
	struct worker *worker;
	struct ear log, hear;
	struct timer tell, count;
	int64_t told_ms; /* when it was last */
	struct tries tries;
	struct plan *plan; /* between BEGIN and APPLY or ABORT */
	struct speak speak;
	struct listen listen;
	struct reflect_counts counted; /* as told last */
} self = {.log = {{.fd = -1}, -1}, .hear = {{.fd = -1}, -1}};

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void on_tell(struct timer *timer)
{
	struct tries *tries = &self.tries;
	static const struct discovery_lost none;

	(void)timer;
	for (size_t i = 0; i < tries->n; i++)
		worker_send(self.worker, DISCOVERY_TRIED, &tries->devices[i],
			sizeof(tries->devices[i]));
	if (memcmp(&tries->lost, &none, sizeof(none)) != 0)
		worker_send(self.worker, DISCOVERY_LOST, &tries->lost,
			sizeof(tries->lost));
	tries_clear(tries);
	self.told_ms = clock_ms();
}

/* Left out is what nobody may hear; a flood of it should be seen. */
static void on_count(struct timer *timer)
{
	const struct reflect_counts *now = &self.speak.reflect.counts;

	if (memcmp(now, &self.counted, sizeof(*now)) != 0)
		log_info("reflected %" PRIu64 " messages so far; left out: "
			 "%" PRIu64 " of strangers, %" PRIu64
			 " about other services, %" PRIu64
			 " too many of one sender or in all, %" PRIu64
			 " that made no sense, %" PRIu64 " that came back",
			now->said, now->strangers, now->filtered, now->paced,
			now->unread, now->echoes);
	self.counted = *now;
	loop_set_timer(self.worker->loop, timer, COUNT_MS);
}

/* One read; false when there is nothing more. */
static bool read_ear(int fd, void (*take)(const void *bytes, size_t size))
{
	static uint8_t bytes[LOG_BYTES];
	struct sockaddr_nl from = {0};
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	/* ENOBUFS: the gap in the numbers says how many. */
	if (n < 0)
		return errno == ENOBUFS || errno == EINTR;
	if (from.nl_pid == 0 && !(m.msg_flags & MSG_TRUNC))
		take(bytes, (size_t)n);
	return true;
}

static void take_log(const void *bytes, size_t size)
{
	tries_read(&self.tries, bytes, size);
}

static void take_heard(const void *bytes, size_t size)
{
	speak_read(&self.speak, bytes, size);
}

static void on_log(struct watch *watch, uint32_t events)
{
	int64_t wait = self.told_ms + TELL_MS - clock_ms();

	(void)events;
	for (int i = 0; i < READS_AT_ONCE && read_ear(watch->fd, take_log); i++)
		;
	if (tries_any(&self.tries) && !self.tell.slot)
		loop_set_timer(self.worker->loop, &self.tell,
			wait > TELL_FIRST_MS ? wait : TELL_FIRST_MS);
}

static void on_hear(struct watch *watch, uint32_t events)
{
	(void)events;
	for (int i = 0; i < READS_AT_ONCE && read_ear(watch->fd, take_heard);
		i++)
		;
}

static int take_ear(const struct worker *worker, struct ear *ear, int fd)
{
	if (!worker->wanted || ear->wanted >= 0) {
		close(fd);
		return -EPROTO;
	}
	ear->wanted = fd;
	return 0;
}

static int on_log_socket(void *owner, const void *message, int fd)
{
	(void)message;
	return take_ear(owner, &self.log, fd);
}

static int on_hear_socket(void *owner, const void *message, int fd)
{
	(void)message;
	return take_ear(owner, &self.hear, fd);
}

#define ON_ITEM(name)                                                  \
	static int on_##name(void *owner, const void *message, int fd) \
	{                                                              \
		(void)owner;                                           \
		(void)fd;                                              \
		return self.plan ? plan_add_##name(self.plan, message) \
				 : -EPROTO;                            \
	}
ON_ITEM(channel)
ON_ITEM(link)
ON_ITEM(reflect)
ON_ITEM(service)
ON_ITEM(device)
ON_ITEM(may)

static int on_socket(void *owner, const void *message, int fd)
{
	(void)owner;
	return speak_socket(&self.speak, message, fd);
}

static int on_ear(void *owner, const void *message, int fd)
{
	(void)owner;
	return listen_add(&self.listen, message, fd);
}

static void tell_evidence(const struct discovery_evidence *evidence)
{
	worker_send(
		self.worker, DISCOVERY_EVIDENCE, evidence, sizeof(*evidence));
}

static const struct ipc_route routes[] = {
	IPC_ROUTE_FD(DISCOVERY_LOG, struct discovery_log, on_log_socket),
	IPC_ROUTE_FD(DISCOVERY_HEAR, struct discovery_log, on_hear_socket),
	IPC_ROUTE(DISCOVERY_CHANNEL, struct discovery_channel, on_channel),
	IPC_ROUTE(DISCOVERY_LINK, struct discovery_link, on_link),
	IPC_ROUTE(DISCOVERY_REFLECT, struct discovery_reflect, on_reflect),
	IPC_ROUTE(DISCOVERY_SERVICE_TYPE, struct discovery_service, on_service),
	IPC_ROUTE(DISCOVERY_DEVICE, struct discovery_device, on_device),
	IPC_ROUTE(DISCOVERY_MAY, struct discovery_may, on_may),
	IPC_ROUTE_FD(DISCOVERY_SOCKET, struct discovery_socket, on_socket),
	IPC_ROUTE_FD(DISCOVERY_EAR, struct discovery_ear, on_ear),
};

static int start(struct worker *worker)
{
	uint64_t secret;

	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return -EIO;
	self.worker = worker;
	self.told_ms = clock_ms() - TELL_MS;
	self.tell.fired = on_tell;
	self.count.fired = on_count;
	self.log.watch.ready = on_log;
	self.hear.watch.ready = on_hear;
	speak_init(&self.speak);
	listen_init(&self.listen, worker->loop, secret, tell_evidence);
	return loop_set_timer(worker->loop, &self.count, COUNT_MS);
}

static void forget(void)
{
	drop_fd(&self.log.wanted);
	drop_fd(&self.hear.wanted);
	self.plan = plan_free(self.plan);
}

static int begin(struct worker *worker)
{
	(void)worker;
	forget();
	self.plan = plan_new();
	return self.plan ? 0 : -ENOMEM;
}

static void abort_wanted(struct worker *worker)
{
	(void)worker;
	forget();
}

static bool same_socket(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 &&
	       x.st_ino == y.st_ino;
}

static int put_on(struct worker *worker, struct ear *ear)
{
	if (ear->watch.fd >= 0)
		loop_remove_watch(worker->loop, &ear->watch);
	drop_fd(&ear->watch.fd);
	if (ear->wanted < 0)
		return 0;
	ear->watch.fd = ear->wanted;
	ear->wanted = -1;
	return loop_add_watch(
		worker->loop, &ear->watch, ear->watch.fd, EPOLLIN);
}

static int apply(struct worker *worker, char *reason)
{
	int r;

	(void)reason;
	/* Of the same socket the records are numbered on. */
	if (!same_socket(self.log.watch.fd, self.log.wanted))
		tries_recount(&self.tries);
	r = put_on(worker, &self.log);
	if (r == 0)
		r = put_on(worker, &self.hear);
	listen_clear(&self.listen);
	plan_seal(self.plan);
	speak_plan(&self.speak, self.plan);
	self.plan = NULL;
	return r;
}

static const struct worker_describe describe = {
	.name = "discovery",
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.start = start,
	.begin = begin,
	.apply = apply,
	.abort = abort_wanted,
};

int main(int argc, char **argv)
{
	return worker_main(&describe, argc, argv);
}
