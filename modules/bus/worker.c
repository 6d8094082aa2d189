/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-bus: shows what the agent knows on D-Bus and passes calls of
 * local users on. Has no capability, no file and no way to open one; all it
 * holds is its link to the agent and one granted socket to the bus. Reads
 * hostile input (any allowed local user's messages) through sd-bus; must
 * never decide anything but who may call.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/bus/bus_proto.h"
#include "modules/bus/port.h"

static struct port the_port = {0};

/* More than the limit is a reason to say so, not to die. */
static int tolerate(int r)
{
	static struct log_limit limit = {.interval_ms = 60000, .burst = 1};

	if (r != -ENOSPC)
		return r;
	if (log_allowed(&limit))
		log_warning("bus: too many devices or warnings to show all");
	return 0;
}

static int on_socket(void *owner, const void *message, int fd)
{
	(void)owner, (void)message;
	port_open(&the_port, fd);
	return 0;
}

static int on_gateway(void *owner, const void *message, int fd)
{
	(void)owner, (void)fd;
	port_changed(&the_port);
	return mirror_put_gateway(&the_port.mirror, message);
}

static int on_device(void *owner, const void *message, int fd)
{
	(void)owner, (void)fd;
	port_changed(&the_port);
	return tolerate(mirror_put_device(&the_port.mirror, message));
}

static int on_device_gone(void *owner, const void *message, int fd)
{
	const struct bus_number *gone = message;

	(void)owner, (void)fd;
	port_changed(&the_port);
	return mirror_drop_device(&the_port.mirror, gone->id);
}

static int on_warning(void *owner, const void *message, int fd)
{
	const struct record_warning *warning = message;
	int r;

	(void)owner, (void)fd;
	port_changed(&the_port);
	r = mirror_put_warning(&the_port.mirror, warning);
	if (r > 0)
		announce_warning(&the_port,
			mirror_warning(&the_port.mirror, warning->id));
	return r > 0 ? 0 : tolerate(r);
}

static int on_warning_gone(void *owner, const void *message, int fd)
{
	const struct bus_number *gone = message;

	(void)owner, (void)fd;
	port_changed(&the_port);
	if (mirror_drop_warning(&the_port.mirror, gone->id))
		announce_warning_gone(&the_port, gone->id);
	return 0;
}

static int on_attempt(void *owner, const void *message, int fd)
{
	(void)owner, (void)fd;
	calls_attempt(&the_port, message);
	return 0;
}

static int on_attempts_end(void *owner, const void *message, int fd)
{
	const struct bus_attempts_end *end = message;

	(void)owner, (void)fd;
	calls_attempts_end(&the_port, end->cookie);
	return 0;
}

static int on_tried(void *owner, const void *message, int fd)
{
	(void)owner, (void)fd;
	announce_tried(&the_port, message);
	return 0;
}

static int on_reply(void *owner, const void *message, int fd)
{
	(void)owner, (void)fd;
	calls_reply(&the_port, message);
	return 0;
}

static int on_because(void *owner, const void *message, int fd)
{
	(void)owner, (void)fd;
	calls_because(&the_port, message);
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE_FD(BUS_SOCKET, struct bus_number, on_socket),
	IPC_ROUTE(BUS_GATEWAY, struct record_gateway, on_gateway),
	IPC_ROUTE(BUS_DEVICE, struct record_device, on_device),
	IPC_ROUTE(BUS_DEVICE_GONE, struct bus_number, on_device_gone),
	IPC_ROUTE(BUS_WARNING, struct record_warning, on_warning),
	IPC_ROUTE(BUS_WARNING_GONE, struct bus_number, on_warning_gone),
	IPC_ROUTE(BUS_ATTEMPT, struct bus_attempt, on_attempt),
	IPC_ROUTE(BUS_ATTEMPTS_END, struct bus_attempts_end, on_attempts_end),
	IPC_ROUTE(BUS_BECAUSE, struct bus_because, on_because),
	IPC_ROUTE(BUS_REPLY, struct bus_reply, on_reply),
	IPC_ROUTE(BUS_TRIED, struct bus_tried, on_tried),
};

static int start(struct worker *worker)
{
	the_port.worker = worker;
	return 0;
}

/* The configuration holds nothing for this worker. */
static int begin(struct worker *worker)
{
	(void)worker;
	return 0;
}

static int accept_all(struct worker *worker, char *reason)
{
	(void)worker, (void)reason;
	return 0;
}

static void forget(struct worker *worker)
{
	(void)worker;
}

/* sd-bus asks who the other side is and for larger buffers. */
static const char *const syscalls[] = {"getsockopt", "setsockopt",
	"getsockname", "getpeername", "send", "sendto", "recv", "recvfrom",
	"poll", "ppoll", "ppoll_time64", "shutdown", NULL};

static const struct worker_describe describe = {
	.name = "bus",
	.syscalls = syscalls,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.start = start,
	.begin = begin,
	.commit = accept_all,
	.apply = accept_all,
	.abort = forget,
};

int main(int argc, char **argv)
{
	return worker_main(&describe, argc, argv);
}
