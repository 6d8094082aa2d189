/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chained log. Adds lines and drops the oldest; must never change one,
 * and never write down a name or an address of a device.
 */
#include "modules/registry/journal.h"

#include <errno.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "modules/registry/devices.h"
#include "modules/registry/registry_proto.h"

#define DROP_AT_ONCE 500

const char *journal_event_name(enum journal_event event)
{
	switch (event) {
	case JOURNAL_DEVICE_NEW:
		return "device.new";
	case JOURNAL_DEVICE_APPROVED:
		return "device.approved";
	case JOURNAL_DEVICE_QUARANTINED:
		return "device.quarantined";
	case JOURNAL_DEVICE_BLOCKED:
		return "device.blocked";
	case JOURNAL_DEVICE_RENAMED:
		return "device.renamed";
	case JOURNAL_DEVICE_PROFILE:
		return "device.profile";
	case JOURNAL_DEVICE_FORGOTTEN:
		return "device.forgotten";
	case JOURNAL_DEVICE_PAUSED:
		return "device.paused";
	case JOURNAL_DEVICE_RESUMED:
		return "device.resumed";
	case JOURNAL_DEVICE_EXPIRED:
		return "device.expired";
	case JOURNAL_REGISTRY_REBUILT:
		return "registry.rebuilt";
	}
	return "?";
}

struct line {
	int64_t id, time;
	const char *event, *actor, *detail;
	const uint8_t *pseudonym;
};

/* The library fails for want of memory only, and then all that follows. */
struct hash {
	wc_Sha256 sha;
	int error;
};

static void add(struct hash *hash, const void *bytes, size_t size)
{
	if (!hash->error)
		hash->error = wc_Sha256Update(&hash->sha, bytes, (word32)size);
}

static void add_number(struct hash *hash, int64_t number)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
	add(hash, bytes, sizeof(bytes));
}

/* With its length: two texts cannot be cut in another place. */
static void add_text(struct hash *hash, const char *text)
{
	add_number(hash, (int64_t)strlen(text));
	add(hash, text, strlen(text));
}

static int hash_line(
	uint8_t chain[static WC_SHA256_DIGEST_SIZE], const struct line *line)
{
	struct hash hash = {.error = 0};

	if (wc_InitSha256(&hash.sha) != 0)
		return -ENOMEM;
	add(&hash, chain, WC_SHA256_DIGEST_SIZE);
	add_number(&hash, line->id);
	add_number(&hash, line->time);
	add_text(&hash, line->event);
	add(&hash, line->pseudonym, DEVICES_PSEUDONYM);
	add_text(&hash, line->actor);
	add_text(&hash, line->detail);
	if (!hash.error)
		hash.error = wc_Sha256Final(&hash.sha, chain);
	wc_Sha256Free(&hash.sha);
	return hash.error ? -ENOMEM : 0;
}

static int read_pseudonym(struct store *store, int64_t device,
	uint8_t pseudonym[DEVICES_PSEUDONYM])
{
	sqlite3_stmt *s;
	int r;

	memset(pseudonym, 0, DEVICES_PSEUDONYM);
	r = store_ask(store, "SELECT pseudonym FROM devices WHERE id = ?", &s,
		"i", device);
	if (r < 0 || (r = store_next(s)) <= 0)
		return r;
	if (sqlite3_column_bytes(s, 0) == DEVICES_PSEUDONYM)
		memcpy(pseudonym, sqlite3_column_blob(s, 0), DEVICES_PSEUDONYM);
	store_done(s);
	return 0;
}

/* What was before the lines that stay is still said for. */
static int drop_old(struct store *store, int64_t last)
{
	int64_t first = store_number(
		store, last, "SELECT min(id) FROM log", "");
	int64_t until = first + DROP_AT_ONCE;
	int r;

	if (last - first < REGISTRY_LOG_MAX)
		return 0;
	r = store_do(store,
		"UPDATE anchor SET hash = (SELECT hash FROM log WHERE id = ?)",
		"i", until - 1);
	return r < 0 ? r
		     : store_do(store, "DELETE FROM log WHERE id < ?", "i",
			       until);
}

int journal_add(struct store *store, int64_t now, enum journal_event event,
	int64_t device, const char *actor, const char *detail)
{
	uint8_t pseudonym[DEVICES_PSEUDONYM], chain[WC_SHA256_DIGEST_SIZE];
	struct line line = {.time = now,
		.event = journal_event_name(event),
		.actor = actor,
		.detail = detail,
		.pseudonym = pseudonym};
	int r = read_pseudonym(store, device, pseudonym);

	if (r < 0)
		return r;
	line.id = store_number(store, 0, "SELECT max(id) FROM log", "") + 1;
	memcpy(chain, store->chain, sizeof(chain));
	r = hash_line(chain, &line);
	if (r < 0)
		return r;
	r = store_do(store, "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)",
		"iitbttb", line.id, now, line.event, pseudonym,
		DEVICES_PSEUDONYM, actor, detail, chain, WC_SHA256_DIGEST_SIZE);
	if (r < 0)
		return r;
	memcpy(store->chain, chain, sizeof(chain));
	return drop_old(store, line.id);
}

static int read_anchor(struct store *store)
{
	sqlite3_stmt *s;
	int r = store_ask(store, "SELECT hash FROM anchor", &s, "");

	memset(store->chain, 0, sizeof(store->chain));
	if (r < 0 || (r = store_next(s)) <= 0)
		return r;
	if (sqlite3_column_bytes(s, 0) == WC_SHA256_DIGEST_SIZE)
		memcpy(store->chain, sqlite3_column_blob(s, 0),
			WC_SHA256_DIGEST_SIZE);
	store_done(s);
	return 0;
}

/* Does the row fit behind the chain? The chain then goes on with the row. */
static bool follow(struct store *store, sqlite3_stmt *s)
{
	struct line line = {.id = sqlite3_column_int64(s, 0),
		.time = sqlite3_column_int64(s, 1),
		.event = (const char *)sqlite3_column_text(s, 2),
		.pseudonym = sqlite3_column_blob(s, 3),
		.actor = (const char *)sqlite3_column_text(s, 4),
		.detail = (const char *)sqlite3_column_text(s, 5)};
	const void *hash = sqlite3_column_blob(s, 6);

	if (!line.event || !line.actor || !line.detail || !hash ||
		sqlite3_column_bytes(s, 3) != DEVICES_PSEUDONYM ||
		sqlite3_column_bytes(s, 6) != WC_SHA256_DIGEST_SIZE)
		return false;
	if (hash_line(store->chain, &line) == 0 &&
		memcmp(store->chain, hash, WC_SHA256_DIGEST_SIZE) == 0)
		return true;
	memcpy(store->chain, hash, WC_SHA256_DIGEST_SIZE);
	return false;
}

int journal_open(struct store *store, int64_t *ret_bad)
{
	int64_t bad = 0;
	sqlite3_stmt *s;
	int r = read_anchor(store);

	if (r == 0)
		r = store_ask(store, "SELECT * FROM log ORDER BY id", &s, "");
	while (r == 0 && (r = store_next(s)) == 1) {
		r = 0;
		if (!follow(store, s) && !bad)
			bad = sqlite3_column_int64(s, 0);
	}
	if (r < 0)
		return r;
	memcpy(store->chain_kept, store->chain, sizeof(store->chain));
	*ret_bad = bad;
	return 0;
}
