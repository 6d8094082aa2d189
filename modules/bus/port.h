/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's connection to the bus: one at a time, made of a socket that
 * the agent grants. Everything the worker has hangs on struct port.
 */
#ifndef GATEHOUSE_BUS_PORT_H
#define GATEHOUSE_BUS_PORT_H

#include SDBUS_HEADER

#include "agent/lib/worker.h"
#include "modules/bus/calls.h"
#include "modules/bus/mirror.h"

/* Messages handled before the agent's are looked at again. */
#define PORT_BURST 64
/* A changed object is told at most every so often: four times a second. */
#define PORT_FLUSH_MS 250
/* Changed devices told in one go; the rest has to wait for the next. */
#define PORT_FLUSH_MAX 512

struct port {
	struct worker *worker;
	struct mirror mirror;
	struct calls calls;
	sd_bus *bus; /* NULL: no connection */
	struct watch watch;
	struct timer drive;
	struct timer flush;
	int64_t flushed_ms;
	bool named; /* org.gatehouse1 is ours */
	int doomed; /* why the connection must end; 0 = it may stay */
};

/* Takes fd. A connection that was there before is closed first. */
void port_open(struct port *port, int fd);
void port_close(struct port *port);
/* Something was queued: let sd-bus write soon. */
void port_kick(struct port *port);
/* The mirror has changed: tell the bus soon. */
void port_changed(struct port *port);

/* Adds the objects to a new connection. userdata of all is the port. */
_must_check_ int manager_add(struct port *port);
_must_check_ int device_add(struct port *port);

/* Tells what has changed; true when something is left for the next time. */
bool announce_changes(struct port *port);
void announce_warning(struct port *port, const struct record_warning *warning);
void announce_tried(struct port *port, const struct bus_tried *tried);
void announce_warning_gone(struct port *port, uint32_t id);

#endif
