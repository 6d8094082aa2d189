/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of devices. Anybody on the network can invent a MAC address, so
 * it is bounded: strangers of a day are pushed out by newer ones; who has
 * been here longer, or was decided about, is not.
 */
#include "modules/registry/devices.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define COLUMNS "id, mac, first_seen, last_seen, kept, name"

static void read_row(sqlite3_stmt *s, struct devices_row *ret_row)
{
	struct devices_row row = {.id = sqlite3_column_int64(s, 0),
		.first_seen = sqlite3_column_int64(s, 2),
		.last_seen = sqlite3_column_int64(s, 3),
		.kept = (uint8_t)sqlite3_column_int(s, 4)};

	if (sqlite3_column_bytes(s, 1) == sizeof(row.mac.b))
		memcpy(row.mac.b, sqlite3_column_blob(s, 1), sizeof(row.mac.b));
	store_text(s, 5, row.name, sizeof(row.name));
	*ret_row = row;
}

int devices_find(
	struct store *store, const struct mac *mac, struct devices_row *ret_row)
{
	sqlite3_stmt *s;
	int r = store_ask(store,
		"SELECT " COLUMNS " FROM devices WHERE mac = ?", &s, "b",
		mac->b, (int)sizeof(mac->b));

	if (r == 0)
		r = store_next(s);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	read_row(s, ret_row);
	store_done(s);
	return 0;
}

static int insert(struct store *store, const struct mac *mac, int64_t seen)
{
	uint8_t pseudonym[DEVICES_PSEUDONYM];

	if (getrandom(pseudonym, sizeof(pseudonym), 0) != sizeof(pseudonym))
		return -EIO;
	return store_do(store,
		"INSERT INTO devices (mac, pseudonym, first_seen, last_seen) "
		"VALUES (?, ?, ?, ?)",
		"bbii", mac->b, (int)sizeof(mac->b), pseudonym,
		DEVICES_PSEUDONYM, seen, seen);
}

static bool take_pace(struct devices_pace *pace, int64_t now)
{
	if (!pace->since)
		pace->left = REGISTRY_STRANGERS_MAX;
	else if (now > pace->since)
		pace->left += (now - pace->since) * REGISTRY_NEW_EACH_S;
	if (pace->left > REGISTRY_STRANGERS_MAX)
		pace->left = REGISTRY_STRANGERS_MAX;
	pace->since = now;
	if (pace->left <= 0)
		return false;
	pace->left--;
	return true;
}

/* -ENOSPC when nobody may be pushed out. */
static int make_room(struct store *store, int64_t now)
{
	int64_t victim;

	if (store_number(store, 0,
		    "SELECT count(*) FROM devices WHERE kept < 2",
		    "") < REGISTRY_STRANGERS_MAX)
		return 0;
	victim = store_number(store, 0,
		"SELECT id FROM devices WHERE kept = 0 "
		"ORDER BY last_seen, id LIMIT 1",
		"");
	if (!victim)
		victim = store_number(store, 0,
			"SELECT id FROM devices WHERE kept = 1 AND "
			"last_seen < ? ORDER BY last_seen, id LIMIT 1",
			"i", now - DEVICES_OLD_S);
	return victim ? devices_forget(store, victim) : -ENOSPC;
}

static int add_stranger(struct store *store, struct devices_pace *pace,
	const struct mac *mac, int64_t now)
{
	int r;

	if (!take_pace(pace, now))
		return -ENOSPC;
	r = make_room(store, now);
	return r < 0 ? r : insert(store, mac, now);
}

/* A clock that was put back does not stop it. */
static int refresh(struct store *store, const struct devices_row *row,
	const struct registry_seen *seen, int64_t now)
{
	int r = 0;

	if (now >= row->last_seen && now < row->last_seen + DEVICES_SEEN_S)
		return 0;
	r = store_do(store,
		"UPDATE devices SET last_seen = ?, interface = ?, zone = ?, "
		"first_seen = CASE first_seen WHEN 0 THEN ? ELSE first_seen "
		"END WHERE id = ?",
		"ittii", now, seen->interface, seen->zone, now, row->id);
	return r < 0 ? r : devices_weigh(store, row->id, now);
}

static int note_address(
	struct store *store, int64_t device, const struct ip *ip, int64_t now)
{
	int size = ip_bits(ip) / 8;
	int r;

	if (store_number(store, 0,
		    "SELECT time FROM addresses WHERE device = ? AND "
		    "address = ?",
		    "ib", device, ip->b, size) > now - DEVICES_SEEN_S)
		return 0;
	r = store_do(store,
		"INSERT INTO addresses VALUES (?, ?, ?) ON CONFLICT DO "
		"UPDATE SET time = excluded.time",
		"ibi", device, ip->b, size, now);
	if (r < 0 || store_number(store, 0,
			     "SELECT count(*) FROM addresses WHERE device = ?",
			     "i", device) <= REGISTRY_ADDRESSES_EACH)
		return r;
	return store_do(store,
		"DELETE FROM addresses WHERE device = ?1 AND address = "
		"(SELECT address FROM addresses WHERE device = ?1 "
		"ORDER BY time LIMIT 1)",
		"i", device);
}

int devices_saw(struct store *store, struct devices_pace *pace,
	const struct registry_seen *seen, int64_t now,
	struct devices_row *ret_row, bool *ret_fresh)
{
	struct devices_row row;
	bool fresh = false;
	int r = devices_find(store, &seen->mac, &row);

	if (r == -ENOENT) {
		fresh = true;
		r = add_stranger(store, pace, &seen->mac, now);
		if (r == 0)
			r = devices_find(store, &seen->mac, &row);
		if (r == 0)
			row.last_seen = 0; /* where it is was not noted */
	}
	if (r == 0)
		r = refresh(store, &row, seen, now);
	if (r == 0 &&
		(seen->ip.family == AF_INET || seen->ip.family == AF_INET6))
		r = note_address(store, row.id, &seen->ip, now);
	if (r < 0)
		return r;
	*ret_row = row;
	*ret_fresh = fresh;
	return 0;
}

int devices_get(struct store *store, const struct mac *mac, int64_t now,
	struct devices_row *ret_row)
{
	int r = devices_find(store, mac, ret_row);

	if (r != -ENOENT)
		return r;
	r = make_room(store, now);
	if (r == 0)
		r = insert(store, mac, 0);
	return r < 0 ? r : devices_find(store, mac, ret_row);
}

int devices_rename(struct store *store, int64_t device, const char *name)
{
	return store_do(store, "UPDATE devices SET name = ? WHERE id = ?", "ti",
		name, device);
}

int devices_weigh(struct store *store, int64_t device, int64_t now)
{
	return store_do(store,
		"UPDATE devices SET kept = CASE WHEN name <> '' OR EXISTS "
		"(SELECT 1 FROM decisions WHERE device = ?1) OR EXISTS "
		"(SELECT 1 FROM timed WHERE device = ?1) THEN 2 "
		"WHEN first_seen > 0 AND ?2 - first_seen >= ?3 THEN 1 "
		"ELSE 0 END WHERE id = ?1",
		"iii", device, now, (int64_t)DEVICES_LONG_S);
}

int devices_forget(struct store *store, int64_t device)
{
	int r = store_do(
		store, "DELETE FROM timed WHERE device = ?", "i", device);

	if (r == 0)
		r = store_do(store, "DELETE FROM warnings WHERE device = ?",
			"i", device);
	return r < 0 ? r
		     : store_do(store, "DELETE FROM devices WHERE id = ?", "i",
			       device);
}
