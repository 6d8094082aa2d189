/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the ledger of changes to the host. Runs as root in the agent; writes
 * its own file and must never let the worker change what is not in it.
 */
#include "modules/isolation/agent/host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/agent/standins.h"
#include "modules/isolation/ledger.h"

#define WARNING "isolation.not-recorded"
#define WARNING_STANDIN "isolation.stand-in"

static struct {
	bool loaded;
	struct ledger ledger;
	bool changed; /* and not yet stored */
	/* Wait for the file. */
	struct isolation_apart wishes[ISOLATION_PORTS_MAX];
	size_t n_wishes;
	struct standins standins;
} self;

static int open_folder(struct agent *agent)
{
	int fd = open(
		agent_state_dir(agent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int load(struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = -1;
	int r;

	if (self.loaded)
		return 0;
	folder = open_folder(agent);
	r = folder < 0 ? folder : ledger_load(folder, &self.ledger);
	self.loaded = r == 0;
	return r;
}

static void complain(struct agent *agent, int error)
{
	log_error("%s/" LEDGER_FILE " cannot be used: %s",
		agent_state_dir(agent), strerror(-error));
	state_warn(agent_state(agent), 0, RECORD_SEVERITY_WARNING, WARNING,
		"Bridge ports are not isolated by the bridge itself, because "
		"%s/" LEDGER_FILE " cannot be %s (%s); the rules keep devices "
		"apart all the same. Is the disk full or read-only?",
		agent_state_dir(agent),
		error == -EBADMSG || error == -EPERM ? "trusted" : "written",
		strerror(-error));
}

static int store(struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = open_folder(agent);
	int r = folder < 0 ? folder : ledger_store(folder, &self.ledger);

	if (r == 0)
		self.changed = false;
	return r;
}

static int send_may(struct agent *agent, const char *interface, int32_t index)
{
	struct isolation_apart may = {.index = index};

	memcpy(may.interface, interface, strlen(interface));
	return agent_send(
		agent, "isolation", ISOLATION_APART_MAY, &may, sizeof(may), -1);
}

static void end(struct agent *agent)
{
	int r = load(agent);

	for (size_t i = 0; i < self.n_wishes && r == 0; i++) {
		struct ledger_entry entry = {
			.kind = LEDGER_PORT, .value = self.wishes[i].index};

		memcpy(entry.name, self.wishes[i].interface,
			sizeof(self.wishes[i].interface));
		r = ledger_put(&self.ledger, &entry);
		self.changed = true;
	}
	if (r == 0 && self.changed)
		r = store(agent);
	if (r < 0)
		complain(agent, r);
	else
		state_unwarn(agent_state(agent), 0, WARNING);
	for (size_t i = 0; i < self.n_wishes && r == 0; i++)
		r = send_may(
			agent, self.wishes[i].interface, self.wishes[i].index);
	self.n_wishes = 0;
}

/* Written down before it is done; what is undone may stay in it for long. */
static int stand_in(struct agent *agent)
{
	int r = load(agent);

	if (r == 0)
		r = standins_note(&self.standins, &self.ledger);
	if (r > 0)
		r = store(agent);
	if (r == 0)
		r = standins_do(&self.standins, &self.ledger);
	if (r > 0)
		r = store(agent);
	return r;
}

int host_standin(struct agent *agent, const struct isolation_standin *standin)
{
	int r;

	if (standin->verb == ISOLATION_STANDIN_WISH)
		return standins_add(&self.standins, standin);
	if (standin->verb != ISOLATION_STANDIN_END)
		return -EINVAL;
	r = stand_in(agent);
	self.standins.n = 0;
	if (r < 0) {
		log_error("standing in for devices: %s", strerror(-r));
		state_warn(agent_state(agent), 0, RECORD_SEVERITY_WARNING,
			WARNING_STANDIN,
			"What is allowed between devices of one interface may "
			"not get through, because the gateway cannot be made "
			"to answer for them (%s); may gatehouse write below "
			"/proc/sys/net and in its state folder?",
			strerror(-r));
	} else {
		state_unwarn(agent_state(agent), 0, WARNING_STANDIN);
	}
	return 0;
}

static bool is_sane(const struct isolation_apart *apart)
{
	return apart->interface[0] && apart->index > 0 &&
	       !apart->interface[sizeof(apart->interface) - 1];
}

int host_apart(struct agent *agent, const struct isolation_apart *apart)
{
	const struct ledger_entry *entry;

	if (apart->verb == ISOLATION_APART_END) {
		end(agent);
		return 0;
	}
	if (!is_sane(apart))
		return -EINVAL;
	if (apart->verb == ISOLATION_APART_WISH) {
		if (self.n_wishes == ISOLATION_PORTS_MAX)
			return -EINVAL;
		self.wishes[self.n_wishes++] = *apart;
		return 0;
	}
	if (apart->verb != ISOLATION_APART_BACK)
		return -EINVAL;
	/* One of that name that came later stays. */
	entry = ledger_find(&self.ledger, LEDGER_PORT, apart->interface);
	if (entry && entry->value == apart->index) {
		ledger_drop(&self.ledger, LEDGER_PORT, apart->interface);
		self.changed = true;
	}
	return 0;
}

int host_send(struct agent *agent)
{
	int r = load(agent);

	if (r < 0) {
		complain(agent, r);
		return 0;
	}
	self.n_wishes = 0;
	self.standins.n = 0;
	for (size_t i = 0; i < self.ledger.n && r == 0; i++)
		if (self.ledger.entries[i].kind == LEDGER_PORT)
			r = send_may(agent, self.ledger.entries[i].name,
				self.ledger.entries[i].value);
	return r;
}
