/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's process: no privilege, no file, no secret. Reads what devices
 * and servers send; hands out connections only to addresses that devices
 * dialled and that the rules have judged. Messages of the agent are its
 * only configuration.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/proxy/flows.h"
#include "modules/proxy/origin.h"
#include "modules/proxy/tls.h"
#include "modules/proxy/wanted.h"

static struct flows flows;
static struct wanted *pending; /* between BEGIN and APPLY or ABORT */
static int pending_error; /* an item that could not be taken */

static int on_authorities(void *owner, const void *message, int fd)
{
	const struct proxy_authorities *authorities = message;
	int r = -EPROTO;

	(void)owner;
	if (pending)
		r = wanted_add_authorities(pending, authorities->size, fd);
	close(fd);
	if (r == -EPROTO)
		return r;
	if (r < 0)
		pending_error =
			r; /* a bad file is the owner's, not the agent's */
	return 0;
}

static int on_upgrade(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return pending ? wanted_add_upgrade(pending, message) : -EPROTO;
}

static int on_listener(void *owner, const void *message, int fd)
{
	(void)owner;
	if (!pending) {
		close(fd);
		return -EPROTO;
	}
	return wanted_add_listener(pending, message, fd);
}

static int on_device(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	return pending ? wanted_add_device(pending, message) : -EPROTO;
}

static int on_is(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)fd;
	if (flows.wanted)
		flows_know(&flows, message);
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE_FD(
		PROXY_AUTHORITIES, struct proxy_authorities, on_authorities),
	IPC_ROUTE(PROXY_UPGRADE, struct proxy_upgrade, on_upgrade),
	IPC_ROUTE_FD(PROXY_LISTENER, struct proxy_listener, on_listener),
	IPC_ROUTE(PROXY_DEVICE, struct proxy_device, on_device),
	IPC_ROUTE(PROXY_IS, struct proxy_who, on_is),
};

static void ask(void *arg, const struct proxy_who *who)
{
	worker_send(arg, PROXY_WHO, who, sizeof(*who));
}

static void tell(void *arg, const struct proxy_flow *flow)
{
	worker_send(arg, PROXY_FLOW, flow, sizeof(*flow));
}

static struct flows_ops ops = {.ask = ask, .tell = tell, .origin = origin_find};

/* The library opens files when it starts, so it starts before the sandbox. */
static int prepare(struct worker *worker)
{
	(void)worker;
	return tls_start();
}

static int start(struct worker *worker)
{
	ops.arg = worker;
	flows_init(&flows, worker->loop, &ops);
	return 0;
}

static int begin(struct worker *worker)
{
	(void)worker;
	pending = wanted_free(pending);
	pending_error = 0;
	return wanted_new(&pending);
}

static int commit(struct worker *worker, char *reason)
{
	int r = pending_error ? pending_error : wanted_close(pending);

	(void)worker;
	if (r == -ENOENT)
		snprintf(reason, WORKER_REASON,
			"the file of authorities holds no usable certificate; "
			"give another with 'authorities =' in [proxy]");
	else if (r == -EADDRINUSE)
		snprintf(reason, WORKER_REASON,
			"[upgrade %s] has nothing to listen on, its local "
			"port is taken; choose others with 'first-port =' in "
			"[proxy]",
			wanted_deaf(pending));
	else if (r == -EIO)
		snprintf(reason, WORKER_REASON,
			"the file of authorities cannot be read");
	return r;
}

static int apply(struct worker *worker, char *reason)
{
	int r = flows_apply(&flows, pending);

	(void)worker;
	(void)reason;
	if (r < 0) {
		pending = wanted_free(pending);
		return r;
	}
	pending = NULL; /* the flows have it now */
	log_info("%zu upgrades, %zu devices, %u authorities",
		flows.wanted->n_upgrades, flows.wanted->n_devices,
		flows.wanted->authorities);
	return 0;
}

static void abandon(struct worker *worker)
{
	(void)worker;
	pending = wanted_free(pending);
}

/* All of them in every architecture's spelling; see sandbox.h. */
static const char *const syscalls[] = {"accept", "accept4", "connect",
	"getpeername", "getsockname", "getsockopt", "recv", "recvfrom", "send",
	"sendto", "setsockopt", "shutdown", "socket", "socketcall", NULL};

static const struct worker_describe describe = {
	.name = "proxy",
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.syscalls = syscalls,
	.prepare = prepare,
	.start = start,
	.begin = begin,
	.commit = commit,
	.apply = apply,
	.abort = abandon,
};

int main(int argc, char **argv)
{
	return worker_main(&describe, argc, argv);
}
