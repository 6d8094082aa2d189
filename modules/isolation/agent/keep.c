/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listens to the configuration on its way to the worker and writes it to a
 * file when it is in force. Runs as root in the agent; reads nothing but its
 * own file and fixed-size messages, and must never save what was refused.
 */
#include "modules/isolation/agent/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/isolation/agent/windows.h"
#include "modules/isolation/saved.h"

enum keep_state {
	KEEP_STATE_NOTHING,
	KEEP_STATE_OPEN, /* items are coming */
	KEEP_STATE_WHOLE, /* not in force yet */
	KEEP_STATE_IN_FORCE,
};

static struct {
	enum keep_state state;
	int error; /* of an item that could not be kept */
	struct saved items; /* without the ports */
	/* By name, none twice. */
	struct isolation_port ports[ISOLATION_PORTS_MAX];
	size_t n_ports;
	struct isolation_port seen[ISOLATION_PORTS_MAX]; /* being reported */
	size_t n_seen;
	/* The gateway's own; while it has none they are those it had. */
	struct isolation_address gateways[ISOLATION_GATEWAYS_MAX];
	size_t n_gateways;
	struct isolation_address had[ISOLATION_GATEWAYS_MAX]; /* reported */
	size_t n_had;
	bool ports_read; /* those of the file */
	struct agent *agent;
	struct timer later;
} self;

static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct isolation_port));
}

static bool knows(const struct isolation_port *ports, size_t n,
	const struct isolation_port *port)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(ports[i].interface, port->interface))
			return true;
	return false;
}

static bool port_sane(const struct isolation_port *port)
{
	return port->interface[0] && port->bridge[0] &&
	       !port->interface[sizeof(port->interface) - 1] &&
	       !port->bridge[sizeof(port->bridge) - 1];
}

static void add_port(const struct isolation_port *port)
{
	if (self.n_ports < ISOLATION_PORTS_MAX && port_sane(port) &&
		!knows(self.ports, self.n_ports, port))
		self.ports[self.n_ports++] = *port;
}

static int open_folder(struct agent *agent)
{
	int fd = open(
		agent_state_dir(agent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void read_gateway(const struct saved_record *record, const uint8_t *item)
{
	if (record->type != ISOLATION_GATEWAY ||
		record->size != sizeof(self.gateways[0]) ||
		self.n_gateways == ISOLATION_GATEWAYS_MAX)
		return;
	memcpy(&self.gateways[self.n_gateways++], item, record->size);
}

static void read_ports(const uint8_t *bytes, size_t size)
{
	struct saved_record record;
	const uint8_t *item;
	size_t offset = 0;

	while (saved_next(bytes, size, &offset, &record, &item) > 0) {
		struct isolation_port port;

		read_gateway(&record, item);
		if (record.type != ISOLATION_KNOWN_PORT ||
			record.size != sizeof(port))
			continue;
		memcpy(&port, item, sizeof(port));
		add_port(&port);
	}
}

/* A file that is of no use is told about at boot, and soon replaced. */
static void read_file_ports(struct agent *agent)
{
	static const char *const names[] = {SAVED_FILE, SAVED_BEFORE};
	_cleanup_(cleanup_close) int folder = open_folder(agent);

	for (size_t i = 0; folder >= 0 && i < ARRAY_SIZE(names); i++) {
		_cleanup_(cleanup_free) uint8_t *bytes = NULL;
		size_t size = 0;

		if (saved_load(folder, names[i], &bytes, &size) == 0 &&
			saved_check(bytes, size) == 0) {
			read_ports(bytes, size);
			return;
		}
	}
}

int keep_send_ports(struct agent *agent)
{
	int r = 0;

	if (!self.ports_read)
		read_file_ports(agent);
	self.ports_read = true;
	for (size_t i = 0; i < self.n_ports && r == 0; i++)
		r = agent_send(agent, "isolation", ISOLATION_KNOWN_PORT,
			&self.ports[i], sizeof(self.ports[i]), -1);
	return r;
}

/* The items, then the addresses and ports as they are known now. */
static int store(struct agent *agent)
{
	size_t length = self.items.length;
	uint32_t count = self.items.count;
	_cleanup_(cleanup_close) int folder = open_folder(agent);
	int r = folder < 0 ? folder : self.error;

	for (size_t i = 0; i < self.n_gateways && r == 0; i++)
		r = saved_add(&self.items, ISOLATION_GATEWAY, &self.gateways[i],
			sizeof(self.gateways[i]));
	for (size_t i = 0; i < self.n_ports && r == 0; i++)
		r = saved_add(&self.items, ISOLATION_KNOWN_PORT, &self.ports[i],
			sizeof(self.ports[i]));
	if (r == 0)
		r = saved_seal(&self.items);
	if (r == 0)
		r = saved_store(folder, self.items.bytes, self.items.length);
	saved_cut(&self.items, length, count);
	return r;
}

static void save(struct agent *agent)
{
	int r = store(agent);

	if (r >= 0) {
		state_unwarn(agent_state(agent), 0, "isolation.not-saved");
		return;
	}
	log_error("the rules could not be saved for the next boot in %s: %s",
		agent_state_dir(agent), strerror(-r));
	state_warn(agent_state(agent), 0, RECORD_SEVERITY_WARNING,
		"isolation.not-saved",
		"The rules could not be saved for the next boot (%s): until "
		"gatehoused runs, older ones would be in force then. Is %s "
		"full or read-only?",
		strerror(-r), agent_state_dir(agent));
}

static void on_later(struct timer *timer)
{
	(void)timer;
	if (self.state == KEEP_STATE_IN_FORCE)
		save(self.agent);
}

static void begin(void)
{
	saved_cut(&self.items, 0, 0);
	self.error = 0;
	self.state = KEEP_STATE_OPEN;
}

/* What may be closed at the next boot is closed in the file. */
static bool is_for_hours(
	struct agent *agent, uint16_t type, const void *message)
{
	const struct isolation_allow *allow = message;
	const struct isolation_pass *pass = message;
	uint32_t id = type == ISOLATION_ALLOW  ? allow->device
		      : type == ISOLATION_PASS ? pass->device
					       : 0;
	const struct conf_section *device = NULL;

	if (id && agent_conf(agent))
		device = conf_find_id(agent_conf(agent), id);
	return device && windows_has(device);
}

static void add_item(uint16_t type, const void *message, size_t size)
{
	if (self.state != KEEP_STATE_OPEN || type < ISOLATION_ZONE ||
		type >= ISOLATION_WHO || type == ISOLATION_KNOWN_PORT ||
		type == ISOLATION_KNOWN_BOUND || self.error)
		return;
	self.error = saved_add(&self.items, type, message, (uint16_t)size);
}

void keep_sent(
	struct agent *agent, uint16_t type, const void *message, size_t size)
{
	if (type == WORKER_BEGIN)
		begin();
	else if (type == WORKER_COMMIT && self.state == KEEP_STATE_OPEN)
		self.state = KEEP_STATE_WHOLE;
	else if (type == WORKER_ABORT)
		self.state = KEEP_STATE_NOTHING;
	else if (!is_for_hours(agent, type, message))
		add_item(type, message, size);
}

void keep_applied(struct agent *agent)
{
	if (self.state != KEEP_STATE_WHOLE)
		return;
	/* If the power goes now, what was before it is loaded at boot. */
	if (agent_on_trial(agent))
		return;
	self.state = KEEP_STATE_IN_FORCE;
	save(agent);
}

void keep_stopped(void)
{
	self.state = KEEP_STATE_NOTHING;
	self.n_had = 0;
}

/* Always in the same order: what is the same is not written again. */
static void take_seen(void)
{
	self.n_ports = 0;
	for (size_t i = 0; i < self.n_seen; i++)
		add_port(&self.seen[i]);
	self.n_seen = 0;
	if (self.n_had) {
		memcpy(self.gateways, self.had, sizeof(self.had));
		self.n_gateways = self.n_had;
	}
	self.n_had = 0;
	if (self.n_ports)
		qsort(self.ports, self.n_ports, sizeof(self.ports[0]), by_name);
}

int keep_gateway(const struct isolation_address *address)
{
	if (self.n_had == ISOLATION_GATEWAYS_MAX)
		return -EINVAL;
	self.had[self.n_had++] = *address;
	return 0;
}

int keep_port(struct agent *agent, const struct isolation_port *port)
{
	if (port->interface[0]) {
		if (!port_sane(port) || self.n_seen == ISOLATION_PORTS_MAX)
			return -EINVAL;
		self.seen[self.n_seen++] = *port;
		return 0;
	}
	take_seen();
	self.agent = agent;
	self.later.fired = on_later;
	return loop_set_timer(agent_loop(agent), &self.later, KEEP_SETTLE_MS);
}
