/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a worker process: confine, say HELLO, then follow the agent's
 * transactions until the link ends. Holds no privilege after worker_main()
 * has closed the sandbox, whatever the module does in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "agent/lib/log.h"
#include "agent/lib/sandbox.h"
#include "agent/lib/worker.h"

static void send_verdict(struct worker *worker, uint64_t generation,
	uint32_t phase, int error, const char *reason)
{
	struct worker_verdict verdict = {
		.generation = generation, .phase = phase, .error = error};

	if (error < 0)
		snprintf(verdict.reason, sizeof(verdict.reason), "%s",
			*reason ? reason : strerror(-error));
	worker_send(worker, WORKER_VERDICT, &verdict, sizeof(verdict));
}

static int on_begin(void *owner, const void *message, int fd)
{
	const struct worker_step *step = message;
	struct worker *worker = owner;

	(void)fd;
	if (step->generation <= worker->generation ||
		step->log_level > LOG_LEVEL_DEBUG)
		return -EPROTO;
	log_open(worker->describe->name, (enum log_level)step->log_level);
	worker->wanted = step->generation;
	worker->begun = worker->link.received;
	return worker->describe->begin ? worker->describe->begin(worker) : 0;
}

static int on_commit(void *owner, const void *message, int fd)
{
	const struct worker_step *step = message;
	struct worker *worker = owner;
	char reason[WORKER_REASON] = "";
	int r = 0;

	(void)fd;
	if (!worker->wanted || step->generation != worker->wanted ||
		worker->link.received - worker->begun - 1 != step->items)
		return -EPROTO;
	if (worker->describe->commit)
		r = worker->describe->commit(worker, reason);
	send_verdict(worker, step->generation, WORKER_COMMIT, r, reason);
	return 0;
}

static int on_apply(void *owner, const void *message, int fd)
{
	const struct worker_step *step = message;
	struct worker *worker = owner;
	char reason[WORKER_REASON] = "";
	int r = 0;

	(void)fd;
	if (!worker->wanted || step->generation != worker->wanted)
		return -EPROTO;
	if (worker->describe->apply)
		r = worker->describe->apply(worker, reason);
	worker->wanted = 0;
	if (r == 0)
		worker->generation = step->generation;
	send_verdict(worker, step->generation, WORKER_APPLY, r, reason);
	return 0;
}

static int on_abort(void *owner, const void *message, int fd)
{
	const struct worker_step *step = message;
	struct worker *worker = owner;

	(void)fd;
	if (step->log_level > LOG_LEVEL_DEBUG)
		return -EPROTO;
	log_open(worker->describe->name, (enum log_level)step->log_level);
	if (step->generation != worker->wanted)
		return 0; /* it failed in apply: forgotten already */
	worker->wanted = 0;
	if (worker->describe->abort)
		worker->describe->abort(worker);
	return 0;
}

static int on_ping(void *owner, const void *message, int fd)
{
	(void)fd;
	worker_send(owner, WORKER_PONG, message, sizeof(struct worker_ping));
	return 0;
}

static const struct ipc_route life_routes[] = {
	IPC_ROUTE(WORKER_BEGIN, struct worker_step, on_begin),
	IPC_ROUTE(WORKER_COMMIT, struct worker_step, on_commit),
	IPC_ROUTE(WORKER_APPLY, struct worker_step, on_apply),
	IPC_ROUTE(WORKER_ABORT, struct worker_step, on_abort),
	IPC_ROUTE(WORKER_PING, struct worker_ping, on_ping),
};

static void link_broken(struct ipc_link *link, int error)
{
	struct worker *worker = container_of(link, struct worker, link);

	if (error == -ECONNRESET) {
		log_debug("the agent is gone; ending");
		loop_stop(worker->loop, 0);
		return;
	}
	log_error("a message of the agent makes no sense (%s); ending",
		strerror(-error));
	loop_stop(worker->loop, 1);
}

void worker_send_fd(struct worker *worker, uint16_t type, const void *message,
	size_t size, int fd)
{
	int r = ipc_send(&worker->link, type, message, size, fd);

	/* A closed link is reported by link_broken(). */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET) {
		log_error("cannot speak to the agent: %s", strerror(-r));
		loop_stop(worker->loop, 1);
	}
}

void worker_send(
	struct worker *worker, uint16_t type, const void *message, size_t size)
{
	worker_send_fd(worker, type, message, size, -1);
}

/* Chroot and seccomp must work; Landlock where the kernel has it. */
static int close_sandbox(struct worker *worker, const char *folder)
{
	int r = sandbox_chroot(folder);

	if (r < 0) {
		log_error("cannot enter the empty folder %s: %s", folder,
			strerror(-r));
		return r;
	}
	worker->layers = WORKER_LAYER_CHROOT;
	if (sandbox_landlock(worker->describe->folder) == 0)
		worker->layers |= WORKER_LAYER_LANDLOCK;
	r = sandbox_seccomp(worker->describe->syscalls);
	if (r < 0) {
		log_error("cannot filter system calls: %s", strerror(-r));
		return r;
	}
	worker->layers |= WORKER_LAYER_SECCOMP;
	return 0;
}

static int open_link(struct worker *worker)
{
	struct worker_hello hello = {
		.protocol = WORKER_PROTOCOL, .layers = worker->layers};
	int r;

	worker->link.tables[0] = (struct ipc_table){
		life_routes, ARRAY_SIZE(life_routes), worker};
	worker->link.tables[1] = (struct ipc_table){
		worker->describe->routes, worker->describe->n_routes, worker};
	worker->link.broken = link_broken;
	r = ipc_open(&worker->link, worker->loop, IPC_WORKER_FD);
	if (r == 0)
		worker_send(worker, WORKER_HELLO, &hello, sizeof(hello));
	return r;
}

static int live(struct worker *worker, const char *folder)
{
	const struct worker_describe *describe = worker->describe;
	int r = loop_new(&worker->loop);

	if (r == 0 && describe->prepare)
		r = describe->prepare(worker);
	if (r == 0)
		r = close_sandbox(worker, folder);
	if (r == 0 && describe->start)
		r = describe->start(worker);
	if (r == 0)
		r = open_link(worker);
	if (r == 0)
		r = loop_run(worker->loop);
	return r;
}

int worker_main(const struct worker_describe *describe, int argc, char **argv)
{
	static struct worker worker;
	int r;

	log_open(describe->name, LOG_LEVEL_INFO);
	r = sandbox_main(describe->syscalls, argc, argv);
	if (r >= 0)
		return r;
	if (argc != 2 || fcntl(IPC_WORKER_FD, F_GETFD) < 0) {
		log_error("this program is started by gatehoused only");
		return 2;
	}
	fcntl(IPC_WORKER_FD, F_SETFD, FD_CLOEXEC);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is for the agent */
	signal(SIGHUP, SIG_IGN);
	worker.describe = describe;
	r = live(&worker, argv[1]);
	if (r < 0)
		log_error("ending: %s", strerror(-r));
	return r == 0 ? 0 : 1;
}
