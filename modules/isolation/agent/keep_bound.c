/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to a file what the worker tells of whose addresses are, and gives it
 * back to a worker that begins. Runs as root in the agent; reads nothing but
 * its own file and fixed-size messages, and must never write more often than
 * keep_bound_pause_ms() says, nor what was told by halves.
 */
#include "modules/isolation/agent/keep_bound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/isolation/agent/bound_table.h"
#include "modules/isolation/saved_bound.h"

static struct {
	struct bound_table table;
	uint64_t digest; /* of what is in the file */
	int64_t written_ms; /* 0: not by this process */
	size_t n_written;
	bool whole; /* the worker told all that it knows */
	bool changed; /* since the file was written */
	bool failed, full; /* was told already */
	bool sent; /* to this worker */
	struct agent *agent;
	struct timer later;
} self;

int64_t keep_bound_pause_ms(size_t rows, bool only_times)
{
	return only_times ? KEEP_BOUND_TIMES_MS
			  : KEEP_BOUND_MS *
				    (1 + (int64_t)(rows / KEEP_BOUND_ROWS));
}

static int store(struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(
		agent_state_dir(agent));
	_cleanup_(cleanup_free) struct isolation_bound *rows = calloc(
		self.table.n + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	self.n_written = bound_table_list(&self.table, clock_ms(), rows);
	if (folder < 0)
		return folder;
	if (!self.n_written)
		return file_remove(folder, SAVED_BOUND_FILE);
	return saved_bound_store(folder, clock_wall(), rows, self.n_written);
}

static void write_file(struct agent *agent)
{
	int r = store(agent);

	self.written_ms = clock_ms();
	if (r < 0 && !self.failed)
		log_error("whose addresses are cannot be saved in %s: %s; "
			  "after a boot they are whose who uses them first",
			agent_state_dir(agent), strerror(-r));
	self.failed = r < 0;
	self.changed = r < 0; /* then it is tried again */
	if (r == 0)
		self.digest = bound_table_digest(&self.table);
}

static bool only_times(void)
{
	return bound_table_digest(&self.table) == self.digest;
}

static int64_t wait_ms(void)
{
	int64_t due = self.written_ms +
		      keep_bound_pause_ms(self.n_written, only_times());

	if (!self.written_ms || due <= clock_ms())
		return 0;
	return due - clock_ms();
}

/* Now, if that is not too soon after the last one. */
static void write_or_wait(void)
{
	int64_t ms = wait_ms();

	if (ms)
		loop_set_timer(agent_loop(self.agent), &self.later, ms);
	else
		write_file(self.agent);
	if (self.changed && !self.later.slot)
		loop_set_timer(
			agent_loop(self.agent), &self.later, KEEP_BOUND_MS);
}

static void on_later(struct timer *timer)
{
	(void)timer;
	if (self.whole && self.changed)
		write_or_wait();
}

static void end_list(struct agent *agent, bool all)
{
	size_t over = 0;

	if (bound_table_end(&self.table, all, &over) < 0)
		return;
	if (over && !self.full)
		log_warning("%zu addresses of devices will not be known after "
			    "a boot: no more than %d in all and %d of one "
			    "device are",
			over, ISOLATION_BOUND_MAX, ISOLATION_BOUND_EACH);
	self.full = over > 0;
	self.whole |= all;
	self.changed = true;
	self.agent = agent;
	self.later.fired = on_later;
	if (self.whole)
		write_or_wait();
}

/* No longer, pinned, or as it could be in the file. */
static bool is_told_well(const struct isolation_bound *bound)
{
	struct isolation_bound plain = *bound;

	plain.pinned = 0;
	if (!plain.rest_s)
		plain.rest_s = 1;
	return saved_bound_sane(&plain) && bound->pinned <= 1;
}

int keep_bound(struct agent *agent, const struct isolation_bound *bound)
{
	if (!bound->ip.family)
		end_list(agent, bound->all);
	else if (!is_told_well(bound))
		return -EINVAL;
	else
		bound_table_tell(&self.table, bound, clock_ms());
	return 0;
}

static void complain(struct agent *agent, int error)
{
	if (error != -ENOENT)
		log_warning("%s/" SAVED_BOUND_FILE " cannot be used (%s): "
			    "addresses are whose who uses them first",
			agent_state_dir(agent),
			error == -EPROTO    ? "it is of another version"
			: error == -EBADMSG ? "it is damaged"
			: error == -EPERM   ? "others than root could have "
					      "written it"
					    : strerror(-error));
}

int keep_bound_send(struct agent *agent)
{
	_cleanup_(cleanup_free) struct isolation_bound *rows = NULL;
	_cleanup_(cleanup_close) int folder = -1;
	size_t n = 0;
	int r;

	if (self.sent)
		return 0;
	folder = file_open_folder(agent_state_dir(agent));
	r = folder < 0 ? folder
		       : saved_bound_load(folder, clock_wall(), &rows, &n);
	if (r < 0)
		complain(agent, r);
	r = 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = agent_send(agent, "isolation", ISOLATION_KNOWN_BOUND,
			&rows[i], sizeof(rows[i]), -1);
	return r;
}

void keep_bound_sent(uint16_t type)
{
	if (type == WORKER_COMMIT)
		self.sent = true;
}

void keep_bound_stopped(void)
{
	bound_table_drop_told(&self.table);
	self.sent = false;
}

/* What is new since the last file would be lost. */
void keep_bound_ending(struct agent *agent)
{
	if (self.whole && self.changed && !only_times())
		write_file(agent);
}
