/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-registry: the devices that were seen, and what was decided about
 * them. Reads typed messages and its own database, in a folder of its own;
 * has no network and no privilege. Must never acknowledge a decision that is
 * not on the disk.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/registry/decisions.h"
#include "modules/registry/devices.h"
#include "modules/registry/evidence.h"
#include "modules/registry/journal.h"

#define BATCH_MS 30000 /* what was only observed is written this often */
#define NOTE_MS 60000 /* how much is left of what ends by itself */

static struct {
	struct worker *worker;
	struct store store;
	struct decisions decisions;
	struct devices_pace pace;
	struct {
		int64_t left, since;
	} lines; /* of the log, about new devices */
	struct store_aside aside;
	int64_t bad_line;
	struct timer batch, expiry, note;
} self;

/* A file that does not hold together is judged anew by the next process. */
static void give_up(int error)
{
	log_error("the database cannot be used: %s; starting again",
		error == -EUCLEAN ? "it is damaged" : strerror(-error));
	loop_stop(self.worker->loop, 1);
}

/* What was observed may be lost; a damaged file may not go unnoticed. */
static void tolerate(int error, const char *what)
{
	static struct log_limit limit = {.interval_ms = 600000, .burst = 3};

	if (error >= 0 || error == -ENOENT)
		return;
	if (error == -EUCLEAN)
		give_up(error);
	else if (log_allowed(&limit))
		log_warning("%s is not written down: %s", what,
			error == -ENOSPC ? "there is too much of it"
					 : strerror(-error));
}

static void write_soon(void)
{
	if (self.store.batch && !self.batch.slot)
		loop_set_timer(self.worker->loop, &self.batch, BATCH_MS);
}

static void batch_due(struct timer *timer)
{
	int r = store_commit(&self.store);

	if (r == -EUCLEAN) {
		give_up(r);
	} else if (r < 0) {
		tolerate(r, "what was observed");
		loop_set_timer(self.worker->loop, timer, BATCH_MS);
	}
}

static void tell(void *arg, const struct registry_device *device)
{
	(void)arg;
	worker_send(self.worker, REGISTRY_DEVICE, device, sizeof(*device));
}

static void tell_one(const struct mac *mac)
{
	struct registry_device told;
	int r = decisions_read(&self.decisions, mac, clock_ms(), &told);

	if (r < 0)
		give_up(r);
	else
		tell(NULL, &told);
}

static void watch_times(void)
{
	int64_t in_ms = decisions_next_ms(&self.decisions, clock_ms());
	struct loop *loop = self.worker->loop;

	if (in_ms < 0) {
		loop_stop_timer(loop, &self.expiry);
		loop_stop_timer(loop, &self.note);
		return;
	}
	loop_set_timer(loop, &self.expiry, in_ms);
	if (!self.note.slot)
		loop_set_timer(loop, &self.note, NOTE_MS);
}

static void expiry_due(struct timer *timer)
{
	struct mac mac;
	int r;

	while ((r = decisions_expire(
			&self.decisions, clock_wall(), clock_ms(), &mac)) == 1)
		tell_one(&mac);
	if (r == -EUCLEAN)
		give_up(r);
	else if (r < 0) /* the agent ends it by itself; this writes it down */
		loop_set_timer(self.worker->loop, timer, BATCH_MS);
	else
		watch_times();
}

static void note_due(struct timer *timer)
{
	int r = decisions_note(&self.decisions, clock_wall(), clock_ms());

	(void)timer;
	if (r == 0)
		r = store_commit(&self.store);
	tolerate(r, "the time that is left of a decision");
	watch_times();
}

static void tell_trouble(const char *code, const char *text)
{
	struct registry_trouble trouble = {0};

	snprintf(trouble.code, sizeof(trouble.code), "%s", code);
	snprintf(trouble.text, sizeof(trouble.text), "%s", text);
	worker_send(self.worker, REGISTRY_TROUBLE, &trouble, sizeof(trouble));
}

static void tell_troubles(void)
{
	char text[256];

	if (self.aside.name[0]) {
		snprintf(text, sizeof(text),
			"The database of devices %s and was set aside as %s. "
			"Devices that were approved there are in quarantine; "
			"approve them again.",
			self.aside.newer ? "is of a newer gatehouse"
					 : "is damaged",
			self.aside.name);
		tell_trouble("registry.rebuilt", text);
	}
	if (self.bad_line) {
		snprintf(text, sizeof(text),
			"The log of decisions was changed: line %lld does not "
			"follow from the lines before it.",
			(long long)self.bad_line);
		tell_trouble("registry.log-changed", text);
	}
}

static int on_list(void *owner, const void *message, int fd)
{
	int r;

	(void)owner, (void)fd;
	r = decisions_each(&self.decisions, clock_ms(), tell, NULL);
	if (r < 0) {
		give_up(r);
		return 0;
	}
	tell_troubles();
	worker_send(self.worker, REGISTRY_END, message,
		sizeof(struct registry_number));
	return 0;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static int on_decide(void *owner, const void *message, int fd)
{
	const struct registry_decide *decide = message;
	struct registry_decided decided = {.cookie = decide->cookie};

	(void)owner, (void)fd;
	if (!ends(decide->word, sizeof(decide->word)) ||
		!ends(decide->actor, sizeof(decide->actor)))
		return -EPROTO;
	decided.error = decisions_take(
		&self.decisions, decide, clock_wall(), clock_ms());
	if (decided.error == -EUCLEAN)
		give_up(decided.error);
	if (decided.error == 0)
		tell_one(&decide->mac);
	worker_send(self.worker, REGISTRY_DECIDED, &decided, sizeof(decided));
	watch_times();
	return 0;
}

/* Whoever invents addresses is not to fill the log with them. */
static bool may_log_new(int64_t now)
{
	if (!self.lines.since || self.lines.since > now) {
		self.lines.left = REGISTRY_LOG_NEW_BURST;
		self.lines.since = now;
	}
	while (now - self.lines.since >= REGISTRY_LOG_NEW_S &&
		self.lines.left < REGISTRY_LOG_NEW_BURST) {
		self.lines.since += REGISTRY_LOG_NEW_S;
		self.lines.left++;
	}
	if (self.lines.left == REGISTRY_LOG_NEW_BURST)
		self.lines.since = now;
	return self.lines.left > 0 && self.lines.left--;
}

static void tell_known(const struct devices_row *row)
{
	struct registry_known known = {
		.mac = row->mac, .first_seen = row->first_seen};

	worker_send(self.worker, REGISTRY_KNOWN, &known, sizeof(known));
}

static int on_seen(void *owner, const void *message, int fd)
{
	const struct registry_seen *seen = message;
	int64_t now = clock_wall();
	struct devices_row row;
	bool fresh;
	int r;

	(void)owner, (void)fd;
	if (!ends(seen->interface, sizeof(seen->interface)) ||
		!ends(seen->zone, sizeof(seen->zone)))
		return -EPROTO;
	r = devices_saw(&self.store, &self.pace, seen, now, &row, &fresh);
	if (r == 0 && fresh && may_log_new(now))
		r = journal_add(&self.store, now, JOURNAL_DEVICE_NEW, row.id,
			"discovery", "");
	if (r == 0 && !fresh && row.first_seen)
		tell_known(&row);
	tolerate(r, "a new device");
	write_soon();
	return 0;
}

static int on_evidence(void *owner, const void *message, int fd)
{
	const struct registry_evidence *evidence = message;

	(void)owner, (void)fd;
	if (!ends(evidence->key, sizeof(evidence->key)) ||
		!ends(evidence->value, sizeof(evidence->value)))
		return -EPROTO;
	tolerate(evidence_add(&self.store, evidence, clock_wall()),
		"what a device says of itself");
	write_soon();
	return 0;
}

static int on_denied(void *owner, const void *message, int fd)
{
	const struct registry_denied *denied = message;

	(void)owner, (void)fd;
	if (denied->to.family != 0 && denied->to.family != AF_INET &&
		denied->to.family != AF_INET6)
		return -EPROTO;
	tolerate(evidence_denied(&self.store, denied, clock_wall()),
		"what a device tried");
	write_soon();
	return 0;
}

static int prepare(struct worker *worker)
{
	(void)worker;
	umask(077);
	return sqlite3_initialize() == SQLITE_OK ? 0 : -ENOMEM;
}

static int note_rebuilt(void)
{
	int r;

	if (!self.aside.name[0])
		return 0;
	log_error("the database was set aside as %s, and an empty one made",
		self.aside.name);
	r = journal_add(&self.store, clock_wall(), JOURNAL_REGISTRY_REBUILT, 0,
		"registry", self.aside.newer ? "newer" : "damaged");
	return r < 0 ? r : store_commit(&self.store);
}

static int start(struct worker *worker)
{
	int r;

	self.worker = worker;
	self.batch.fired = batch_due;
	self.expiry.fired = expiry_due;
	self.note.fired = note_due;
	r = store_open(&self.store, "", clock_wall(), &self.aside);
	if (r == 0)
		r = journal_open(&self.store, &self.bad_line);
	if (r == 0)
		r = note_rebuilt();
	if (r == 0)
		r = decisions_open(
			&self.decisions, &self.store, clock_wall(), clock_ms());
	if (r < 0)
		log_error("the database cannot be opened: %s", strerror(-r));
	else
		watch_times();
	return r;
}

static int accept_all(struct worker *worker, char *reason)
{
	(void)worker, (void)reason;
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(REGISTRY_LIST, struct registry_number, on_list),
	IPC_ROUTE(REGISTRY_DECIDE, struct registry_decide, on_decide),
	IPC_ROUTE(REGISTRY_SEEN, struct registry_seen, on_seen),
	IPC_ROUTE(REGISTRY_EVIDENCE, struct registry_evidence, on_evidence),
	IPC_ROUTE(REGISTRY_DENIED, struct registry_denied, on_denied),
};

/* What SQLite does with files in its folder. */
static const char *const syscalls[] = {"open", "openat", "access", "faccessat",
	"faccessat2", "stat", "stat64", "lstat", "lstat64", "statx", "pread64",
	"pwrite64", "fsync", "fdatasync", "ftruncate", "ftruncate64", "unlink",
	"unlinkat", "rename", "renameat", "renameat2", "getdents64", "readlink",
	"readlinkat", NULL};

static const struct worker_describe describe = {
	.name = "registry",
	.syscalls = syscalls,
	.folder = true,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.prepare = prepare,
	.start = start,
	.commit = accept_all,
	.apply = accept_all,
};

int main(int argc, char **argv)
{
	int r = worker_main(&describe, argc, argv);

	store_close(&self.store);
	return r;
}
