/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-discovery: reads what devices send to everybody and what was
 * denied to them. No privilege, no file, no secret; sockets come from the
 * agent. Must never take a word of a packet for true.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/discovery/tries.h"

#define TELL_FIRST_MS 300 /* what belongs together comes together */
#define TELL_MS 3000 /* and then a report of each device so often */
#define READS_AT_ONCE 64 /* then others have their turn */
#define LOG_BYTES 65536

static struct {
	struct worker *worker;
	struct watch log;
	int wanted_log; /* between BEGIN and APPLY or ABORT; -1: none */
	struct timer tell;
	int64_t told_ms; /* when it was last */
	struct tries tries;
} self = {.log.fd = -1, .wanted_log = -1};

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

/* One read; false when there is nothing more. */
static bool read_log(int fd)
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
		tries_read(&self.tries, bytes, (size_t)n);
	return true;
}

static void on_log(struct watch *watch, uint32_t events)
{
	int64_t wait = self.told_ms + TELL_MS - clock_ms();

	(void)events;
	for (int i = 0; i < READS_AT_ONCE && read_log(watch->fd); i++)
		;
	if (tries_any(&self.tries) && !self.tell.slot)
		loop_set_timer(self.worker->loop, &self.tell,
			wait > TELL_FIRST_MS ? wait : TELL_FIRST_MS);
}

static int on_log_socket(void *owner, const void *message, int fd)
{
	const struct worker *worker = owner;

	(void)message;
	if (!worker->wanted || self.wanted_log >= 0) {
		close(fd);
		return -EPROTO;
	}
	self.wanted_log = fd;
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE_FD(DISCOVERY_LOG, struct discovery_log, on_log_socket),
};

static int start(struct worker *worker)
{
	self.worker = worker;
	self.told_ms = clock_ms() - TELL_MS;
	self.tell.fired = on_tell;
	self.log.ready = on_log;
	return 0;
}

static int begin(struct worker *worker)
{
	(void)worker;
	drop_fd(&self.wanted_log);
	return 0;
}

static void abort_wanted(struct worker *worker)
{
	(void)worker;
	drop_fd(&self.wanted_log);
}

static bool same_socket(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 &&
	       x.st_ino == y.st_ino;
}

static int apply(struct worker *worker, char *reason)
{
	/* Its records are numbered on. */
	bool same = same_socket(self.log.fd, self.wanted_log);

	(void)reason;
	if (self.log.fd >= 0)
		loop_remove_watch(worker->loop, &self.log);
	drop_fd(&self.log.fd);
	if (self.wanted_log < 0)
		return 0;
	if (!same)
		tries_recount(&self.tries);
	self.log.fd = self.wanted_log;
	self.wanted_log = -1;
	return loop_add_watch(worker->loop, &self.log, self.log.fd, EPOLLIN);
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
