/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database file. Touches its own folder only; must never say that
 * something is kept before it is on the disk, and never go on with a file
 * that does not hold together.
 *
 * Write-ahead log with synchronous = FULL: each commit ends with an fsync() of
 * the log, so what was committed survives the power, with one write and one
 * sync; NORMAL would lose the last commits, and a rollback journal takes three
 * syncs (and EXTRA, for the folder) for the same promise. The lock is
 * exclusive: there is one user, and no shared memory file is needed.
 */
#include "modules/registry/store.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/lib/log.h"

#define PATH_BYTES 512
#define ASIDE_PREFIX STORE_FILE "."

static int translate(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	}
	return -EIO;
}

static int run(struct store *store, const char *sql)
{
	return translate(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static int prepare(
	struct store *store, const char *sql, sqlite3_stmt **ret_statement)
{
	size_t i = 0;
	int r;

	while (i < STORE_STATEMENTS && store->prepared[i].sql &&
		store->prepared[i].sql != sql)
		i++;
	if (i == STORE_STATEMENTS)
		return -ENOBUFS; /* more statements than anybody counted on */
	if (!store->prepared[i].sql) {
		r = translate(sqlite3_prepare_v3(store->db, sql, -1,
			SQLITE_PREPARE_PERSISTENT,
			&store->prepared[i].statement, NULL));
		if (r < 0)
			return r;
		store->prepared[i].sql = sql;
	}
	*ret_statement = store->prepared[i].statement;
	return 0;
}

static int bind(sqlite3_stmt *statement, const char *types, va_list args)
{
	int r = SQLITE_OK;

	for (int i = 1; types[i - 1] && r == SQLITE_OK; i++) {
		if (types[i - 1] == 'i') {
			r = sqlite3_bind_int64(
				statement, i, va_arg(args, int64_t));
		} else if (types[i - 1] == 't') {
			r = sqlite3_bind_text(statement, i,
				va_arg(args, const char *), -1,
				SQLITE_TRANSIENT);
		} else {
			const void *bytes = va_arg(args, const void *);

			r = sqlite3_bind_blob(statement, i, bytes,
				va_arg(args, int), SQLITE_TRANSIENT);
		}
	}
	return translate(r);
}

static int ask(struct store *store, const char *sql,
	sqlite3_stmt **ret_statement, const char *types, va_list args)
{
	int r = prepare(store, sql, ret_statement);

	return r < 0 ? r : bind(*ret_statement, types, args);
}

void store_done(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

int store_next(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return 1;
	store_done(statement);
	return translate(code);
}

int store_ask(struct store *store, const char *sql,
	sqlite3_stmt **ret_statement, const char *types, ...)
{
	va_list args;
	int r;

	va_start(args, types);
	r = ask(store, sql, ret_statement, types, args);
	va_end(args);
	return r;
}

int64_t store_number(struct store *store, int64_t otherwise, const char *sql,
	const char *types, ...)
{
	sqlite3_stmt *statement;
	int64_t number = otherwise;
	va_list args;
	int r;

	va_start(args, types);
	r = ask(store, sql, &statement, types, args);
	va_end(args);
	if (r == 0 && store_next(statement) == 1) {
		number = sqlite3_column_int64(statement, 0);
		store_done(statement);
	}
	return number;
}

int64_t store_tally(
	struct store *store, struct store_tally *tally, const char *sql)
{
	if (tally->asked++ % STORE_TALLY == 0)
		tally->n = store_number(store, 0, sql, "");
	return tally->n;
}

void store_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
	const unsigned char *value = sqlite3_column_text(statement, column);

	snprintf(text, size, "%s", value ? (const char *)value : "");
}

int store_do(struct store *store, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list args;
	int r = 0;

	if (!store->batch) {
		r = run(store, "BEGIN IMMEDIATE");
		store->batch = r == 0;
	}
	if (r < 0)
		return r;
	va_start(args, types);
	r = ask(store, sql, &statement, types, args);
	va_end(args);
	while (r == 0 && (r = store_next(statement)) == 1)
		r = 0;
	return r;
}

int store_commit(struct store *store)
{
	int r;

	if (!store->batch)
		return 0;
	r = run(store, "COMMIT");
	if (r < 0)
		return r;
	store->batch = false;
	memcpy(store->chain_kept, store->chain, sizeof(store->chain));
	return 0;
}

void store_rollback(struct store *store)
{
	if (store->batch)
		(void)run(store, "ROLLBACK");
	store->batch = false;
	memcpy(store->chain, store->chain_kept, sizeof(store->chain));
}

int store_scrub(struct store *store)
{
	int r = store_commit(store);

	return r < 0 ? r : run(store, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static int set_up(struct store *store)
{
	/* The order matters: the lock first, then no shared memory is made. */
	return run(store, "PRAGMA locking_mode = EXCLUSIVE;"
			  "PRAGMA journal_mode = WAL;"
			  "PRAGMA synchronous = FULL;"
			  "PRAGMA secure_delete = ON;"
			  "PRAGMA foreign_keys = ON;"
			  "PRAGMA trusted_schema = OFF;"
			  "PRAGMA temp_store = MEMORY;"
			  "PRAGMA cache_size = -512;"
			  "PRAGMA wal_autocheckpoint = 128;"
			  "PRAGMA journal_size_limit = 524288;");
}

static int check(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	int r = translate(sqlite3_prepare_v2(
		store->db, "PRAGMA integrity_check(1)", -1, &statement, NULL));

	if (r == 0)
		r = translate(sqlite3_step(statement));
	if (r == 0 &&
		strcmp((const char *)sqlite3_column_text(statement, 0), "ok"))
		r = -EUCLEAN;
	sqlite3_finalize(statement);
	return r;
}

static int read_version(struct store *store, unsigned *ret_version)
{
	sqlite3_stmt *statement = NULL;
	int r = translate(sqlite3_prepare_v2(
		store->db, "PRAGMA user_version", -1, &statement, NULL));

	if (r == 0)
		r = translate(sqlite3_step(statement));
	if (r == 0)
		*ret_version = (unsigned)sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return r;
}

/* A step and its number are one transaction. */
static int take_step(struct store *store, const char *step, unsigned version)
{
	char number[48];
	int r = run(store, "BEGIN IMMEDIATE");

	snprintf(number, sizeof(number), "PRAGMA user_version = %u", version);
	if (r == 0)
		r = run(store, step);
	if (r == 0)
		r = run(store, number);
	if (r == 0)
		r = run(store, "COMMIT");
	if (r < 0)
		(void)run(store, "ROLLBACK");
	return r;
}

static int migrate(
	struct store *store, const char *const *steps, unsigned n_steps)
{
	unsigned version = 0;
	int r = read_version(store, &version);

	if (r == 0 && version > n_steps)
		return -EOVERFLOW;
	for (; version < n_steps && r == 0; version++)
		r = take_step(store, steps[version], version + 1);
	return r;
}

static int open_file(struct store *store, const char *path,
	const char *const *steps, unsigned n_steps)
{
	int r;

	memset(store, 0, sizeof(*store));
	r = translate(sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
		NULL));
	if (r == 0)
		r = set_up(store);
	if (r == 0)
		r = check(store);
	return r < 0 ? r : migrate(store, steps, n_steps);
}

static void close_file(struct store *store)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(store->prepared[i].statement);
	sqlite3_close(store->db);
	memset(store, 0, sizeof(*store));
}

void store_close(struct store *store)
{
	if (!store->db)
		return;
	if (store_commit(store) < 0)
		log_warning("what was observed last could not be written");
	close_file(store);
}

static void move(const char *folder, const char *name, const char *suffix)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	snprintf(from, sizeof(from), "%s/" STORE_FILE "%s", folder, suffix);
	snprintf(to, sizeof(to), "%s/%s%s", folder, name, suffix);
	if (rename(from, to) < 0 && errno != ENOENT)
		log_error("%s cannot be set aside: %s", from, strerror(errno));
}

static bool is_aside(const struct dirent *entry)
{
	return strncmp(entry->d_name, ASIDE_PREFIX, strlen(ASIDE_PREFIX)) == 0;
}

/* The names begin alike and go on with the time: the first is the oldest. */
static size_t find_oldest(const char *folder, char oldest[256])
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	oldest[0] = 0;
	while (dir && (entry = readdir(dir))) {
		if (!is_aside(entry))
			continue;
		n += strstr(entry->d_name, "-wal") == NULL;
		if (!oldest[0] || strcmp(entry->d_name, oldest) < 0)
			snprintf(oldest, 256, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* They are as large as the database, and about people. */
static void keep_few(const char *folder)
{
	char oldest[256], path[PATH_BYTES];

	while (find_oldest(folder, oldest) > STORE_ASIDE_MAX) {
		snprintf(path, sizeof(path), "%s/%s", folder, oldest);
		if (unlink(path) < 0)
			return;
		snprintf(path, sizeof(path), "%s/%s-wal", folder, oldest);
		(void)unlink(path);
	}
}

static void set_aside(
	const char *folder, int64_t now, bool newer, struct store_aside *aside)
{
	time_t when = (time_t)now;
	struct tm tm = {0};

	gmtime_r(&when, &tm);
	strftime(aside->name, sizeof(aside->name),
		ASIDE_PREFIX "%Y%m%dT%H%M%SZ", &tm);
	aside->newer = newer;
	move(folder, aside->name, "");
	move(folder, aside->name, "-wal");
	keep_few(folder);
}

int store_open_as(struct store *store, const char *folder, int64_t now,
	const char *const *steps, unsigned n_steps,
	struct store_aside *ret_aside)
{
	struct store_aside aside = {.name = ""};
	char path[PATH_BYTES];
	int r;

	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	r = open_file(store, path, steps, n_steps);
	/* EEXIST: it is a database, but not one of ours. */
	if (r == -EUCLEAN || r == -EOVERFLOW || r == -EEXIST) {
		bool newer = r == -EOVERFLOW;

		close_file(store);
		set_aside(folder, now, newer, &aside);
		r = open_file(store, path, steps, n_steps);
	}
	if (r < 0)
		close_file(store);
	else
		*ret_aside = aside;
	return r;
}

int store_open(struct store *store, const char *folder, int64_t now,
	struct store_aside *ret_aside)
{
	return store_open_as(
		store, folder, now, store_steps, store_n_steps, ret_aside);
}
