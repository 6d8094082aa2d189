/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes decisions: each is one transaction, committed before anybody hears of
 * it. Must never make a decision last longer than it was said, nor let a
 * device have more than what was decided when one ends.
 */
#include "modules/registry/decisions.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/profile.h"
#include "modules/registry/devices.h"
#include "modules/registry/journal.h"

/* What ends by itself. */

static struct decisions_timed *find_timed(
	struct decisions *d, int64_t device, enum decisions_kind kind)
{
	for (size_t i = 0; i < d->n_timed; i++)
		if (d->timed[i].device == device && d->timed[i].kind == kind)
			return &d->timed[i];
	return NULL;
}

static void drop_timed(struct decisions *d, struct decisions_timed *timed)
{
	if (timed)
		*timed = d->timed[--d->n_timed];
}

static uint32_t left_of(struct decisions *d, int64_t device,
	enum decisions_kind kind, int64_t now_ms)
{
	const struct decisions_timed *timed = find_timed(d, device, kind);

	if (!timed)
		return 0;
	/* What is due has a second to be taken back. */
	return timed->due_ms > now_ms
		       ? (uint32_t)((timed->due_ms - now_ms + 999) / 1000)
		       : 1;
}

static int write_timed(struct store *store, int64_t device,
	enum decisions_kind kind, int64_t left, int64_t now)
{
	if (!left)
		return store_do(store,
			"DELETE FROM timed WHERE device = ? AND kind = ?", "ii",
			device, (int64_t)kind);
	return store_do(store,
		"INSERT INTO timed VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
		"SET left = excluded.left, noted = excluded.noted",
		"iiii", device, (int64_t)kind, left, now);
}

/* After the commit; seconds 0: it is lasting, or over. */
static void set_timed(struct decisions *d, int64_t device,
	enum decisions_kind kind, uint32_t seconds, int64_t now_ms)
{
	struct decisions_timed *timed = find_timed(d, device, kind);

	if (!seconds) {
		drop_timed(d, timed);
		return;
	}
	if (!timed) /* there is room: room_for_timed() */
		timed = &d->timed[d->n_timed++];
	*timed = (struct decisions_timed){
		device, kind, now_ms + (int64_t)seconds * 1000};
}

static bool room_for_timed(struct decisions *d, int64_t device,
	enum decisions_kind kind, uint32_t seconds)
{
	return !seconds || find_timed(d, device, kind) ||
	       d->n_timed < REGISTRY_TIMED_MAX;
}

int decisions_open(
	struct decisions *d, struct store *store, int64_t now, int64_t now_ms)
{
	sqlite3_stmt *s;
	int r;

	memset(d, 0, sizeof(*d));
	d->store = store;
	r = store_ask(
		store, "SELECT device, kind, left, noted FROM timed", &s, "");
	while (r == 0 && (r = store_next(s)) == 1) {
		int64_t left = sqlite3_column_int64(s, 2);
		int64_t gone = now - sqlite3_column_int64(s, 3);

		r = 0;
		if (gone > 0)
			left = left > gone ? left - gone : 0;
		if (left > REGISTRY_SECONDS_MAX)
			left = 0; /* nobody wrote that */
		if (d->n_timed < REGISTRY_TIMED_MAX)
			d->timed[d->n_timed++] = (struct decisions_timed){
				sqlite3_column_int64(s, 0),
				(enum decisions_kind)sqlite3_column_int(s, 1),
				now_ms + left * 1000};
	}
	return r;
}

int decisions_note(struct decisions *d, int64_t now, int64_t now_ms)
{
	int r = 0;

	for (size_t i = 0; i < d->n_timed && r == 0; i++) {
		const struct decisions_timed *t = &d->timed[i];

		r = write_timed(d->store, t->device, t->kind,
			left_of(d, t->device, t->kind, now_ms), now);
	}
	return r;
}

int64_t decisions_next_ms(const struct decisions *d, int64_t now_ms)
{
	int64_t next = -1;

	for (size_t i = 0; i < d->n_timed; i++) {
		int64_t in = d->timed[i].due_ms - now_ms;

		if (in < 0)
			in = 0;
		if (next < 0 || in < next)
			next = in;
	}
	return next;
}

/* The decisions. */

struct verdict {
	uint8_t verdict, before;
	char profile[RECORD_NAME], profile_before[RECORD_NAME];
	char actor[REGISTRY_ACTOR];
	int64_t since;
};

static int read_verdict(
	struct store *store, int64_t device, struct verdict *ret_verdict)
{
	struct verdict v = {0};
	sqlite3_stmt *s;
	int r = store_ask(store,
		"SELECT verdict, profile, actor, since, before, "
		"profile_before FROM decisions WHERE device = ?",
		&s, "i", device);

	if (r == 0)
		r = store_next(s);
	if (r == 1) {
		v.verdict = (uint8_t)sqlite3_column_int(s, 0);
		store_text(s, 1, v.profile, sizeof(v.profile));
		store_text(s, 2, v.actor, sizeof(v.actor));
		v.since = sqlite3_column_int64(s, 3);
		v.before = (uint8_t)sqlite3_column_int(s, 4);
		store_text(s, 5, v.profile_before, sizeof(v.profile_before));
		store_done(s);
	}
	if (r >= 0)
		*ret_verdict = v;
	return r < 0 ? r : 0;
}

static int write_verdict(
	struct store *store, int64_t device, const struct verdict *v)
{
	if (v->verdict == REGISTRY_VERDICT_NONE)
		return store_do(store, "DELETE FROM decisions WHERE device = ?",
			"i", device);
	return store_do(store,
		"INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?)",
		"iittiit", device, (int64_t)v->verdict, v->profile, v->actor,
		v->since, (int64_t)v->before, v->profile_before);
}

static int check_room(struct store *store, const struct verdict *old)
{
	if (old->verdict != REGISTRY_VERDICT_NONE)
		return 0;
	return store_number(store, 0, "SELECT count(*) FROM decisions", "") <
			       REGISTRY_DECIDED_MAX
		       ? 0
		       : -ENOSPC;
}

static enum journal_event event_of(uint8_t verdict)
{
	switch ((enum registry_verdict)verdict) {
	case REGISTRY_VERDICT_APPROVED:
		return JOURNAL_DEVICE_APPROVED;
	case REGISTRY_VERDICT_BLOCKED:
		return JOURNAL_DEVICE_BLOCKED;
	case REGISTRY_VERDICT_QUARANTINE:
	case REGISTRY_VERDICT_NONE:
		break;
	}
	return JOURNAL_DEVICE_QUARANTINED;
}

struct job {
	struct decisions *d;
	const struct registry_decide *decide;
	struct devices_row row;
	int64_t now;
};

static int log_job(struct job *job, enum journal_event event)
{
	const struct registry_decide *decide = job->decide;
	char detail[96] = "";
	bool profile = event == JOURNAL_DEVICE_APPROVED ||
		       event == JOURNAL_DEVICE_PROFILE;

	snprintf(detail, sizeof(detail), "%s%s%s", profile ? "profile=" : "",
		profile ? (*decide->word ? decide->word : "unchanged") : "",
		profile && decide->seconds ? " " : "");
	if (decide->seconds)
		snprintf(detail + strlen(detail),
			sizeof(detail) - strlen(detail), "seconds=%u",
			decide->seconds);
	return journal_add(job->d->store, job->now, event, job->row.id,
		decide->actor, detail);
}

/* What is temporary hides what was lasting, however often it is changed. */
static void remember_before(
	struct job *job, const struct verdict *old, struct verdict *v)
{
	if (!job->decide->seconds)
		return;
	if (find_timed(job->d, job->row.id, DECISIONS_KIND_VERDICT)) {
		v->before = old->before;
		record_set_text(v->profile_before, sizeof(v->profile_before),
			old->profile_before);
	} else {
		v->before = old->verdict;
		record_set_text(v->profile_before, sizeof(v->profile_before),
			old->profile);
	}
}

static int do_verdict(struct job *job, uint8_t verdict)
{
	const struct registry_decide *decide = job->decide;
	struct store *store = job->d->store;
	struct verdict old, v = {.verdict = verdict, .since = job->now};
	int r = read_verdict(store, job->row.id, &old);

	if (r == 0)
		r = check_room(store, &old);
	if (r < 0)
		return r;
	if (!room_for_timed(job->d, job->row.id, DECISIONS_KIND_VERDICT,
		    decide->seconds))
		return -ENOSPC;
	record_set_text(v.actor, sizeof(v.actor), decide->actor);
	record_set_text(v.profile, sizeof(v.profile),
		*decide->word  ? decide->word
		: *old.profile ? old.profile
			       : PROFILE_USUAL);
	remember_before(job, &old, &v);
	r = write_verdict(store, job->row.id, &v);
	if (r == 0)
		r = write_timed(store, job->row.id, DECISIONS_KIND_VERDICT,
			decide->seconds, job->now);
	return r < 0 ? r : log_job(job, event_of(verdict));
}

static int do_profile(struct job *job)
{
	struct store *store = job->d->store;
	struct verdict v;
	int r = read_verdict(store, job->row.id, &v);

	if (r < 0)
		return r;
	if (v.verdict != REGISTRY_VERDICT_APPROVED || !*job->decide->word)
		return -ENOENT;
	record_set_text(v.profile, sizeof(v.profile), job->decide->word);
	record_set_text(v.actor, sizeof(v.actor), job->decide->actor);
	v.since = job->now;
	r = write_verdict(store, job->row.id, &v);
	return r < 0 ? r : log_job(job, JOURNAL_DEVICE_PROFILE);
}

static int do_rename(struct job *job)
{
	int r = devices_rename(job->d->store, job->row.id, job->decide->word);

	return r < 0 ? r : log_job(job, JOURNAL_DEVICE_RENAMED);
}

static int do_pause(struct job *job)
{
	const struct registry_decide *decide = job->decide;
	int r;

	if (!room_for_timed(
		    job->d, job->row.id, DECISIONS_KIND_PAUSE, decide->seconds))
		return -ENOSPC;
	r = write_timed(job->d->store, job->row.id, DECISIONS_KIND_PAUSE,
		decide->seconds, job->now);
	return r < 0 ? r
		     : log_job(job, decide->seconds ? JOURNAL_DEVICE_PAUSED
						    : JOURNAL_DEVICE_RESUMED);
}

static int do_forget(struct job *job)
{
	int r = log_job(job, JOURNAL_DEVICE_FORGOTTEN);

	return r < 0 ? r : devices_forget(job->d->store, job->row.id);
}

static int do_kind(struct job *job)
{
	switch ((enum registry_kind)job->decide->kind) {
	case REGISTRY_KIND_APPROVE:
		return do_verdict(job, REGISTRY_VERDICT_APPROVED);
	case REGISTRY_KIND_QUARANTINE:
		return do_verdict(job, REGISTRY_VERDICT_QUARANTINE);
	case REGISTRY_KIND_BLOCK:
		return do_verdict(job, REGISTRY_VERDICT_BLOCKED);
	case REGISTRY_KIND_RENAME:
		return do_rename(job);
	case REGISTRY_KIND_PROFILE:
		return do_profile(job);
	case REGISTRY_KIND_FORGET:
		return do_forget(job);
	case REGISTRY_KIND_PAUSE:
		return do_pause(job);
	}
	return -EINVAL;
}

static int find_device(struct job *job)
{
	const struct registry_decide *decide = job->decide;

	if (mac_is_zero(&decide->mac))
		return decide->kind == REGISTRY_KIND_PAUSE ? 0 : -EINVAL;
	if (decide->kind == REGISTRY_KIND_FORGET)
		return devices_find(job->d->store, &decide->mac, &job->row);
	return devices_get(job->d->store, &decide->mac, job->now, &job->row);
}

static int do_job(struct job *job)
{
	int r = find_device(job);

	if (r == 0)
		r = do_kind(job);
	if (r == 0 && job->row.id && job->decide->kind != REGISTRY_KIND_FORGET)
		r = devices_weigh(job->d->store, job->row.id, job->now);
	if (r == 0)
		r = store_commit(job->d->store);
	return r;
}

/* It is on the disk: what runs follows. */
static void settle(struct job *job, int64_t now_ms)
{
	const struct registry_decide *decide = job->decide;
	struct decisions *d = job->d;

	switch ((enum registry_kind)decide->kind) {
	case REGISTRY_KIND_APPROVE:
	case REGISTRY_KIND_QUARANTINE:
	case REGISTRY_KIND_BLOCK:
		set_timed(d, job->row.id, DECISIONS_KIND_VERDICT,
			decide->seconds, now_ms);
		return;
	case REGISTRY_KIND_PAUSE:
		set_timed(d, job->row.id, DECISIONS_KIND_PAUSE, decide->seconds,
			now_ms);
		return;
	case REGISTRY_KIND_FORGET:
		set_timed(d, job->row.id, DECISIONS_KIND_VERDICT, 0, now_ms);
		set_timed(d, job->row.id, DECISIONS_KIND_PAUSE, 0, now_ms);
		if (store_scrub(d->store) < 0)
			return; /* it goes with the next checkpoint */
		return;
	case REGISTRY_KIND_RENAME:
	case REGISTRY_KIND_PROFILE:
		return;
	}
}

int decisions_take(struct decisions *d, const struct registry_decide *decide,
	int64_t now, int64_t now_ms)
{
	struct job job = {.d = d, .decide = decide, .now = now};
	int r;

	if (decide->seconds > REGISTRY_SECONDS_MAX)
		return -EINVAL;
	/* What others noted is not to be lost with a decision that fails. */
	r = store_commit(d->store);
	if (r == 0)
		r = do_job(&job);
	if (r < 0) {
		store_rollback(d->store);
		return r;
	}
	settle(&job, now_ms);
	return 0;
}

/* What ended by itself. */

static int end_verdict(struct decisions *d, int64_t device, int64_t now)
{
	struct verdict v;
	int r = read_verdict(d->store, device, &v);

	if (r < 0)
		return r;
	v.verdict = v.before;
	record_set_text(v.profile, sizeof(v.profile), v.profile_before);
	v.before = 0;
	memset(v.profile_before, 0, sizeof(v.profile_before));
	record_set_text(v.actor, sizeof(v.actor), "expiry");
	v.since = now;
	return write_verdict(d->store, device, &v);
}

static int end_one(
	struct decisions *d, const struct decisions_timed *timed, int64_t now)
{
	int r = 0;

	if (timed->kind == DECISIONS_KIND_VERDICT)
		r = end_verdict(d, timed->device, now);
	if (r == 0)
		r = write_timed(d->store, timed->device, timed->kind, 0, now);
	if (r == 0)
		r = journal_add(d->store, now,
			timed->kind == DECISIONS_KIND_PAUSE
				? JOURNAL_DEVICE_RESUMED
				: JOURNAL_DEVICE_EXPIRED,
			timed->device, "expiry", "");
	if (r == 0 && timed->device)
		r = devices_weigh(d->store, timed->device, now);
	return r < 0 ? r : store_commit(d->store);
}

static int find_mac(struct store *store, int64_t device, struct mac *ret_mac)
{
	struct mac mac = {0};
	sqlite3_stmt *s;
	int r = store_ask(
		store, "SELECT mac FROM devices WHERE id = ?", &s, "i", device);

	if (r == 0)
		r = store_next(s);
	if (r == 1) {
		if (sqlite3_column_bytes(s, 0) == sizeof(mac.b))
			memcpy(mac.b, sqlite3_column_blob(s, 0), sizeof(mac.b));
		store_done(s);
	}
	*ret_mac = mac;
	return r < 0 ? r : 0;
}

int decisions_expire(
	struct decisions *d, int64_t now, int64_t now_ms, struct mac *ret_mac)
{
	for (size_t i = 0; i < d->n_timed; i++) {
		int r;

		if (d->timed[i].due_ms > now_ms)
			continue;
		r = find_mac(d->store, d->timed[i].device, ret_mac);
		if (r == 0)
			r = store_commit(d->store);
		if (r == 0)
			r = end_one(d, &d->timed[i], now);
		if (r < 0) {
			store_rollback(d->store);
			return r;
		}
		drop_timed(d, &d->timed[i]);
		return 1;
	}
	return 0;
}

/* What is told. */

static int tell_of(struct decisions *d, const struct devices_row *row,
	int64_t now_ms, struct registry_device *ret_told)
{
	struct registry_device told = {.mac = row->mac,
		.first_seen = row->first_seen,
		.last_seen = row->last_seen};
	struct verdict v;
	int r = read_verdict(d->store, row->id, &v);

	if (r < 0)
		return r;
	told.verdict = v.verdict;
	told.before = v.before;
	told.since = v.since;
	told.left = left_of(d, row->id, DECISIONS_KIND_VERDICT, now_ms);
	told.paused = left_of(d, row->id, DECISIONS_KIND_PAUSE, now_ms);
	record_set_text(told.name, sizeof(told.name), row->name);
	record_set_text(told.profile, sizeof(told.profile), v.profile);
	record_set_text(told.profile_before, sizeof(told.profile_before),
		v.profile_before);
	record_set_text(told.actor, sizeof(told.actor), v.actor);
	*ret_told = told;
	return 0;
}

int decisions_read(struct decisions *d, const struct mac *mac, int64_t now_ms,
	struct registry_device *ret_told)
{
	struct devices_row row = {.mac = *mac};
	int r = 0;

	if (!mac_is_zero(mac))
		r = devices_find(d->store, mac, &row);
	if (r == -ENOENT) {
		*ret_told = (struct registry_device){.mac = *mac};
		return 0;
	}
	return r < 0 ? r : tell_of(d, &row, now_ms, ret_told);
}

int decisions_each(struct decisions *d, int64_t now_ms,
	void (*tell)(void *arg, const struct registry_device *device),
	void *arg)
{
	struct registry_device told;
	struct mac mac = {0};
	sqlite3_stmt *s;
	int r = decisions_read(d, &mac, now_ms, &told);

	if (r == 0 && told.paused)
		tell(arg, &told);
	if (r == 0)
		r = store_ask(d->store,
			"SELECT mac FROM devices WHERE kept = 2", &s, "");
	while (r == 0 && (r = store_next(s)) == 1) {
		r = 0;
		if (sqlite3_column_bytes(s, 0) != sizeof(mac.b))
			continue;
		memcpy(mac.b, sqlite3_column_blob(s, 0), sizeof(mac.b));
		r = decisions_read(d, &mac, now_ms, &told);
		if (r == 0)
			tell(arg, &told);
	}
	return r;
}
