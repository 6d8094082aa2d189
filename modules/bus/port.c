/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives one sd-bus connection from our own loop: a watch for its
 * descriptor, a timer for its deadlines, a bounded number of messages a
 * turn. Opens nothing itself; when the bus goes away the agent is asked for
 * another socket. Must never end the worker because of the bus.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/log.h"
#include "modules/bus/bus_proto.h"
#include "modules/bus/names.h"
#include "modules/bus/port.h"

void port_close(struct port *port)
{
	if (port->bus == NULL)
		return;
	calls_drop(port);
	if (port->watch.active)
		loop_remove_watch(port->worker->loop, &port->watch);
	loop_stop_timer(port->worker->loop, &port->drive);
	loop_stop_timer(port->worker->loop, &port->flush);
	sd_bus_close(port->bus);
	port->bus = sd_bus_unref(port->bus);
	port->named = false;
	port->doomed = 0;
}

static void lose(struct port *port, int error)
{
	struct bus_number none = {0};

	log_info("bus: connection lost (%s); asking for a new one",
		strerror(-error));
	port_close(port);
	worker_send(port->worker, BUS_LOST, &none, sizeof(none));
}

/* When and for what sd-bus wants to be called again. */
static int arm(struct port *port, bool at_once)
{
	struct loop *loop = port->worker->loop;
	int events = sd_bus_get_events(port->bus);
	uint64_t due_us;
	int64_t in_ms;

	if (events < 0)
		return events;
	/* poll's and epoll's bits have the same values. */
	loop_set_events(loop, &port->watch, (uint32_t)events);
	if (sd_bus_get_timeout(port->bus, &due_us) < 0)
		due_us = UINT64_MAX;
	if (at_once) {
		in_ms = 0;
	} else if (due_us == UINT64_MAX) {
		loop_stop_timer(loop, &port->drive);
		return 0;
	} else {
		in_ms = (int64_t)((due_us + 999) / 1000) - clock_ms();
	}
	return loop_set_timer(loop, &port->drive, in_ms > 0 ? in_ms : 0);
}

static void drive(struct port *port)
{
	int r = 0;

	for (unsigned n = 0; n < PORT_BURST; n++) {
		r = sd_bus_process(port->bus, NULL);
		if (r <= 0 || port->doomed)
			break;
	}
	if (port->doomed)
		r = port->doomed;
	if (r >= 0 && sd_bus_is_open(port->bus) <= 0)
		r = -ECONNRESET;
	if (r >= 0)
		r = arm(port, r > 0) < 0 ? -ECONNRESET : 0;
	if (r < 0)
		lose(port, r);
}

static void on_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	drive(container_of(watch, struct port, watch));
}

static void on_due(struct timer *timer)
{
	struct port *port = container_of(timer, struct port, drive);

	if (port->bus)
		drive(port);
}

void port_kick(struct port *port)
{
	if (port->bus)
		loop_set_timer(port->worker->loop, &port->drive, 0);
}

static void on_flush(struct timer *timer)
{
	struct port *port = container_of(timer, struct port, flush);

	if (!port->named)
		return;
	port->flushed_ms = clock_ms();
	if (announce_changes(port))
		loop_set_timer(port->worker->loop, timer, PORT_FLUSH_MS);
	port_kick(port);
}

void port_changed(struct port *port)
{
	int64_t in_ms = port->flushed_ms + PORT_FLUSH_MS - clock_ms();

	if (port->named && port->flush.slot == 0)
		loop_set_timer(port->worker->loop, &port->flush,
			in_ms > 0 ? in_ms : 0);
}

/* Tried again and again; said now and then. */
static void complain(const char *what, const char *advice)
{
	static struct log_limit limit = {.interval_ms = 600000, .burst = 2};

	if (log_allowed(&limit))
		log_error("bus: cannot be " BUS_NAME ": %s; %s", what, advice);
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct port *port = userdata;
	uint32_t answer = 0;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL)) {
		complain(sd_bus_message_get_error(m)->message,
			"is its policy file in /usr/share/dbus-1/system.d?");
		port->doomed = -EACCES;
		return 0;
	}
	if (sd_bus_message_read(m, "u", &answer) < 0 || answer != 1) {
		complain("somebody else is", "does another gatehoused run?");
		port->doomed = -EADDRINUSE;
		return 0;
	}
	log_info("bus: serving as " BUS_NAME);
	/* Whoever listens reads everything now; changes are told from here. */
	mirror_forget_changes(&port->mirror);
	port->named = true;
	return 0;
}

static int set_up(struct port *port, int *fd)
{
	int r;

	r = sd_bus_new(&port->bus);
	if (r < 0)
		return r;
	r = sd_bus_set_fd(port->bus, *fd, *fd);
	if (r < 0)
		return r;
	port->watch.ready = on_ready;
	port->drive.fired = on_due;
	port->flush.fired = on_flush;
	r = loop_add_watch(port->worker->loop, &port->watch, *fd, EPOLLIN);
	*fd = -1; /* sd-bus closes it */
	if (r < 0)
		return r;
	if ((r = sd_bus_set_bus_client(port->bus, true)) < 0 ||
		(r = sd_bus_negotiate_fds(port->bus, true)) < 0 ||
		(r = manager_add(port)) < 0 || (r = device_add(port)) < 0 ||
		(r = sd_bus_start(port->bus)) < 0)
		return r;
	return sd_bus_request_name_async(
		port->bus, NULL, BUS_NAME, 0, on_name, port);
}

void port_open(struct port *port, int fd)
{
	_cleanup_(cleanup_close) int owned = fd;
	int r;

	port_close(port);
	r = set_up(port, &owned);
	if (r < 0)
		lose(port, r);
	else
		port_kick(port);
}
