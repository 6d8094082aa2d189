/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema, step by step: a step that was released is never changed, the
 * next one changes what it made.
 *
 * kept of a device: 0 new, 1 known for a day, 2 named or decided about. The
 * log names devices by a pseudonym only, which is in devices and nowhere else:
 * when a device is forgotten, its lines speak of nobody.
 */
#include "modules/registry/store.h"

const char *const store_steps[] = {
	"CREATE TABLE devices ("
	" id INTEGER PRIMARY KEY,"
	" mac BLOB NOT NULL UNIQUE,"
	" pseudonym BLOB NOT NULL,"
	" kept INTEGER NOT NULL DEFAULT 0,"
	" first_seen INTEGER NOT NULL DEFAULT 0,"
	" last_seen INTEGER NOT NULL DEFAULT 0,"
	" name TEXT NOT NULL DEFAULT '',"
	" interface TEXT NOT NULL DEFAULT '',"
	" zone TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX devices_kept ON devices (kept, last_seen);"
	"CREATE UNIQUE INDEX devices_name ON devices (name) WHERE name <> '';"
	"CREATE TABLE decisions ("
	" device INTEGER PRIMARY KEY REFERENCES devices ON DELETE CASCADE,"
	" verdict INTEGER NOT NULL,"
	" profile TEXT NOT NULL,"
	" actor TEXT NOT NULL,"
	" since INTEGER NOT NULL,"
	" before INTEGER NOT NULL DEFAULT 0,"
	" profile_before TEXT NOT NULL DEFAULT '');"
	/* kind 1: the decision, 2: a pause. device 0: all. */
	"CREATE TABLE timed ("
	" device INTEGER NOT NULL,"
	" kind INTEGER NOT NULL,"
	" left INTEGER NOT NULL,"
	" noted INTEGER NOT NULL,"
	" PRIMARY KEY (device, kind)) WITHOUT ROWID;"
	"CREATE TABLE evidence ("
	" device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,"
	" source INTEGER NOT NULL,"
	" key TEXT NOT NULL,"
	" value BLOB NOT NULL,"
	" confidence INTEGER NOT NULL,"
	" time INTEGER NOT NULL,"
	" PRIMARY KEY (device, source, key)) WITHOUT ROWID;"
	"CREATE TABLE addresses ("
	" device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,"
	" address BLOB NOT NULL,"
	" time INTEGER NOT NULL,"
	" PRIMARY KEY (device, address)) WITHOUT ROWID;"
	"CREATE TABLE denied ("
	" device INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,"
	" protocol INTEGER NOT NULL,"
	" port INTEGER NOT NULL,"
	" address BLOB NOT NULL,"
	" count INTEGER NOT NULL,"
	" first INTEGER NOT NULL,"
	" last INTEGER NOT NULL,"
	" PRIMARY KEY (device, protocol, port, address)) WITHOUT ROWID;"
	"CREATE TABLE warnings ("
	" code TEXT NOT NULL,"
	" device INTEGER NOT NULL,"
	" since INTEGER NOT NULL,"
	" acknowledged INTEGER NOT NULL DEFAULT 0,"
	" actor TEXT NOT NULL DEFAULT '',"
	" PRIMARY KEY (code, device)) WITHOUT ROWID;"
	"CREATE TABLE log ("
	" id INTEGER PRIMARY KEY,"
	" time INTEGER NOT NULL,"
	" event TEXT NOT NULL,"
	" pseudonym BLOB NOT NULL,"
	" actor TEXT NOT NULL,"
	" detail TEXT NOT NULL,"
	" hash BLOB NOT NULL);"
	/* The hash before the oldest line that is kept. */
	"CREATE TABLE anchor ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" hash BLOB NOT NULL);"
	"INSERT INTO anchor VALUES (1, zeroblob(32));",
};
const unsigned store_n_steps = ARRAY_SIZE(store_steps);
