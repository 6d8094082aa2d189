/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database: opened and checked, its schema brought up to date, changes
 * batched. All who use it are in this folder.
 */
#ifndef GATEHOUSE_REGISTRY_STORE_H
#define GATEHOUSE_REGISTRY_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define STORE_FILE "registry.db"
#define STORE_STATEMENTS 64
#define STORE_ASIDE_MAX 3 /* damaged ones that are kept */
#define STORE_ASIDE_NAME 64

/* What brings a schema from the version before to the next. */
extern const char *const store_steps[];
extern const unsigned store_n_steps;

struct store {
	sqlite3 *db;
	bool batch; /* changes that are not on the disk yet */
	struct store_tally {
		int64_t n; /* rows, or a few more or less */
		unsigned asked;
	} evidence, denied;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} prepared[STORE_STATEMENTS];
	uint8_t chain[32]; /* hash of the last line of the log */
	uint8_t chain_kept[32]; /* of the last that is on the disk */
};

/* Why a file was set aside; name is empty when none was. */
struct store_aside {
	char name[STORE_ASIDE_NAME];
	bool newer; /* it is of a later version, not damaged */
};

/*
 * Opens folder/registry.db, or makes it. One that is damaged, or that a newer
 * gatehouse wrote, is set aside under a name with the time, and an empty one
 * made. -errno.
 */
_must_check_ int store_open(struct store *store, const char *folder,
	int64_t now, struct store_aside *ret_aside);
/* The same with another list of steps, for tests. */
_must_check_ int store_open_as(struct store *store, const char *folder,
	int64_t now, const char *const *steps, unsigned n_steps,
	struct store_aside *ret_aside);
/* What is in the batch goes to the disk if it can. */
void store_close(struct store *store);

/*
 * sql is a string constant with a ? for each of types: i int64_t, t text,
 * b const void * and int. A change joins the batch. -errno; -EUCLEAN: the
 * file is damaged.
 */
_must_check_ int store_do(
	struct store *store, const char *sql, const char *types, ...);
/*
 * For an answer with rows: *ret_statement is to be stepped with store_next()
 * until that is no longer 1, or given back with store_done().
 */
_must_check_ int store_ask(struct store *store, const char *sql,
	sqlite3_stmt **ret_statement, const char *types, ...);
/* 1: a row is there; 0: no more, and it is given back; -errno. */
_must_check_ int store_next(sqlite3_stmt *statement);
void store_done(sqlite3_stmt *statement);
/* The one number that is asked for; otherwise, without a row. */
int64_t store_number(struct store *store, int64_t otherwise, const char *sql,
	const char *types, ...);
/*
 * How many rows the count(*) of sql finds: counted again now and then only,
 * so a limit may be passed by STORE_TALLY rows.
 */
#define STORE_TALLY 32
int64_t store_tally(
	struct store *store, struct store_tally *tally, const char *sql);
/* Column as text, cut to size. */
void store_text(sqlite3_stmt *statement, int column, char *text, size_t size);

/* All changes so far are on the disk when it returns 0. -errno. */
_must_check_ int store_commit(struct store *store);
/* All changes since the last commit are undone. */
void store_rollback(struct store *store);
/* What was erased leaves the write-ahead log as well. -errno. */
_must_check_ int store_scrub(struct store *store);

#endif
